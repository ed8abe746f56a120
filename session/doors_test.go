//go:build unix

package session_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func init() {
	programs["intruder"] = intrude
	programs["umasked"] = umasked
}

// A raw client writes frames by hand.
type raw struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func rawDial(t *testing.T, path string) *raw {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &raw{c, t, bufio.NewReader(c)}
}

func rawFrame(kind, lane byte, payload string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{kind, lane}, uint16(len(payload))), payload...)
}

// next returns the next frame; kind 0 is the end.
func (r *raw) next() (kind, lane byte, payload string) {
	head := make([]byte, 4)
	_ = r.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.ReadFull(r.r, head); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			r.t.Error("nothing comes")
		}
		return 0, 0, ""
	}
	b := make([]byte, binary.BigEndian.Uint16(head[2:]))
	if _, err := io.ReadFull(r.r, b); err != nil {
		r.t.Error(err)
	}
	return head[0], head[1], string(b)
}

// code is the code of the error event that the server sends before it closes,
// or "closed".
func (r *raw) code() string {
	for {
		kind, _, payload := r.next()
		switch kind {
		case 0:
			return "closed"
		case 6:
			var e struct{ Event, Code string }
			if json.Unmarshal([]byte(payload), &e) == nil && e.Event == "error" {
				if kind, _, _ := r.next(); kind != 0 {
					r.t.Errorf("after the error %s comes a frame of type %d", e.Code, kind)
				}
				return e.Code
			}
		}
	}
}

// Whatever is sent, the server says what is wrong and closes, and others go on.
func TestNonsenseHarmsNobody(t *testing.T) {
	dir := inRuntimeDir(t)
	serve(t, "sh", bash(), session.Options{})
	path := filepath.Join(dir, "spawnx", "sh", "control")
	other := expect.Attach(dial(t, session.Dialer{}, "sh").Bridge())

	hello := rawFrame(1, 0, `{"spawnx":1,"replay":"none"}`)
	for _, tt := range []struct {
		name, code string
		send       []byte
	}{
		{"nothing", "closed", nil},
		{"half a head", "closed", []byte{1, 0}},
		{"half a hello", "closed", hello[:10]},
		{"another first frame", "hello", rawFrame(6, 0, `{"id":1,"do":"stop"}`)},
		{"http", "hello", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
		{"a hello that is too long", "hello", rawFrame(1, 0, `{"spawnx":1,"who":"`+strings.Repeat("x", 5000)+`"}`)},
		{"a name that is too long", "hello", rawFrame(1, 0, `{"spawnx":1,"who":"`+strings.Repeat("x", 100)+`"}`)},
		{"no version", "hello", rawFrame(1, 0, `{}`)},
		{"no object", "hello", rawFrame(1, 0, `[1]`)},
		{"no JSON", "hello", rawFrame(1, 0, `{"spawnx":`)},
		{"no such role", "hello", rawFrame(1, 0, `{"spawnx":1,"role":"king"}`)},
		{"no such replay", "hello", rawFrame(1, 0, `{"spawnx":1,"replay":"later"}`)},
		{"a wrong size", "hello", rawFrame(1, 0, `{"spawnx":1,"rows":-1}`)},
		{"an offset beyond the output", "hello", rawFrame(1, 0, `{"spawnx":1,"replay":"offset","offset":99999999}`)},
		{"a frame that is too long", "protocol", append(hello, 2, 0, 0xff, 0xff)},
		{"data without an offset", "protocol", append(hello, rawFrame(2, 0, "abc")...)},
		{"data that does not follow", "protocol", append(hello, rawFrame(2, 0, "\x00\x00\x00\x00\x00\x00\x00\x07abc")...)},
		{"an impossible offset", "protocol", append(hello, rawFrame(2, 0, "\xff\xff\xff\xff\xff\xff\xff\xffabc")...)},
		{"an ack of what never came", "protocol", append(rawFrame(1, 0, `{"spawnx":1}`), rawFrame(3, 1, "\x00\x00\x00\x00\x00\xff\xff\xff")...)},
		{"control that is no object", "protocol", append(hello, rawFrame(6, 0, `3`)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rawDial(t, path)
			r.Write(tt.send)
			r.Conn.(*net.UnixConn).CloseWrite()
			if got := r.code(); got != tt.code {
				t.Errorf("%s, want %s", got, tt.code)
			}
		})
	}
	t.Run("what is not known is skipped", func(t *testing.T) {
		r := rawDial(t, path)
		r.Write(append(append(hello, rawFrame(99, 7, "whatever")...), rawFrame(6, 0, `{"id":5,"do":"dance","to":"music"}`)...))
		for {
			kind, _, payload := r.next()
			if kind == 0 {
				t.Fatal("closed")
			}
			if kind == 6 && strings.Contains(payload, `"id":5`) {
				if !strings.Contains(payload, `"code":"unknown"`) {
					t.Error(payload)
				}
				return
			}
		}
	})
	t.Run("noise", func(t *testing.T) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rnd := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
		for i := range 50 {
			r := rawDial(t, path)
			noise := make([]byte, 10_000)
			rnd.Read(noise)
			if i%2 == 1 {
				r.Write(hello)
			}
			r.Write(noise)
			r.Close()
		}
	})
	if out, err := other.Command(t.Context(), "echo still here"); err != nil || !strings.Contains(out, "still here") {
		t.Errorf("the other client: %q, %v", out, err)
	}
}

// Who says nothing, or one byte now and then, holds a place for 5 s at most,
// and never keeps others out.
func TestIdleConnectionsHarmNobody(t *testing.T) {
	n := 300
	if *heavy {
		n = 1000
	} else {
		t.Cleanup(session.SetHelloTime(time.Second)) // after the server is gone
	}
	dir := inRuntimeDir(t)
	serve(t, "sh", bash(), session.Options{})
	path := filepath.Join(dir, "spawnx", "sh", "control")
	other := expect.Attach(dial(t, session.Dialer{}, "sh").Bridge())
	var idle []net.Conn
	for range n {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
		c.Write([]byte{1})
	}
	if out, err := other.Command(t.Context(), "echo still here"); err != nil || !strings.Contains(out, "still here") {
		t.Errorf("who was there before: %q, %v", out, err)
	}
	if info, err := dial(t, session.Dialer{}, "sh").Info(t.Context()); err != nil || info.Name != "sh" || info.Clients != 2 {
		t.Errorf("who comes later: %+v, %v", info, err)
	}
	began := time.Now()
	for _, c := range idle { // they are all sent away, the last within 5 s of its coming
		_ = c.SetReadDeadline(time.Now().Add(60 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("an idle connection was never closed")
		}
	}
	t.Logf("%d idle connections gone after %v", n, time.Since(began))
}

func TestOnlyOneOfTheUserIsLetIn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can play another user")
	}
	restarts := 10
	if *heavy {
		restarts = 2000
	}
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	// All folders above are open to everybody: what protects is ours.
	dir := inRuntimeDir(t)
	open, err := os.MkdirTemp("", "o")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(open)
	if err := os.Chmod(open, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(open, "s")
	self, err := os.ReadFile(os.Args[0]) // in a folder that the other user may not enter
	if err != nil {
		t.Fatal(err)
	}
	intruder := filepath.Join(open, "intruder")
	if err := os.WriteFile(intruder, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(intruder, programPrefix+"intruder",
		filepath.Join(dir, "spawnx", "x", "control"), filepath.Join(dir, "spawnx", "x", "io.sock"), elsewhere, elsewhere+"b")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	until, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the intruder says %q", lines.Text())
	}
	says := make(chan string, 1000)
	go func() {
		defer close(says)
		for lines.Scan() {
			says <- lines.Text()
		}
	}()

	b, end := nowhere()
	defer end()
	for range restarts {
		name, err := session.Reserve("x")
		if err != nil {
			t.Fatal(err)
		}
		s, err := session.NewServer(b, session.Options{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		for _, addr := range []string{"spawnx:" + elsewhere, "unix:" + elsewhere + "b"} {
			if _, err := s.Listen(addr); err != nil {
				t.Fatal(err)
			}
		}
		c := dial(t, session.Dialer{}, "spawnx:"+elsewhere) // who may
		if err := errors.Join(c.Close(), s.Close(), name.Release()); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case what := <-says: // it could not even connect
		t.Errorf("the intruder says %q", what)
	default:
	}
	// And where the files would let everybody in, the kernel tells who calls.
	s, err := session.NewServer(b, session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen("spawnx:" + elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(elsewhere, 0o777); err != nil {
		t.Fatal(err)
	}
	if what := <-says; what != "refused "+elsewhere+" true" { // and told why
		t.Errorf("the intruder says %q", what)
	}
	dial(t, session.Dialer{}, "spawnx:"+elsewhere)
	_ = s.Close()
	_ = until.Close()
	last := ""
	for what := range says {
		if strings.HasPrefix(what, "inside") {
			t.Error(what)
		}
		last = what
	}
	t.Log(last)
	_ = cmd.Wait()
}

// intrude tries to get in at these sockets until its input ends: with the test,
// however that ends.
func intrude(paths []string) {
	end := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(end)
	}()
	fmt.Println("ready")
	for tries, open := 0, 0; ; {
		for _, path := range paths {
			tries++
			c, err := net.Dial("unix", path)
			if err != nil {
				continue
			}
			open++
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			c.Write(rawFrame(1, 0, `{"spawnx":1}`))
			said := make([]byte, 200)
			n, _ := io.ReadFull(c, said)
			if n > 0 && !strings.Contains(string(said[:n]), `"code":"user"`) {
				fmt.Println("inside", path)
			} else {
				fmt.Println("refused", path, n > 0)
			}
			c.Close()
		}
		select {
		case <-end:
			fmt.Println("tried", tries, "times, could connect", open, "times")
			return
		default:
		}
	}
}

// nowhere is the Bridge of a far side that writes nothing, until end.
func nowhere() (b *bridge.Bridge, end func()) {
	near, far := net.Pipe()
	return bridge.New(nil, bridge.NewStream(near, 0, 0), nil, bridge.NewInput(near, nil), nil), func() { far.Close() }
}

func TestTheNetworkNeedsTLSAndTheToken(t *testing.T) {
	inRuntimeDir(t)
	token := session.NewToken()
	spec := proc.Command("cat")
	spec.Stdio = proc.Pipes
	s, _ := serve(t, "cat", spec, session.Options{Token: token})
	addr, err := s.Listen("spawnx:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(addr, "spawnx:")
	ctx := t.Context()

	c := dial(t, session.Dialer{Token: token, Fingerprint: s.Fingerprint()}, addr)
	if info, err := c.Info(ctx); err != nil || info.Name != "cat" {
		t.Errorf("with all: %+v, %v", info, err)
	}
	t.Setenv("SPAWNX_TOKEN", string(token))
	dial(t, session.Dialer{Fingerprint: strings.ToUpper(s.Fingerprint())}, addr)
	t.Setenv("SPAWNX_TOKEN", "")
	os.Unsetenv("SPAWNX_TOKEN")

	for name, d := range map[string]session.Dialer{
		"no token":             {Fingerprint: s.Fingerprint()},
		"a short token":        {Fingerprint: s.Fingerprint(), Token: token[:20]},
		"a longer token":       {Fingerprint: s.Fingerprint(), Token: token + "x"},
		"a wrong token":        {Fingerprint: s.Fingerprint(), Token: session.NewToken()},
		"no fingerprint":       {Token: token},
		"a wrong fingerprint":  {Token: token, Fingerprint: strings.Repeat("ab", 32)},
		"half a fingerprint":   {Token: token, Fingerprint: s.Fingerprint()[:32]},
		"the token as another": {Token: session.Token(token.String()), Fingerprint: s.Fingerprint()},
	} {
		if c, err := d.Dial(ctx, addr); err == nil {
			c.Close()
			t.Errorf("%s: let in", name)
		} else if strings.Contains(err.Error(), string(token)) {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
	hello := fmt.Sprintf(`{"spawnx":1,"token":%q}`, string(token))
	plain, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	plain.Write(rawFrame(1, 0, hello))
	_ = plain.SetReadDeadline(time.Now().Add(30 * time.Second))
	if b, _ := io.ReadAll(plain); strings.Contains(string(b), "epoch") {
		t.Errorf("without TLS: %q", b)
	}
	if c, err := tls.Dial("tcp", host, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
		c.Close()
		t.Error("an old TLS was accepted")
	}

	// What a server must not open.
	for name, o := range map[string]session.Options{
		"no token":           {},
		"a short token":      {Token: "short"},
		"no such file":       {Token: token, Cert: "/nonexistent", Key: "/nonexistent"},
		"a key and no other": {Token: token, Key: "/nonexistent"},
	} {
		b, end := nowhere()
		s, err := session.NewServer(b, o)
		if name == "a short token" { // no door takes it
			if err == nil {
				t.Errorf("%s: there is a server", name)
				s.Close()
			}
			end()
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if at, err := s.Listen("spawnx:127.0.0.1:0"); err == nil {
			t.Errorf("%s: it listens at %s", name, at)
		}
		s.Close()
		end()
	}
	for _, addr := range []string{"tcp:0.0.0.0:0", "tcp::0", "tcp:[::]:0", "tcp:192.0.2.1:0", "ws:127.0.0.1:0", "cat", "spawnx:", "tcp:127.0.0.1"} {
		if at, err := s.Listen(addr); err == nil {
			t.Errorf("%s: it listens at %s", addr, at)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %q %x", token, session.Options{Token: token}, token, token, token, token); strings.Contains(got, string(token)) || strings.Contains(got, fmt.Sprintf("%x", string(token))) {
		t.Errorf("a token prints as %s", got)
	}
}

// The certificate is made once.
func TestTheFingerprintStays(t *testing.T) {
	inRuntimeDir(t)
	var all sync.WaitGroup
	prints := make(chan string, 8)
	for range cap(prints) {
		all.Go(func() {
			b, end := nowhere()
			defer end()
			s, err := session.NewServer(b, session.Options{Token: session.NewToken()})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if _, err := s.Listen("spawnx:127.0.0.1:0"); err != nil {
				t.Error(err)
			}
			prints <- s.Fingerprint()
		})
	}
	all.Wait()
	close(prints)
	first := <-prints
	for other := range prints {
		if other != first || len(first) != 64 {
			t.Errorf("fingerprints %s and %s", first, other)
		}
	}
}

// Whatever a client says behind its hello, it is greeted before it is told off.
func TestTheWelcomeComesFirst(t *testing.T) {
	b, end := nowhere()
	defer end()
	s, err := session.NewServer(b, session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 200 {
		near, far := net.Pipe()
		go s.ServeConn(far, "test")
		go near.Write(append(rawFrame(1, 0, `{"spawnx":1}`), rawFrame(2, 0, "too short")...))
		c := &raw{near, t, bufio.NewReader(near)}
		if kind, _, payload := c.next(); kind != 1 {
			t.Fatalf("the first frame is of type %d: %s", kind, payload)
		}
		if code := c.code(); code != "protocol" {
			t.Errorf("then it says %q", code)
		}
		near.Close()
	}
}

// Of many that want a path at the same moment one has it.
func TestOneOfManyGetsThePath(t *testing.T) {
	dir := inRuntimeDir(t)
	for round := range 50 {
		path := filepath.Join(dir, fmt.Sprint("s", round))
		var got atomic.Int32
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if l, err := session.ListenPrivate(path); err == nil {
					got.Add(1)
					defer l.Close()
					conn, err := net.Dial("unix", path)
					if err != nil {
						t.Error(err)
						return
					}
					conn.Close()
					defer time.AfterFunc(30*time.Second, func() { l.Close() }).Stop()
					if _, err := l.Accept(); err != nil { // it was another's
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if got.Load() == 0 {
			t.Errorf("nobody has it")
		}
	}
}

// A umask that takes our own rights away does not keep us from our folders and
// sockets. Root never misses them, so this is done as somebody else.
func TestTheUmaskDoesNotMatter(t *testing.T) {
	dir := inRuntimeDir(t)
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "umasked")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, programPrefix+"umasked", filepath.Join(dir, "fifos"))
	cmd.Dir = dir
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "served\n" {
		t.Errorf("%s, %v", out, err)
	}
}

func umasked(args []string) {
	syscall.Umask(0o177)
	b, end := nowhere()
	defer end()
	name, err := session.Reserve("x")
	if err == nil {
		var s *session.Server
		if s, err = session.NewServer(b, session.Options{Name: name}); err == nil {
			err = errors.Join(s.ListenFifo(args[0]), s.Close())
		}
		err = errors.Join(err, name.Release())
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("served")
}

// Programs that know no protocol get the bytes, one after the other all of
// them.
func TestBareBytes(t *testing.T) {
	dir := inRuntimeDir(t)
	spec := proc.Command("sh", "-c", `echo begin; while read line; do echo "got $line"; done`)
	spec.Stdio = proc.Pipes
	s, _ := serve(t, "job", spec, session.Options{})
	tcp, err := s.Listen("tcp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	talk := func(network, addr, line, want string) {
		t.Helper()
		c, err := net.Dial(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(c, line)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); string(got) != want {
			t.Errorf("%s: %q, %v; want %q", addr, got, err, want)
		}
	}
	path := filepath.Join(dir, "spawnx", "job", "io.sock")
	talk("unix", path, "one\n", "begin\ngot one\n")
	talk("unix", path, "two\n", "got two\n")
	talk("tcp", strings.TrimPrefix(tcp, "tcp:"), "three\n", "got three\n")
	c := dial(t, session.Dialer{}, "job")
	con := expect.Attach(c.Bridge())
	if _, err := con.Expect(t.Context(), expect.Text("begin\ngot one\ngot two\ngot three\n")); err != nil {
		t.Error(err)
	}
}

// A web page can have a browser connect to this machine, and choose much of what
// is sent then. Nothing of it reaches the program.
func TestABrowserIsNotLetInToBareBytes(t *testing.T) {
	inRuntimeDir(t)
	s, _ := serve(t, "job", onPipes(`while read line; do echo "got $line"; done`), session.Options{})
	at, err := s.Listen("tcp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, sent := range []string{
		"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nrm -rf ~\n",
		"GET /" + strings.Repeat("x", 40<<10) + "\nrm -rf ~\n",
		"CONNECT host:443 HTTP/1.1\nrm -rf ~\n",
		"\x16\x03\x01\x02\x00\nrm -rf ~\n",
		"\x00\x01\x00\x20\x21\x12\xa4\x42\nrm -rf ~\n",
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(at, "tcp:"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(c, sent) // may fail half way: it is closed
		if got, err := io.ReadAll(c); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after %.20q: %q, %v; want it closed", sent, got, err)
		}
		c.Close()
	}
	c, err := net.Dial("tcp", strings.TrimPrefix(at, "tcp:"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	for _, line := range []string{"GET it\n", "POST / HTTP/1.1\n"} { // the second is no beginning
		io.WriteString(c, line)
		want := "got " + line
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

// Whoever says a word at a bare door and leaves takes no place from others for
// ever, although a program that writes nothing never finds that they are gone.
func TestBareConnectionsThatAreGoneGiveWay(t *testing.T) {
	dir := inRuntimeDir(t)
	serve(t, "sink", onPipes("exec wc -l"), session.Options{})
	const most = 128 // of one user
	for range most + 20 {
		c, err := net.Dial("unix", filepath.Join(dir, "spawnx", "sink", "io.sock"))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "a word\n")
		c.Close()
	}
	eventually(t, "there is room for one more", func() bool {
		c, err := session.Dial(t.Context(), "sink")
		if err != nil {
			return false // the server has yet to read what the others said
		}
		c.Close()
		return true
	})
}

// A client that asks much at once gets all its answers, and the server does not
// begin everything at the same time.
func TestAClientThatAsksMuch(t *testing.T) {
	dir := inRuntimeDir(t)
	serve(t, "cat", onPipes("exec cat"), session.Options{})
	c := rawDial(t, filepath.Join(dir, "spawnx", "cat", "control"))
	c.Write(rawFrame(1, 0, `{"spawnx":1,"role":"observer","replay":"none"}`))
	c.next()
	before := runtime.NumGoroutine()
	const many = 500
	go func() {
		for id := range many {
			c.Write(rawFrame(6, 0, fmt.Sprintf(`{"id":%d,"do":"why"}`, id+1)))
		}
	}()
	most := 0
	for range many {
		if kind, _, payload := c.next(); kind != 6 || !strings.Contains(payload, `"ok":true`) {
			t.Fatalf("%d %q", kind, payload)
		}
		most = max(most, runtime.NumGoroutine()-before)
	}
	if most > 100 {
		t.Errorf("%d goroutines for %d requests", most, many)
	}
}

// Whoever comes while others, who have everything, are about to be sent away,
// gets all of the output.
func TestWhoComesWhenAllIsOver(t *testing.T) {
	dir := inRuntimeDir(t)
	const leaveTime = 500 * time.Millisecond
	defer session.SetLeaveTime(leaveTime)()
	s, b := serve(t, "job", streamSpec(500_000), session.Options{})
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = s.Wait(context.Background())
		_ = s.Close()
	}()
	stays := dial(t, session.Dialer{}, "job")
	if _, err := b.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := rawDial(t, filepath.Join(dir, "spawnx", "job", "control")) // it is a client with its hello
	if _, err := stays.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Write(rawFrame(1, 0, `{"spawnx":1,"role":"observer"}`))
	var got int
	var last string
	for slow := true; ; {
		kind, lane, payload := c.next()
		if kind == 2 && lane == 1 {
			got += len(payload) - 8
		}
		if slow && got >= 256<<10 { // all that comes without an answer of ours
			time.Sleep(2 * leaveTime) // longer than who has everything is waited for
			slow = false
		}
		if !slow && kind == 2 {
			c.Write(rawFrame(3, 1, string(binary.BigEndian.AppendUint64(nil, uint64(got)))))
		}
		if kind == 0 || strings.Contains(payload, `"event":"exit"`) {
			last = payload
			break
		}
	}
	if got != 500_000 || !strings.Contains(last, "exit") {
		t.Errorf("%d bytes, and at the end %q", got, last)
	}
	c.Close()
	stays.Close()
	<-left
}

// A command line may be longer than a frame.
func TestALongCommandLine(t *testing.T) {
	inRuntimeDir(t)
	spec := proc.Command("sh", append([]string{"-c", "read line; exit 3"}, slices.Repeat([]string{"", strings.Repeat("ä\x01", 1000)}, 50)...)...)
	serve(t, "job", spec, session.Options{})
	c := dial(t, session.Dialer{}, "job")
	info, err := c.Info(t.Context())
	all := strings.Join(info.Args, " ")
	if err != nil || !strings.HasPrefix(all, "sh -c read line; exit 3 ") || !strings.HasSuffix(all, "ä…") && !strings.HasSuffix(all, "\x01…") {
		t.Errorf("%q, %v", all, err)
	}
	if st := c.Bridge().Stats(); st.Peer.PID == 0 || len(st.Peer.Args) < 4 {
		t.Errorf("%+v", st.Peer)
	}
	if s, err := session.NewServer(c.Bridge(), session.Options{Prompt: strings.Repeat("x", 5000)}); err == nil {
		t.Error("a prompt that no hello could hold")
		s.Close()
	}
	if listed, err := session.List(t.Context()); err != nil || len(listed) != 1 || listed[0].Error != "" {
		t.Errorf("%+v, %v", listed, err)
	}
}

// A socket that somebody serves, a file and a place of another's are not
// taken; what a dead server left is.
func TestWhereASocketCanBe(t *testing.T) {
	dir := inRuntimeDir(t)
	s, _ := serve(t, "cat", onPipes("cat"), session.Options{})
	path := filepath.Join(dir, "s")
	at, err := s.Listen("spawnx:" + path)
	if err != nil || at != "spawnx:"+path {
		t.Fatalf("%s, %v", at, err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".x*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	if _, err := s.Listen("spawnx:" + path); err == nil || !strings.Contains(err.Error(), "served by another") {
		t.Errorf("a place that is taken: %v", err)
	}
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen("unix:" + file); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file: %v", err)
	}
	if err := os.Symlink(path, filepath.Join(dir, "l")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen("unix:" + filepath.Join(dir, "l")); err == nil {
		t.Error("a link was replaced")
	}
	if _, err := s.Listen("unix:" + filepath.Join(dir, strings.Repeat("x", 120))); err == nil || !strings.Contains(err.Error(), "107 bytes") {
		t.Errorf("a long path: %v", err)
	}
	stale := filepath.Join(dir, "d")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := s.Listen("spawnx:" + stale); err != nil {
		t.Errorf("a dead server's: %v", err)
	}
	dial(t, session.Dialer{}, "spawnx:"+stale)
}
