//go:build unix

package fifo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge/fifo"
)

// serve answers every request with the request in capitals, until stop.
func serve(t *testing.T, dir string, s fifo.Service) (stop func()) {
	t.Helper()
	if s.Answer == nil {
		s.Answer = func(_ context.Context, request string, reply io.Writer) {
			io.WriteString(reply, strings.ToUpper(request))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- fifo.Serve(ctx, dir, s) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func call(t *testing.T, dir, request, want string) {
	t.Helper()
	got, err := fifo.Call(t.Context(), dir, request)
	if err != nil || got != want {
		t.Errorf("call %.40q: %.40q, %v; want %.40q", request, got, err, want)
	}
}

// Many clients ask at once, and each gets its own reply, whole.
func TestManyClients(t *testing.T) {
	dir := filepath.Join(private(t), "new")
	stop := serve(t, dir, fifo.Service{Answer: func(_ context.Context, request string, reply io.Writer) {
		for range 3 {
			io.WriteString(reply, strings.Repeat(request, 10_000))
		}
	}})
	var all sync.WaitGroup
	for client := range 20 {
		all.Go(func() {
			for i := range 10 {
				request := fmt.Sprintf("%d of %d", i, client)
				call(t, dir, request, strings.Repeat(request, 30_000))
			}
		})
	}
	all.Wait()
	stop()
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

// Each reply comes, also when the server was done before the client looked.
func TestManyCalls(t *testing.T) {
	dir := private(t)
	serve(t, dir, fifo.Service{})
	rounds := 1000
	if *heavy {
		rounds = 100_000
	}
	for i := 0; i < rounds && !t.Failed(); i++ {
		call(t, dir, "again", "AGAIN")
	}
}

// A client may come first, and a server is started again.
func TestServerComesAndGoes(t *testing.T) {
	dir := private(t)
	for range 5 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			call(t, dir, "early", "EARLY")
		}()
		stop := serve(t, dir, fifo.Service{})
		<-done
		call(t, dir, "late", "LATE")
		stop()
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// A client needs nothing of ours.
func TestShellClient(t *testing.T) {
	dir := private(t)
	serve(t, dir, fifo.Service{})
	const script = `cd "$1" && mkfifo -m 600 me && for i in 1 2 3; do echo "me request $i" >requests; cat me; done; rm me`
	var out []byte
	for { // until the server has made its fifo
		var err error
		if out, err = exec.Command("sh", "-ec", `test -p "$1/requests" && `+script, "sh", dir).CombinedOutput(); err == nil {
			break
		}
	}
	if string(out) != "REQUEST 1REQUEST 2REQUEST 3" {
		t.Errorf("got %q", out)
	}
}

// What cannot be answered is refused, and the others are served.
func TestBadRequests(t *testing.T) {
	dir := private(t)
	var mu sync.Mutex
	refused := map[string]error{}
	stop := serve(t, dir, fifo.Service{
		Refused: func(line string, err error) {
			mu.Lock()
			defer mu.Unlock()
			refused[line] = err
		},
	})
	call(t, dir, "first", "FIRST")
	outside := filepath.Join(filepath.Dir(dir), "outside")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 3*fifo.MaxLine)
	in, err := os.OpenFile(filepath.Join(dir, "requests"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]error{
		"../outside hello":    nil,
		"/etc/passwd hello":   nil,
		"noblank":             nil,
		"requests hello":      nil,
		"missing hello":       fs.ErrNotExist,
		"link hello":          fifo.ErrUnsafe,
		long[:fifo.MaxLine]:   fifo.ErrLong,
		"\x1b[31m \x00\xff y": nil,
		"a part":              nil,
	}
	for line := range bad {
		if line == long[:fifo.MaxLine] {
			line = long
		}
		if line != "a part" {
			write(t, in, line+"\n")
		}
	}
	write(t, in, "\n\na part")
	closed(t, in)
	for {
		mu.Lock()
		n := len(refused)
		mu.Unlock()
		if n == len(bad) {
			break
		}
		call(t, dir, "goes on", "GOES ON")
		if t.Failed() {
			break
		}
	}
	stop()
	for line, want := range bad {
		if err, ok := refused[line]; !ok || want != nil && !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", line, err, want)
		}
	}
	if info, err := os.Stat(outside); err != nil || info.Size() != 0 {
		t.Error("something was written outside")
	}
}

// A client that does not read keeps nobody waiting for ever.
func TestIdleClients(t *testing.T) {
	dir := private(t)
	refused := make(chan error, 2)
	serve(t, dir, fifo.Service{
		Patience: time.Nanosecond,
		Answer:   func(_ context.Context, _ string, reply io.Writer) { reply.Write(make([]byte, 1<<21)) },
		Refused:  func(_ string, err error) { refused <- err },
	})
	in, err := fifo.Open(t.Context(), filepath.Join(dir, "requests"), os.O_WRONLY|os.O_CREATE, fifo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := fifo.Make(filepath.Join(dir, "absent")); err != nil {
		t.Fatal(err)
	}
	write(t, in, "absent x\n")
	if err := <-refused; err == nil || !strings.Contains(err.Error(), "nobody reads the reply") {
		t.Errorf("not there: %v", err)
	}
	open(t, filepath.Join(dir, "idle"), os.O_RDONLY, fifo.Options{})
	write(t, in, "idle x\n")
	if err := <-refused; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("does not read: %v", err)
	}
}

func TestBadCalls(t *testing.T) {
	dir := private(t)
	serve(t, dir, fifo.Service{})
	if _, err := fifo.Call(t.Context(), dir, "two\nlines"); err == nil {
		t.Error("two lines were sent")
	}
	if _, err := fifo.Call(t.Context(), dir, strings.Repeat("x", fifo.MaxLine)); !errors.Is(err, fifo.ErrLong) {
		t.Errorf("too long: %v", err)
	}
	call(t, dir, "goes on", "GOES ON")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := fifo.Call(ctx, filepath.Join(dir, "nobody"), "x")
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "nobody serves here") {
		t.Errorf("without a server: %v", err)
	}
}

// Two servers at one fifo would steal each other's requests; after a kill the next one starts at once, and
// what the killed ones left is gone.
func TestOneServerAndAfterAKill(t *testing.T) {
	dir := private(t)
	for range 5 {
		first := player(t, "serves", dir)
		call(t, dir, "hello", "HELLO")
		if err := fifo.Serve(t.Context(), dir, fifo.Service{}); !errors.Is(err, fifo.ErrInUse) {
			t.Fatalf("a second server: %v", err)
		}
		// The request that stays without an answer.
		client := player(t, "calls", dir, "hang")
		for {
			if found, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf("c-%d-*", client.Process.Pid))); len(found) > 0 {
				break
			}
		}
		client.Process.Kill()
		client.Wait()
		first.Process.Kill()
		first.Wait()
	}
	stop := serve(t, dir, fifo.Service{})
	call(t, dir, "hello", "HELLO")
	stop()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// A reply that is cut by the server's death is no reply.
func TestServerDiesInAReply(t *testing.T) {
	dir := private(t)
	server := player(t, "serves", dir)
	done := make(chan error, 1)
	go func() {
		_, err := fifo.Call(t.Context(), dir, "half")
		done <- err
	}()
	for { // until it has written half of it
		if _, err := os.Lstat(filepath.Join(dir, "half-done")); err == nil {
			break
		}
	}
	server.Process.Kill()
	if err := <-done; !errors.Is(err, fifo.ErrLeft) {
		t.Errorf("got %v, want ErrLeft", err)
	}
}

func init() {
	plays["serves"] = func() {
		dir := os.Args[1]
		err := fifo.Serve(context.Background(), dir, fifo.Service{Answer: func(ctx context.Context, request string, reply io.Writer) {
			switch request {
			case "hang":
				<-ctx.Done()
			case "half":
				io.WriteString(reply, "half of ")
				os.WriteFile(filepath.Join(dir, "half-done"), nil, 0o600)
				<-ctx.Done()
			}
			io.WriteString(reply, strings.ToUpper(request))
		}})
		fmt.Fprintln(os.Stderr, err)
	}
	plays["calls"] = func() {
		fmt.Println(fifo.Call(context.Background(), os.Args[1], os.Args[2]))
	}
}
