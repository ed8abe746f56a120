package shim

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"testing/iotest"

	"golang.org/x/sys/unix"
)

func TestOwnGroup(t *testing.T) {
	const (
		unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid  = "40 39 0:35 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n41 39 0:36 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		nested  = "50 49 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
		blank   = `60 59 0:26 / /mnt/my\040groups rw shared:9 - cgroup2 none rw` + "\n"
	)
	for _, tt := range []struct {
		name, mine, mounts string
		want               group
	}{
		{"systemd", "0::/user.slice/user-7.slice/session-2.scope\n", unified, "/sys/fs/cgroup/user.slice/user-7.slice/session-2.scope"},
		{"root", "0::/\n", unified, "/sys/fs/cgroup"},
		{"both versions", "9:name=systemd:/a\n4:memory:/b\n0::/c\n", hybrid, "/sys/fs/cgroup/unified/c"},
		{"in a container that sees its own alone", "0::/\n", unified, "/sys/fs/cgroup"},
		{"in a container that sees all", "0::/docker/abc/x\n", nested, "/sys/fs/cgroup/x"},
		{"another's", "0::/other\n", nested, ""},
		{"outside of the namespace", "0::/../x\n", unified, ""},
		{"a name with blanks", "0::/x\n", blank, "/mnt/my groups/x"},
		{"version 1 only", "4:memory:/b\n", unified, ""},
		{"not mounted", "0::/x\n", "40 39 0:35 / /proc rw - proc proc rw\n", ""},
		{"nothing", "", "", ""},
		{"nonsense", "0::", " - cgroup2 \n", ""},
	} {
		if got := groupIn([]byte(tt.mine), []byte(tt.mounts)); got != tt.want {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
	for in, want := range map[string]string{`a\040b\134`: `a b\`, `\`: `\`, `\04`: `\04`, `\999`: `\999`, "": ""} {
		if got := unescape(in); got != want {
			t.Errorf("%q is %q; want %q", in, got, want)
		}
	}
}

func TestNoGroupIsNobodys(t *testing.T) {
	var none group
	none.kill()
	if none.members() != nil || none.remove() != nil {
		t.Error("it has members")
	}
	gone := group(t.TempDir() + "/gone")
	gone.kill()
	if err := gone.remove(); err != nil || gone.members() != nil {
		t.Error(err)
	}
	KillGroup("")
	if err := RemoveGroup(""); err != nil || GroupMembers("") != nil {
		t.Error(err)
	}
}

// A child of each kind of a thread is seen both ways.
func TestChildren(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if !slices.Contains(children(), pid) || !slices.Contains(childrenByStat(), pid) {
		t.Errorf("%d is not in %v or not in %v", pid, children(), childrenByStat())
	}
	if reapIfEnded(pid) {
		t.Error("it has ended")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if got, e, err := Waitid(unix.P_PID, pid, unix.WEXITED|unix.WNOWAIT); got != pid || e.Signal != syscall.SIGKILL || e.Code != -1 || err != nil {
		t.Errorf("%d, %+v, %v", got, e, err)
	}
	if !slices.Contains(children(), pid) { // a zombie is a child
		t.Error("it is gone before it was reaped")
	}
	if !reapIfEnded(pid) || slices.Contains(children(), pid) {
		t.Error("it was not reaped")
	}
	if !reapIfEnded(pid) {
		t.Error("who is no child has not ended")
	}
	_ = cmd.Wait() // it is gone already
}

func TestMarks(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_RTTIME, nil, &before); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Prlimit(0, unix.RLIMIT_RTTIME, &before, nil); err != nil {
			t.Fatal(err)
		}
	}()
	one, other := newMarks(), newMarks()
	a, b, c := one.set(), one.set(), other.set()
	if a == 0 || a == b || a == c || a < 1<<62 || int64(a) < 0 {
		t.Errorf("%x %x %x", a, b, c)
	}
	if !Of(one.base, a) || !Of(one.base, b) || Of(one.base, c) || Of(0, a) || Of(one.base, 0) || Of(one.base, one.base) {
		t.Errorf("%x and %x are not told from %x", a, b, c)
	}
	if got := Mark(os.Getpid()); got != c {
		t.Errorf("our mark is %x; want %x", got, c)
	}
	if got := Mark(1 << 30); got != 0 {
		t.Errorf("the mark of nobody is %x", got)
	}
	strict := before
	strict.Cur, strict.Max = 1000, 1000
	cmd := exec.Command("prlimit", "--rttime=1000:1000", os.Args[0], "-test.run=^TestNoMarkUnderALimit$")
	cmd.Env = append(os.Environ(), "STRICT=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestNoMarkUnderALimit(t *testing.T) {
	if os.Getenv("STRICT") == "" {
		return // see TestMarks
	}
	m := newMarks()
	if got := m.set(); got != 0 {
		t.Errorf("%x", got)
	}
}

func TestOrdersAndDescriptors(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := os.NewFile(uintptr(fds[0]), "theirs"), os.NewFile(uintptr(fds[1]), "ours")
	defer theirs.Close()
	defer ours.Close()
	want := Order{ID: 7, Do: Fork, Path: []byte("/bin/\xff"), Dir: []byte("x"), Args: JoinWords([]string{"a", ""}), Umask: 0o22,
		Terminal: true, Ctty: 1, User: &User{1, 2, []int{3}}}
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := unix.Sendmsg(fds[1], data[:50], unix.UnixRights(int(w.Fd()), int(w.Fd())), nil, 0); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := ours.Write(data[50:]); err != nil {
		t.Fatal(err)
	}
	got, files, err := readOrder(theirs)
	if err != nil || !reflect.DeepEqual(got, want) || len(files) != 2 {
		t.Fatalf("%+v, %v, %v", got, files, err)
	}
	for _, fd := range files {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d would be inherited: %x, %v", fd, flags, err)
		}
		_ = unix.Close(fd)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the pipe is still open: %v", err)
	}
	// Half an order, then the end.
	if _, err := ours.Write(data[:9]); err != nil {
		t.Fatal(err)
	}
	ours.Close()
	if o, _, err := readOrder(theirs); err == nil {
		t.Errorf("half an order is %+v", o)
	}
	if o, _, err := readOrder(theirs); err == nil {
		t.Errorf("no order is %+v", o)
	}
}

func TestAnswers(t *testing.T) {
	for _, want := range []Answer{
		{}, {ID: 1, PID: 2, Group: "/x", Mark: 1<<62 | 5}, {ID: 3, PIDs: []int{4, 5}}, {Ended: &Ended{Code: -1, Signal: 9, Core: true, CPU: 5, MaxRSS: 6}},
	} {
		data, err := frame(want, maxOrder)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadAnswer(iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		for n := range data {
			if _, err := ReadAnswer(bytes.NewReader(data[:n])); err == nil {
				t.Errorf("%d of %d bytes are an answer", n, len(data))
			}
		}
	}
	if err := failed(&os.PathError{Err: syscall.EMFILE}).Err(); !errors.Is(err, syscall.EMFILE) {
		t.Error(err)
	}
	if err := failed(errors.New("odd")).Err(); err == nil || err.Error() != "odd" {
		t.Error(err)
	}
	if err := failed(nil).Err(); err != nil {
		t.Error(err)
	}
}

func TestOrdersOfNobodysProgram(t *testing.T) {
	k := &keeper{programs: map[int]group{}}
	for what, want := range map[string]syscall.Errno{Strays: 0, Kill: 0, Ping: 0, Fork: syscall.EBADF} {
		if a, pidfd := k.obey(Order{Do: what, PID: os.Getpid()}, nil); a.Errno != want || a.Text != "" || pidfd >= 0 {
			t.Errorf("%s: %+v; want %v", what, a, want)
		}
	}
	if a, _ := k.obey(Order{Do: Fork}, []int{0, -1}); a.Errno != syscall.EMFILE {
		t.Errorf("descriptors that did not come: %+v", a)
	}
	k.reap(os.Getpid())
	k.programs[os.Getpid()] = ""
	if a, _ := k.obey(Order{Do: "dance", PID: os.Getpid()}, nil); a.Err() == nil {
		t.Error("it dances")
	}
}

func FuzzAnswer(f *testing.F) {
	data, err := frame(Answer{ID: 1, PID: 2, PIDs: []int{3}, Ended: &Ended{Code: 4}}, maxOrder)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x02[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ReadAnswer(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := frame(a, maxOrder)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := ReadAnswer(bytes.NewReader(again)); err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v became %+v, %v", a, b, err)
		}
	})
}

func FuzzGroupIn(f *testing.F) {
	f.Add([]byte("0::/x\n"), []byte(`60 59 0:26 / /mnt/my\040groups rw - cgroup2 none rw`))
	f.Fuzz(func(t *testing.T, mine, mounts []byte) {
		if g := groupIn(mine, mounts); g != "" && !bytes.Contains(mounts, []byte("cgroup2")) {
			t.Fatalf("%q", g)
		}
	})
}
