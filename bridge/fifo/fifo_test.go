//go:build unix

package fifo_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/bridge/fifo"
)

var heavy = flag.Bool("heavy", false, "run the long versions of the tests")

// A File is what bridge.New takes.
var (
	_ bridge.Source = (*fifo.File)(nil)
	_ bridge.Sink   = (*fifo.File)(nil)
)

// The test binary plays the other processes, too.
func TestMain(m *testing.M) {
	if play := os.Getenv("FIFO_TEST_PLAY"); play != "" {
		plays[play]()
		return
	}
	os.Exit(m.Run())
}

// at returns a path for a fifo in a folder that only we may use.
func at(t *testing.T) string {
	t.Helper()
	return filepath.Join(private(t), "f")
}

func private(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t *testing.T, path string, flag int, o fifo.Options) *fifo.File {
	t.Helper()
	f, err := fifo.Open(t.Context(), path, flag|os.O_CREATE, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, f io.Writer, text string) {
	t.Helper()
	if n, err := io.WriteString(f, text); n != len(text) || err != nil {
		t.Fatalf("write %q: %d, %v", text, n, err)
	}
}

func read(t *testing.T, f io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(f, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", got[:n], err, want)
	}
}

func closed(t *testing.T, f io.Closer) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Either side may come first, and with Keep neither waits for the other.
func TestEitherSideFirst(t *testing.T) {
	for _, first := range []string{"reader", "writer"} {
		t.Run(first+" first", func(t *testing.T) {
			path := at(t)
			var r, w *fifo.File
			if first == "reader" {
				r = open(t, path, os.O_RDONLY, fifo.Options{})
				w = open(t, path, os.O_WRONLY, fifo.Options{})
				write(t, w, "hello\n")
			} else {
				w = open(t, path, os.O_WRONLY, fifo.Options{})
				write(t, w, "hello\n")
				r = open(t, path, os.O_RDONLY, fifo.Options{})
			}
			read(t, r, "hello\n")
			closed(t, w)
			closed(t, r)
		})
	}
}

// The shell's own programs are at the other side, in either order.
func TestWithPlainPrograms(t *testing.T) {
	path := at(t)
	if err := fifo.Make(path); err != nil {
		t.Fatal(err)
	}
	cat := exec.Command("cat", path)
	out, err := cat.StdoutPipe()
	if err == nil {
		err = cat.Start() // it waits in open(2), or will
	}
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, path, os.O_WRONLY, fifo.Options{EOF: fifo.Once})
	write(t, w, "from us\n")
	closed(t, w)
	if got, err := io.ReadAll(out); string(got) != "from us\n" || err != nil {
		t.Errorf("cat got %q, %v", got, err)
	}
	if err := cat.Wait(); err != nil {
		t.Error(err)
	}

	r := open(t, path, os.O_RDONLY, fifo.Options{EOF: fifo.Report})
	for i := range 20 {
		want := fmt.Sprintf("from echo %d\n", i)
		if err := exec.Command("sh", "-c", "echo from echo $0 >$1", fmt.Sprint(i), path).Run(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); string(got) != want || err != nil {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
	}
}

// What the other side's leaving means is said, and for Once it stays so.
func TestLeavingOfTheWriter(t *testing.T) {
	once, report := fifo.Options{EOF: fifo.Once}, fifo.Options{EOF: fifo.Report}
	visit := func(t *testing.T, path, text string) {
		w, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		write(t, w, text)
		closed(t, w)
	}
	t.Run("once", func(t *testing.T) {
		path := at(t)
		r := open(t, path, os.O_RDONLY, once)
		visit(t, path, "one")
		for range 2 {
			if got, err := io.ReadAll(r); err != nil || len(got) != 0 && string(got) != "one" {
				t.Fatalf("read %q, %v", got, err)
			}
		}
		visit(t, path, "two")
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", n, err)
		}
	})
	t.Run("report", func(t *testing.T) {
		path := at(t)
		r := open(t, path, os.O_RDONLY, report)
		for _, text := range []string{"one", "two", "three"} {
			visit(t, path, text)
			if got, err := io.ReadAll(r); string(got) != text || err != nil {
				t.Errorf("read %q, %v; want %q", got, err, text)
			}
		}
		// Without a writer there is no end, but nothing yet.
		r.SetReadDeadline(time.Now().Add(time.Millisecond))
		if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("without a writer: %d, %v", n, err)
		}
		// One that came before we looked again, and wrote nothing, is no second end.
		r.SetReadDeadline(time.Time{})
		visit(t, path, "four")
		visit(t, path, "five")
		if got, err := io.ReadAll(r); string(got) != "fourfive" || err != nil {
			t.Errorf("two at once: %q, %v", got, err)
		}
	})
	t.Run("a writer that writes nothing", func(t *testing.T) {
		path := at(t)
		r := open(t, path, os.O_RDONLY, report)
		done := make(chan error, 1)
		go func() {
			_, err := r.Read(make([]byte, 1))
			done <- err
		}()
		visit(t, path, "")
		if err := <-done; err != io.EOF {
			t.Errorf("got %v, want io.EOF", err)
		}
	})
}

func TestLeavingOfTheReader(t *testing.T) {
	fill := make([]byte, 1<<20)
	t.Run("once", func(t *testing.T) {
		path := at(t)
		r := open(t, path, os.O_RDONLY, fifo.Options{EOF: fifo.Once})
		w := open(t, path, os.O_WRONLY, fifo.Options{EOF: fifo.Once})
		write(t, w, "x")
		read(t, r, "x")
		closed(t, r)
		for range 2 {
			if _, err := w.Write(fill); !errors.Is(err, fifo.ErrLeft) || !errors.Is(err, syscall.EPIPE) {
				t.Errorf("got %v, want ErrLeft", err)
			}
		}
		closed(t, w)
	})
	t.Run("report", func(t *testing.T) {
		path := at(t)
		r := open(t, path, os.O_RDONLY, fifo.Options{EOF: fifo.Once})
		w := open(t, path, os.O_WRONLY, fifo.Options{EOF: fifo.Report})
		closed(t, r)
		if _, err := w.Write([]byte("lost")); !errors.Is(err, fifo.ErrLeft) {
			t.Fatalf("got %v, want ErrLeft", err)
		}
		w.SetWriteDeadline(time.Now().Add(time.Millisecond))
		if _, err := w.Write([]byte("early")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("without a reader: %v", err)
		}
		w.SetWriteDeadline(time.Time{})
		done := make(chan error, 1)
		go func() {
			_, err := w.Write([]byte("again"))
			done <- err
		}()
		r = open(t, path, os.O_RDONLY, fifo.Options{EOF: fifo.Once})
		read(t, r, "again")
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("keep", func(t *testing.T) {
		path := at(t)
		w := open(t, path, os.O_WRONLY, fifo.Options{})
		done := make(chan error, 1)
		go func() {
			_, err := w.Write(fill)
			done <- err
		}()
		for got := 0; got < len(fill); {
			r := open(t, path, os.O_RDONLY, fifo.Options{EOF: fifo.Once})
			n, err := r.Read(make([]byte, 1<<16))
			if err != nil {
				t.Fatal(err)
			}
			got += n
			closed(t, r)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		closed(t, w)
	})
}

// A wait ends with the context, a deadline, or Close; which of them is said.
func TestWaitsEnd(t *testing.T) {
	t.Run("open", func(t *testing.T) {
		why := errors.New("given up")
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		path := at(t)
		go func() {
			_, err := fifo.Open(ctx, path, os.O_WRONLY|os.O_CREATE, fifo.Options{EOF: fifo.Once})
			done <- err
		}()
		cancel(why)
		if err := <-done; !errors.Is(err, why) {
			t.Errorf("got %v, want the cause", err)
		}
	})
	for name, end := range map[string]struct {
		do   func(*fifo.File)
		want error
	}{
		"deadline": {func(f *fifo.File) { f.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"close":    {func(f *fifo.File) { f.Close() }, os.ErrClosed},
	} {
		for _, kind := range []fifo.EOF{fifo.Keep, fifo.Once, fifo.Report} {
			t.Run(fmt.Sprintf("read %s %s", kind, name), func(t *testing.T) {
				r := open(t, at(t), os.O_RDONLY, fifo.Options{EOF: kind})
				done := make(chan error, 1)
				go func() {
					_, err := r.Read(make([]byte, 1))
					done <- err
				}()
				end.do(r)
				if err := <-done; !errors.Is(err, end.want) {
					t.Errorf("got %v, want %v", err, end.want)
				}
			})
			t.Run(fmt.Sprintf("write %s %s", kind, name), func(t *testing.T) {
				path := at(t)
				open(t, path, os.O_RDONLY, fifo.Options{EOF: fifo.Once})
				w := open(t, path, os.O_WRONLY, fifo.Options{EOF: kind, Linger: -1})
				type result struct {
					n   int
					err error
				}
				done := make(chan result, 1)
				go func() {
					n, err := w.Write(make([]byte, 1<<22))
					done <- result{n, err}
				}()
				for w.Unread() == 0 {
					time.Sleep(time.Millisecond)
				}
				end.do(w)
				got := <-done
				if !errors.Is(got.err, end.want) || got.n == 0 || got.n > 1<<20 {
					t.Errorf("%d bytes, %v; want %v", got.n, got.err, end.want)
				}
			})
		}
	}
}

// A reader that is told to stop has all the whole lines that it took, and the next one the rest.
func TestTwoReadersCutAtLines(t *testing.T) {
	path := at(t)
	w := open(t, path, os.O_WRONLY, fifo.Options{Lines: true})
	var want, got []string
	for i := range 20000 {
		want = append(want, fmt.Sprintf("line %d %s", i, strings.Repeat("x", i%67)))
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.WriteString(w, strings.Join(want, "\n")+"\n")
		done <- err
	}()
	readers := 0
	for ; len(got) < len(want); readers++ {
		r := open(t, path, os.O_RDONLY, fifo.Options{})
		lines := bufio.NewScanner(r)
		for n := 0; lines.Scan(); n++ {
			got = append(got, lines.Text())
			if n == 10 || len(got) == len(want) {
				r.SetReadDeadline(time.Unix(1, 0))
			}
		}
		if err := lines.Err(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		closed(t, r)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !slices.Equal(got, want) || readers < 3 {
		t.Errorf("%d readers got %d lines of %d", readers, len(got), len(want))
	}
}

// What nobody can read any more is given back by whoever is the last: never by two, never by none.
func TestCloseGivesBackWhatNobodyRead(t *testing.T) {
	o := fifo.Options{Linger: -1}
	back := func(err error) string {
		var unread *fifo.UnreadError
		if errors.As(err, &unread) {
			return string(unread.Data)
		}
		return ""
	}
	path := at(t)
	w := open(t, path, os.O_WRONLY, o)
	write(t, w, "one\n")
	if err := w.Close(); back(err) != "one\n" || !strings.Contains(err.Error(), "nobody read the last 4 bytes") {
		t.Errorf("the only one: %v", err)
	}

	r := open(t, path, os.O_RDONLY, o)
	w = open(t, path, os.O_WRONLY, o)
	write(t, w, "two\n")
	if err := w.Close(); err != nil {
		t.Errorf("with a reader: %v", err)
	}
	if err := r.Close(); back(err) != "two\n" {
		t.Errorf("the reader as the last: %v", err)
	}

	r = open(t, path, os.O_RDONLY, o)
	w = open(t, path, os.O_WRONLY, o)
	write(t, w, "three\nfour\n")
	read(t, r, "thr")
	closed(t, w)
	if err := r.Close(); back(err) != "ee\nfour\n" {
		t.Errorf("taken and not handed out: %v", err)
	}

	for range 200 { // all at once
		ends := []*fifo.File{open(t, path, os.O_RDONLY, o), open(t, path, os.O_WRONLY, o), open(t, path, os.O_WRONLY, o)}
		write(t, ends[1], "a")
		write(t, ends[2], "b")
		var all sync.WaitGroup
		got := make([]string, len(ends))
		for i, f := range ends {
			all.Go(func() { got[i] = back(f.Close()) })
		}
		all.Wait()
		if s := strings.Join(got, ""); s != "ab" {
			t.Fatalf("given back %q", got)
		}
	}
}

// Close waits until what was written has been read.
func TestCloseLingers(t *testing.T) {
	path := at(t)
	w := open(t, path, os.O_WRONLY, fifo.Options{Linger: time.Hour, Lines: true})
	write(t, w, "whole\nand a part")
	done := make(chan error, 1)
	go func() { done <- w.Close() }()
	r := open(t, path, os.O_RDONLY, fifo.Options{})
	read(t, r, "whole\nand a part")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLines(t *testing.T) {
	path := at(t)
	r := open(t, path, os.O_RDONLY, fifo.Options{})
	w := open(t, path, os.O_WRONLY, fifo.Options{Lines: true})
	write(t, w, "be")
	write(t, w, "gun")
	if n := w.Unread(); n != 0 {
		t.Errorf("%d bytes of a part of a line went out", n)
	}
	write(t, w, "\nnext\nrest")
	read(t, r, "begun\nnext\n")
	if n := w.Unread(); n != 0 {
		t.Errorf("%d bytes of a part of a line went out", n)
	}
	write(t, w, "\n")
	read(t, r, "rest\n")

	longest := strings.Repeat("x", fifo.MaxLine-1) + "\n"
	write(t, w, longest)
	read(t, r, longest)
	n, err := w.Write([]byte("short\n" + "x" + longest))
	if n != len("short\n") || !errors.Is(err, fifo.ErrLong) {
		t.Errorf("too long: %d, %v", n, err)
	}
	read(t, r, "short\n")
	write(t, w, "goes on\n")
	read(t, r, "goes on\n")
}

// Several processes write lines at once: each line arrives whole, once, and those of one writer in order.
func TestSeveralWriters(t *testing.T) {
	path := at(t)
	r := open(t, path, os.O_RDONLY, fifo.Options{EOF: fifo.Once})
	const writers, each = 5, 2000
	var procs []*exec.Cmd
	for i := range writers {
		procs = append(procs, player(t, "writes", path, fmt.Sprint(i), fmt.Sprint(each)))
	}
	next := map[string]int{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var who string
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "%s %d", &who, &n); err != nil || lines.Text() != line(who, n) {
			t.Fatalf("a torn line: %q", lines.Text())
		}
		if n != next[who] {
			t.Fatalf("writer %s: line %d, want %d", who, n, next[who])
		}
		next[who]++
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	for _, p := range procs {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	for i := range writers {
		if n := next[fmt.Sprint(i)]; n != each {
			t.Errorf("writer %d: %d lines of %d", i, n, each)
		}
	}
}

// line is what a writer writes: a reader can see whether it is whole.
func line(who string, n int) string {
	return fmt.Sprintf("%s %d %s.", who, n, strings.Repeat("x", (n*131)%1500))
}

var plays = map[string]func(){}

// player starts this binary as one of plays.
func player(t *testing.T, play string, args ...string) *exec.Cmd {
	t.Helper()
	cmd, _ := playing(t, play, args...)
	return cmd
}

// readied starts it, too, and waits until it says that it is ready.
func readied(t *testing.T, play string, args ...string) *exec.Cmd {
	t.Helper()
	cmd, out := playing(t, play, args...)
	if text, err := bufio.NewReader(out).ReadString('\n'); text != "ready\n" {
		t.Fatalf("%s: %q, %v", play, text, err)
	}
	return cmd
}

func playing(t *testing.T, play string, args ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "FIFO_TEST_PLAY="+play, "GORACE=atexit_sleep_ms=0") // else each race-checked exit takes a second
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, out
}

func init() {
	plays["writes"] = func() {
		var n int
		fmt.Sscan(os.Args[3], &n)
		w, err := fifo.Open(context.Background(), os.Args[1], os.O_WRONLY, fifo.Options{EOF: fifo.Once, Lines: true})
		for i := 0; i < n && err == nil; i++ {
			_, err = fmt.Fprintln(w, line(os.Args[2], i))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// What could be another's, or got at by another, is refused before anything is opened.
func TestRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("not root: what belongs to another user is not tried")
	}
	umask := syscall.Umask(0)
	defer syscall.Umask(umask)
	tests := []struct {
		name  string
		plant func(path string) error
		want  string
		root  bool
	}{
		{"a symbolic link", func(path string) error {
			if err := syscall.Mkfifo(path+".real", 0o600); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		}, "it is a symbolic link, no fifo\nhint: remove it", false},
		{"a dangling link", func(path string) error { return os.Symlink("nowhere", path) }, "it is a symbolic link", false},
		{"a regular file", func(path string) error { return os.WriteFile(path, []byte("keep me"), 0o600) },
			"it is a regular file, no fifo", false},
		{"a folder", func(path string) error { return os.Mkdir(path, 0o700) }, "it is a folder, no fifo", false},
		{"open to others", func(path string) error { return syscall.Mkfifo(path, 0o644) },
			"others may open it (mode 0644)\nhint: chmod 600 ", false},
		{"a foreign owner", func(path string) error {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				return err
			}
			return os.Chown(path, 65534, 65534)
		}, "it belongs to user nobody\nhint: ", true},
		{"a device", func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|3) }, "it is a device", true},
		{"an open folder", func(path string) error { return os.Chmod(filepath.Dir(path), 0o770) },
			"others may write in this folder (mode 0770)\nhint: choose another, or: chmod 700", false},
		{"a sticky folder", func(path string) error { return os.Chmod(filepath.Dir(path), 0o777|os.ModeSticky) },
			"others may write in this folder", false},
		{"a foreign folder", func(path string) error { return os.Chown(filepath.Dir(path), 65534, 65534) },
			"the folder belongs to user nobody", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.root && os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			path := at(t)
			if err := tt.plant(path); err != nil {
				t.Fatal(err)
			}
			for _, flag := range []int{os.O_RDONLY, os.O_WRONLY} {
				for _, create := range []int{0, os.O_CREATE} {
					f, err := fifo.Open(t.Context(), path, flag|create, fifo.Options{})
					if err == nil {
						f.Close()
					}
					if !errors.Is(err, fifo.ErrUnsafe) || !strings.Contains(err.Error(), tt.want) {
						t.Errorf("got  %v\nwant %s", err, tt.want)
					}
				}
			}
			if err := fifo.Make(path); !errors.Is(err, fifo.ErrUnsafe) {
				t.Errorf("Make: %v", err)
			}
			if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() != int64(len("keep me")) {
				t.Errorf("the file was changed: %d bytes", info.Size())
			}
		})
	}
}

func TestMakeAndMissing(t *testing.T) {
	dir := filepath.Join(private(t), "new")
	path := filepath.Join(dir, "f")
	_, err := fifo.Open(t.Context(), path, os.O_RDONLY, fifo.Options{})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "hint: make the folder: mkdir -m 700 "+dir) {
		t.Errorf("no folder: %v", err)
	}
	umask := syscall.Umask(0)
	defer syscall.Umask(umask)
	for range 2 {
		if err := fifo.Make(path); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, path: os.ModeNamedPipe | 0o600} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	os.Remove(path)
	_, err = fifo.Open(t.Context(), path, os.O_WRONLY, fifo.Options{})
	want := "fifo " + path + ": does not exist\nhint: make it first: mkfifo -m 600 " + path
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}

func TestSweep(t *testing.T) {
	dir := private(t)
	names := []string{"dead1", "dead2", "read", "kept"}
	for _, name := range names {
		if err := fifo.Make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Join(dir, "read"), os.O_RDONLY, fifo.Options{EOF: fifo.Once})
	open(t, filepath.Join(dir, "kept"), os.O_WRONLY, fifo.Options{Linger: -1})
	removed, err := fifo.Sweep(dir)
	if want := []string{filepath.Join(dir, "dead1"), filepath.Join(dir, "dead2")}; err != nil || !slices.Equal(removed, want) {
		t.Errorf("removed %q, %v", removed, err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 3 {
		t.Errorf("left: %v", left)
	}
}

func TestWrongUse(t *testing.T) {
	path := at(t)
	r, w := open(t, path, os.O_RDONLY, fifo.Options{}), open(t, path, os.O_WRONLY, fifo.Options{})
	if _, err := w.Read(make([]byte, 1)); err == nil {
		t.Error("a writing end was read")
	}
	if _, err := r.Write([]byte("x")); err == nil {
		t.Error("a reading end was written")
	}
	if _, err := fifo.Open(t.Context(), path, os.O_RDWR, fifo.Options{}); err == nil {
		t.Error("both ends at once")
	}
	closed(t, w)
	closed(t, w)
	closed(t, r)
	if _, err := w.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
	if n := w.Unread(); n != 0 {
		t.Errorf("unread after Close: %d", n)
	}
}
