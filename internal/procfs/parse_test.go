package procfs

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// fixture is a file as a kernel wrote it (Linux 6.18, amd64).
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func equal[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseStat(t *testing.T) {
	got, err := ParseStat(fixture(t, "python.stat"))
	equal(t, got, err, Stat{PID: 12069, Parent: 12028, Group: 11910, Session: 2391, Name: "python3", State: Sleeping, Foreground: -1, Threads: 1, Start: 483924})
	// A name may look like the fields that follow it.
	got, err = ParseStat([]byte("7 (a) R (b) Z 1 2 3 34823 7 0 0 0 0 0 150 50 0 0 20 0 3 0 99 0\n"))
	equal(t, got, err, Stat{PID: 7, Name: "a) R (b", State: Zombie, Parent: 1, Group: 2, Session: 3, Terminal: 34823, Foreground: 7, CPU: 2 * time.Second, Threads: 3, Start: 99})
	if path := got.Terminal.Path(); path != "/dev/pts/7" {
		t.Errorf("terminal %q", path)
	}
}

func TestDevicePath(t *testing.T) {
	for d, want := range map[Device]string{
		0:                       "",
		136 << 8:                "/dev/pts/0",
		136<<8 | 255:            "/dev/pts/255",
		136<<8 | 1<<20 | 4:      "/dev/pts/260",
		4<<8 | 1:                "/dev/tty1",
		4<<8 | 64:               "/dev/ttyS0",
		5<<8 | 1:                "/dev/console",
		204<<8 | 64:             "",
		136<<8 | 0xfff<<20:      "/dev/pts/1048320",
		137<<8 | 0x000<<20:      "/dev/pts/1048576",
		136<<8 | 0x0010<<16:     "/dev/pts/256",
		136<<8 | 0x0020<<16:     "/dev/pts/512",
		136<<8 | 0x0010<<16 | 1: "/dev/pts/257",
	} {
		if got := d.Path(); got != want {
			t.Errorf("%#x: %q, want %q", int(d), got, want)
		}
	}
}

func TestParseStatus(t *testing.T) {
	got, err := ParseStatus(fixture(t, "python.status"))
	equal(t, got, err, Status{Name: "python3", State: Sleeping, PID: 12069, Threads: 1, Switches: got.Switches})
	if got.Switches == 0 {
		t.Error("it went to sleep, but has no switches")
	}
	got, err = ParseStatus([]byte("Name:\ta\nState:\tt (tracing stop)\nTgid:\t5\nTracerPid:\t9\nUid:\t1000\t0\t0\t0\nThreads:\t2\nvoluntary_ctxt_switches:\t18446744073709551615\n"))
	equal(t, got, err, Status{Name: "a", State: Traced, PID: 5, Tracer: 9, Threads: 2, Switches: 1<<64 - 1})
}

func TestParseCall(t *testing.T) {
	tests := []struct {
		in   string
		want Call
	}{
		{string(fixture(t, "python.syscall")), Call{Nr: 0, Args: [6]uint64{0, 0x263cb700, 0x2000, 1}, SP: 0x7ffdda465038, PC: 0x7f6c655ca2ad}},
		{string(fixture(t, "node.syscall")), Call{Nr: 281, Args: [6]uint64{0xd, 0x7ffc0a50fdc0, 0x400, 0xffffffff, 0, 8}, SP: 0x7ffc0a50f060, PC: 0x7f675c926cae}},
		{"running\n", Call{Running: true, Nr: -1}},
		{"-1 0x7ffc 0x401000\n", Call{Nr: -1, SP: 0x7ffc, PC: 0x401000}},
		{"0 0xffffffffffffffff 0x0 0x0 0x0 0x0 0x0 0x1 0x2", Call{Args: [6]uint64{1<<64 - 1}, SP: 1, PC: 2}},
	}
	for _, test := range tests {
		got, err := ParseCall([]byte(test.in))
		equal(t, got, err, test.want)
	}
}

func TestOperations(t *testing.T) {
	tests := []struct {
		arch string
		nr   int
		op   Op
		name string
	}{
		{"amd64", 0, Read, "read"}, {"amd64", 19, Read, "readv"}, {"amd64", 1, Write, "write"}, {"amd64", 7, Poll, "poll"},
		{"amd64", 271, Ppoll, "ppoll"}, {"amd64", 23, Select, "select"}, {"amd64", 270, Pselect, "pselect6"},
		{"amd64", 232, EpollWait, "epoll_wait"}, {"amd64", 281, EpollWait, "epoll_pwait"}, {"amd64", 441, EpollPwait2, "epoll_pwait2"},
		{"amd64", 426, Uring, "io_uring_enter"}, {"amd64", 230, Sleep, "clock_nanosleep"}, {"amd64", 61, WaitChild, "wait4"},
		{"amd64", 202, Futex, "futex"}, {"amd64", 219, Restart, "restart_syscall"}, {"amd64", 34, Signal, "pause"},
		{"arm64", 63, Read, "read"}, {"arm64", 65, Read, "readv"}, {"arm64", 64, Write, "write"}, {"arm64", 73, Ppoll, "ppoll"},
		{"arm64", 72, Pselect, "pselect6"}, {"arm64", 22, EpollWait, "epoll_pwait"}, {"arm64", 441, EpollPwait2, "epoll_pwait2"},
		{"arm64", 426, Uring, "io_uring_enter"}, {"arm64", 115, Sleep, "clock_nanosleep"}, {"arm64", 260, WaitChild, "wait4"},
		{"arm64", 98, Futex, "futex"}, {"arm64", 128, Restart, "restart_syscall"},
		{"amd64", -1, Other, ""}, {"amd64", 9999, Other, ""}, {"riscv64", 63, Other, ""},
	}
	for _, test := range tests {
		if op, name := (Call{Nr: test.nr}).OpOn(test.arch); op != test.op || name != test.name {
			t.Errorf("%s %d: %v %q, want %v %q", test.arch, test.nr, op, name, test.op, test.name)
		}
	}
}

func TestParseFDInfo(t *testing.T) {
	got, err := ParseFDInfo(fixture(t, "node.fdinfo.epoll"))
	equal(t, got, err, FDInfo{Flags: 0o2000002, Watches: []Watch{{0, 0x19}, {16, 0x19}, {14, 0x19}}})
	got, err = ParseFDInfo(fixture(t, "python.fdinfo.0"))
	equal(t, got, err, FDInfo{})
	if !got.Readable() || got.Writable() {
		t.Error("descriptor 0 is opened for reading alone")
	}
	if w := (FDInfo{Flags: 0o100001}); w.Readable() || !w.Writable() {
		t.Error("O_WRONLY")
	}
	if rw := (FDInfo{Flags: 0o2}); !rw.Readable() || !rw.Writable() {
		t.Error("O_RDWR")
	}
}

func TestParseMaps(t *testing.T) {
	got, err := ParseMaps(fixture(t, "python.maps"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got[0], err, Mapping{Start: 0x400000, End: 0x41f000, Perms: "r--p", Path: "/usr/bin/python3.11"})
	equal(t, got[5], err, Mapping{Start: 0xa85000, End: 0xaca000, Perms: "rw-p"})
	equal(t, got[6].Path, err, "[heap]")
	got, err = ParseMaps([]byte("1000-2000 r-xp 00000000 fe:00 1      /a name with  blanks (deleted)\n"))
	equal(t, got[0].Path, err, "/a name with  blanks (deleted)")
}

func TestParseOthers(t *testing.T) {
	args, err := ParseArgs(fixture(t, "python.cmdline"))
	equal(t, args, err, []string{"/usr/bin/python3", "-c", "input()"})
	args, err = ParseArgs(nil)
	equal(t, args, err, nil)
	written, err := parseWritten([]byte("rchar: 5\nwchar: 1234\nsyscr: 1\n"))
	equal(t, written, err, 1234)
	last, err := parseLastPID(fixture(t, "loadavg"))
	equal(t, last, err, 12128)
	children, err := parseInts([]byte("12 345 "))
	equal(t, children, err, []int{12, 345})
}

func TestLinks(t *testing.T) {
	if n, ok := Link("pipe:[42]").Pipe(); !ok || n != 42 || Pipe(42) != "pipe:[42]" {
		t.Error("pipe", n, ok)
	}
	if n, ok := Link("socket:[7]").Socket(); !ok || n != 7 {
		t.Error("socket", n, ok)
	}
	for link, want := range map[Link]string{"anon_inode:[eventfd]": "eventfd", "anon_inode:inotify": "inotify", "/dev/null": ""} {
		if got := link.Anonymous(); got != want {
			t.Errorf("%s: %q, want %q", link, got, want)
		}
	}
	for _, l := range []Link{"", "pipe:[", "pipe:[x]", "/tmp/pipe:[1]"} {
		if _, ok := l.Pipe(); ok {
			t.Errorf("%q is no pipe", l)
		}
	}
}

// Whatever stands in a file, parsers return an error or a value.
func FuzzParsers(f *testing.F) {
	for _, name := range []string{"python.stat", "python.status", "python.syscall", "node.syscall", "node.fdinfo.epoll", "python.maps", "python.io", "loadavg", "python.cmdline"} {
		f.Add(fixture(f, name))
	}
	f.Add([]byte("1 () R\n"))
	f.Add([]byte(") ("))
	f.Add([]byte("0()\x00 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseStat(b); err == nil && s.State == 0 {
			t.Errorf("no state in %q", b)
		}
		if s, err := ParseStatus(b); err == nil && s.State == 0 {
			t.Errorf("no state in %q", b)
		}
		if c, err := ParseCall(b); err == nil {
			c.Op()
		}
		if m, err := ParseMaps(b); err == nil && len(m) > len(b) {
			t.Errorf("%d mappings of %d bytes", len(m), len(b))
		}
		_, _ = ParseFDInfo(b) // must return
		_, _ = ParseArgs(b)
		_, _ = parseWritten(b)
		_, _ = parseLastPID(b)
		_, _ = parseInts(b)
		if kind := Link(b).Anonymous(); len(kind) > len(b) {
			t.Errorf("%q has the kind %q", b, kind)
		}
	})
}
