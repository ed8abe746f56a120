//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/bridge/fifo"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/procfs"
	"github.com/spawnx/spawnx/internal/rundir"
	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// Nobody gets in, nothing gets out.
var doorCases = []fault{
	{ID: "F12", What: "a client that leaves at random and comes back at its offset (20 times; in a whole run 1,000): what it got is the whole, once", Off: "coming back at the start", Quick: 1, Full: 5, Run: comeBack},
	{ID: "F34", What: "another user who tries to connect without a pause while servers come and go with umask 000 (20; in a whole run 2,000): never let in", Off: "a socket that is closed to others after it was made", Quick: 1, Full: 1, Tries: 5, Root: true, Run: otherUser},
	{ID: "F35", What: "a link, folder, fifo, file or hard link planted where a folder or fifo of ours goes: refused, the victim as it was", Off: "opening what is there", Quick: 1, Full: 20, Run: planted},
	{ID: "F36", What: "TCP without TLS, without a token, with a short or wrong one, guesses; bare TCP on all addresses: nobody in, refused", Off: "bare TCP on loopback, which is open to this machine", Quick: 1, Full: 4, Run: overTCP},
	{ID: "F38", What: "garbage, torn and oversized frames, connections that say nothing (50; in a whole run 1,000): honest clients are served, memory is bounded", Off: "a server that reads one client after the other", Quick: 1, Full: 5, Run: garbage},
	{ID: "F39", What: "a password by env, file and command, echoed by the program: in no log, recording, error or argument list", Off: "the password as an argument", Quick: 3, Full: 30, Run: passwordShows},
	{ID: "F40", What: "titles, answer-backs, clipboard, C1, bidi in output and arguments: not in errors nor in `why`; arguments arrive as they are", Off: "printing what came", Quick: 1, Full: 20, Run: escapesShow},
}

func init() {
	testprog.Register("doors", doorsHost)
	testprog.Register("intruder", intruderHost)
}

// serve starts a program, with a server on a socket in a folder of ours.
func (t *T) serve(s proc.Spec, o session.Options) (b *bridge.Bridge, server *session.Server, addr string, end func()) {
	b, err := bridge.Start(t, s)
	t.Must(err)
	server, err = session.NewServer(b, o)
	t.Must(err)
	addr, err = server.Listen("spawnx:" + filepath.Join(t.Dir, "door"))
	t.Must(err)
	return b, server, addr, func() {
		_ = server.Close()
		_ = b.Close()
	}
}

func comeBack(t *T) {
	const n = 900_000 // of the 1 MiB that is kept for who comes back
	want := testprog.Pattern(n, 1)
	t.Must(os.Chmod(t.Dir, 0o700))
	_, _, addr, end := t.serve(t.spec(proc.Pipes, testprog.Args("gen", strconv.Itoa(n), "0")...), session.Options{})
	defer end()
	visits := 1000
	if t.Quick {
		visits = 20
	}
	var got []byte
	for len(got) < n {
		from := session.FromOffset(int64(len(got)))
		if !t.Defended {
			from = session.From{}
		}
		c, err := session.Dialer{From: from}.Dial(t, addr)
		t.Must(err)
		piece := make([]byte, 1+t.Rand.IntN(2*n/visits))
		r := c.Bridge().Output().Reader("visit", bridge.Block)
		k, err := io.ReadAtLeast(r, piece, min(len(piece), n-len(got)))
		got = append(got, piece[:k]...)
		_ = c.Close()
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			t.Fatalf("%v after %d bytes", err, len(got))
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes, and they are others", len(got))
	}
}

// doorsHost opens and closes doors with umask 000.
func doorsHost(args []string) int {
	unix.Umask(0)
	n, _ := strconv.Atoi(args[1])
	for i := range n {
		if args[0] == "true" {
			name, err := session.Reserve("x")
			if err != nil {
				fmt.Println(err)
				return 1
			}
			b, err := bridge.Start(context.Background(), proc.Spec{Args: []string{"cat"}, Stdio: proc.Pipes})
			if err != nil {
				fmt.Println(err)
				return 1
			}
			s, err := session.NewServer(b, session.Options{Name: name})
			if err != nil {
				fmt.Println(err)
				return 1
			}
			_ = s.Close()
			_ = b.Close()
			_ = name.Release()
		} else {
			dir := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "spawnx", "x")
			_ = os.MkdirAll(dir, 0o755)
			l, err := net.Listen("unix", filepath.Join(dir, "control"))
			if err != nil {
				fmt.Println(err)
				return 1
			}
			_ = os.Chmod(filepath.Join(dir, "control"), 0o600)
			time.Sleep(time.Duration(i%3) * time.Millisecond)
			_ = l.Close()
		}
	}
	return 0
}

// intruderHost connects to sockets, again and again, and says how often it came in. It ends with its input.
func intruderHost(args []string) int {
	over := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(over) }()
	in := 0
	fmt.Println("ready")
	for {
		for _, path := range args {
			if c, err := net.Dial("unix", path); err == nil {
				in++
				_ = c.Close()
			}
		}
		select {
		case <-over:
			fmt.Println(in)
			return 0
		default:
		}
	}
}

func otherUser(t *T) {
	n := 2000
	if t.Quick {
		n = 20
	}
	if !t.Defended {
		n = 300
	}
	doors := []string{t.Dir + "/spawnx/x/control", t.Dir + "/spawnx/x/io.sock"}
	intruder := t.command(t.reachable(testprog.Args("intruder", doors...))...)
	intruder.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	in, err := intruder.StdinPipe()
	t.Must(err)
	out, err := intruder.StdoutPipe()
	t.Must(err)
	t.Must(intruder.Start())
	line := t.lines(out)
	line()
	host := t.command(testprog.Args("doors", fmt.Sprint(t.Defended), strconv.Itoa(n))...)
	host.Env = append(host.Env, "XDG_RUNTIME_DIR="+t.Dir)
	if msg, err := host.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, msg)
	}
	_ = in.Close()
	if got := line(); got != "0" {
		t.Errorf("let in %s times", got)
	}
	_ = intruder.Wait()
}

func planted(t *T) {
	t.Must(os.Chmod(t.Dir, 0o700))
	victim := filepath.Join(t.Dir, "victim")
	t.Must(os.WriteFile(victim, []byte("precious"), 0o600))
	plants := map[string]func(path string) error{
		"link":      func(p string) error { return os.Symlink(victim, p) },
		"link out":  func(p string) error { return os.Symlink("/etc", p) },
		"hard link": func(p string) error { return os.Link(victim, p) },
		"file":      func(p string) error { return os.WriteFile(p, []byte("x"), 0o666) },
		"folder":    func(p string) error { t.Must(os.Mkdir(p, 0o777)); return os.Chmod(p, 0o777) },
	}
	if os.Geteuid() == 0 {
		plants["a stranger's fifo"] = func(p string) error {
			t.Must(unix.Mkfifo(p, 0o666))
			return os.Chown(p, 65534, 65534)
		}
	}
	for what, plant := range plants {
		path := filepath.Join(t.Dir, strings.ReplaceAll(what, " ", "-"))
		t.Must(plant(path))
		if t.Defended {
			if err := rundir.Private(path); err == nil {
				t.Errorf("%s: taken as a private folder", what)
			}
			f, err := fifo.Open(t, path, os.O_RDONLY|os.O_CREATE, fifo.Options{})
			if err == nil {
				_ = f.Close()
				t.Errorf("%s: taken as a fifo", what)
			}
			continue
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|unix.O_NONBLOCK, 0o600)
		if err == nil {
			_, _ = f.WriteString("secret!!")
			_ = f.Close()
		}
	}
	if data, err := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("the victim is %q, %v", data, err)
	}
}

func overTCP(t *T) {
	token := session.NewToken()
	b, err := bridge.Start(t, t.spec(proc.Pipes, "sh", "-c", "echo hello; cat"))
	t.Must(err)
	defer b.Close()
	// The certificate lies in a folder of this run.
	restore := setenv("XDG_STATE_HOME", t.Dir)
	defer restore()
	server, err := session.NewServer(b, session.Options{Token: token})
	t.Must(err)
	defer server.Close()
	if !t.Defended {
		addr, err := server.Listen("tcp:127.0.0.1:0")
		t.Must(err)
		c, err := net.Dial("tcp", strings.TrimPrefix(addr, "tcp:"))
		t.Must(err)
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if n, _ := c.Read(make([]byte, 10)); n > 0 {
			t.Errorf("let in")
		}
		return
	}
	for _, open := range []string{"tcp:0.0.0.0:0", "tcp::0", "tcp:[::]:0"} {
		if addr, err := server.Listen(open); err == nil {
			t.Errorf("%s became %s", open, addr)
		}
	}
	addr, err := server.Listen("spawnx:127.0.0.1:0")
	t.Must(err)
	host := strings.TrimPrefix(addr, "spawnx:")
	hello := func(tok string) []byte {
		body := []byte(fmt.Sprintf(`{"spawnx":1,"token":%q}`, tok))
		return append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
	}
	bare, err := net.Dial("tcp", host)
	t.Must(err)
	_, _ = bare.Write(hello(string(token)))
	t.refused("TCP without TLS", bare)
	guesses := []string{"", "x", string(token[:len(token)-1]), string(token) + "x", strings.Repeat("0", len(token))}
	for range map[bool]int{true: 5, false: 200}[t.Quick] {
		guesses = append(guesses, string(session.NewToken()))
	}
	for i, guess := range guesses {
		c, err := tls.Dial("tcp", host, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			continue // refused before it could guess
		}
		_, _ = c.Write(hello(guess))
		t.refused(fmt.Sprintf("guess %d", i), c)
	}
	ctx, cancel := context.WithTimeout(t, time.Minute)
	defer cancel()
	c, err := session.Dialer{Token: token, Fingerprint: server.Fingerprint()}.Dial(ctx, addr)
	if err != nil {
		t.Fatalf("with the token: %v", err)
	}
	_ = c.Close()
	if c, err := (session.Dialer{Token: token, Fingerprint: strings.Repeat("0", 64)}).Dial(ctx, addr); err == nil {
		_ = c.Close()
		t.Errorf("a client took another server's certificate")
	}
}

// refused complains if the far end says more than an error.
func (t *T) refused(what string, c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	got, err := io.ReadAll(io.LimitReader(c, 4096))
	if bytes.Contains(got, []byte("hello\n")) || bytes.Contains(got, []byte(`"epoch"`)) {
		t.Errorf("%s: let in: %.200q", what, got)
	}
	if err != nil && os.IsTimeout(err) {
		t.Errorf("%s: the connection stays open", what)
	}
}

func setenv(name, value string) (restore func()) {
	old, was := os.LookupEnv(name)
	_ = os.Setenv(name, value) // the name is right
	return func() {
		if was {
			_ = os.Setenv(name, old)
		} else {
			_ = os.Unsetenv(name)
		}
	}
}

func garbage(t *T) {
	t.Must(os.Chmod(t.Dir, 0o700))
	idle := 1000
	if t.Quick {
		idle = 50
	}
	path := filepath.Join(t.Dir, "door")
	var addr string
	if t.Defended {
		var end func()
		_, _, addr, end = t.serve(t.spec(proc.Pipes, "cat"), session.Options{})
		defer end()
	} else {
		l, err := net.Listen("unix", path)
		t.Must(err)
		defer l.Close()
		go func() { // one after the other, and as much as they say
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				var n uint32
				if binary.Read(c, binary.BigEndian, &n) == nil {
					_, _ = io.ReadFull(c, make([]byte, n))
				}
				_ = c.Close()
			}
		}()
		addr = "spawnx:" + path
	}
	connect := func() net.Conn {
		c, err := net.Dial("unix", path)
		if err != nil {
			return nil // too many: also an answer
		}
		return c
	}
	var silent []net.Conn
	for range idle {
		if c := connect(); c != nil {
			silent = append(silent, c)
		}
	}
	defer func() {
		for _, c := range silent {
			_ = c.Close()
		}
	}()
	before := freshPeak()
	var wg sync.WaitGroup
	for i := range 100 {
		data := make([]byte, t.Rand.IntN(2000))
		for j := range data {
			data[j] = byte(t.Rand.Uint32())
		}
		switch i % 4 {
		case 0: // a frame as long as can be said
			data = []byte{1, 0, 0xff, 0xff, '{'}
		case 1: // torn
			data = []byte{1, 0, 1, 0, '{', '"'}
		}
		c := connect()
		if c == nil {
			continue
		}
		wg.Go(func() {
			_, _ = c.Write(data)
			_ = c.(*net.UnixConn).CloseWrite()
			_ = c.SetDeadline(time.Now().Add(pick(t, 20*time.Second, time.Second)))
			_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<16))
			_ = c.Close()
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t, pick(t, 30*time.Second, 700*time.Millisecond))
	defer cancel()
	dial := func() (*session.Client, error) {
		for {
			c, err := session.Dial(ctx, addr)
			if err == nil || ctx.Err() != nil {
				return c, err
			}
			time.Sleep(50 * time.Millisecond) // a cap on connections counts those that say nothing for 5 s
		}
	}
	c, err := dial()
	if err != nil {
		t.Fatalf("an honest client: %v", err)
	}
	defer c.Close()
	con := expect.Attach(c.Bridge())
	t.Must(con.SendLine("honest"))
	if _, err := con.Expect(ctx, expect.Text("honest\n")); err != nil {
		t.Errorf("an honest client: %v", err)
	}
	if grown := peak() - before; grown > 100<<10 {
		t.Errorf("%d MiB more memory", grown>>10)
	}
}

func passwordShows(t *T) {
	secret := fmt.Sprintf("hunter%dü%x", t.Rand.Uint32(), t.Rand.Uint32())
	reversed := func() string {
		b := []byte(secret)
		for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
		return string(b)
	}()
	hidden := t.Dir + "/../hidden" + strconv.Itoa(os.Getpid())
	t.Must(os.WriteFile(hidden, []byte(secret+"\n"), 0o600))
	defer os.Remove(hidden)
	ref := []string{"env:PW", "file:" + hidden, "cmd:cat " + hidden}[t.Round%3]
	program := testprog.Args("password", reversed, strconv.Itoa(t.Rand.IntN(100)))
	var cmd *exec.Cmd
	if t.Defended {
		cmd = t.command(append([]string{t.Spawnx, "run", "--on", "Password: => <secret " + ref + ">", "--on", "welcome => <fail as we wanted>",
			"--log", t.Dir + "/log", "--record", t.Dir + "/session.cast"}, program...)...)
	} else {
		cmd = t.command("sh", "-c", `sleep 0.3; echo welcome; exit 1`, "sh", "--password="+secret)
	}
	cmd.Env = append(cmd.Env, "PW="+secret)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	t.Must(cmd.Start())
	over := make(chan struct{})
	go func() { _ = cmd.Wait(); close(over) }()
	for running := true; running; {
		select {
		case <-over:
			running = false
		case <-time.After(5 * time.Millisecond):
		}
		pids, _ := procfs.PIDs()
		for _, pid := range pids {
			if strings.Contains(command(pid), secret) {
				t.Errorf("the arguments of %d hold it", pid)
				running = false
			}
		}
	}
	<-over
	if !strings.Contains(stdout.String(), "welcome") {
		t.Errorf("the password was not taken: %.300q %.300q", stdout.String(), stderr.String())
	}
	// What is shown live is the program's own; what is written down is not.
	if strings.Contains(stderr.String(), secret) {
		t.Errorf("the error holds it: %q", stderr.String())
	}
	if files := grep(t.Dir, secret, strings.ToUpper(fmt.Sprintf("%x", secret)), fmt.Sprintf("%x", secret)); len(files) > 0 {
		t.Errorf("it is in %v", files)
	}
	if t.Defended && len(grep(t.Dir, "debug: pass=")) == 0 {
		t.Errorf("nothing was logged")
	}
}

func escapesShow(t *T) {
	t.Must(os.Chmod(t.Dir, 0o700))
	var shown bytes.Buffer
	if !t.Defended {
		cmd := t.command(testprog.Args("escapes")...)
		out, _ := cmd.Output()
		shown.Write(out)
	} else {
		cmd := t.command(append([]string{t.Spawnx, "run", "-q", "--on", "never => x", "--timeout", "500ms"}, testprog.Args("escapes", testprog.Nasty)...)...)
		cmd.Stderr = &shown
		if st := status(cmd.Run()); st != 124 {
			t.Errorf("status %d", st)
		}
		if shown.Len() == 0 {
			t.Errorf("nothing was said")
		}
		sleeper := t.command("sh", "-c", "read x; exit 0", testprog.Nasty)
		in, err := sleeper.StdinPipe()
		t.Must(err)
		t.Must(sleeper.Start())
		out, err := t.command(t.Spawnx, "why", strconv.Itoa(sleeper.Process.Pid)).CombinedOutput()
		if err != nil {
			t.Errorf("why: %v: %q", err, out)
		}
		shown.Write(out)
		_ = in.Close()
		named := t.command(t.Spawnx, "run", "-d", "--name", "nasty", "cat", testprog.Nasty)
		list := t.command(t.Spawnx, "list")
		for _, cmd := range []*exec.Cmd{named, list} {
			cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+t.Dir)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %v: %q", cmd.Args[1], err, out)
			}
			shown.Write(out)
		}
		if !strings.Contains(shown.String(), "nasty") {
			t.Errorf("list does not name it: %q", shown.String())
		}
		_ = sleeper.Wait()
		words := []string{"", "a b", "$(id)", "; rm -rf /", "`x`", "\n", "\xff", testprog.Nasty, "-x", "*"}
		out, err = t.command(append(append([]string{t.Spawnx, "run"}, testprog.Args("argv")...), words...)...).Output()
		t.Must(err)
		for i, l := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
			if i >= len(words) || l != strconv.Quote(words[i]) {
				t.Errorf("argument %d arrived as %s", i, l)
			}
		}
	}
	for _, r := range shown.String() {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			t.Errorf("%q is in %q", r, shown.String())
			return
		}
	}
}
