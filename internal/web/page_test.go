//go:build linux

package web_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/internal/web"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// serve starts a program under the name "prog" and the page beside it.
func serve(t *testing.T, drive bool, args ...string) *httptest.Server {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	share(t, "prog", args...)
	return page(t, drive)
}

// share starts a program under a name.
func share(t *testing.T, as string, args ...string) {
	t.Helper()
	shareSpec(t, as, proc.Command(args[0], args[1:]...))
}

func shareSpec(t *testing.T, as string, spec proc.Spec) {
	t.Helper()
	name, err := session.Reserve(as)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bridge.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.NewServer(b, session.Options{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); b.Close(); name.Release() })
}

func page(t *testing.T, drive bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	h := web.NewHandler(web.Options{Token: "right", Hosts: web.Hosts(server.Listener.Addr()), Drive: drive, Name: "prog"})
	server.Config.Handler = h
	server.Start()
	t.Cleanup(func() { h.Close(); server.Close() })
	return server
}

// open opens a socket as a page does.
func open(t *testing.T, server *httptest.Server, hello string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {server.URL}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(64 << 20)
	say(t, conn, hello)
	return conn
}

func say(t *testing.T, conn *websocket.Conn, message string) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

// hear reads messages until one, of JSON or of output, holds the text.
func hear(t *testing.T, conn *websocket.Conn, text string) string {
	t.Helper()
	var all strings.Builder
	for !strings.Contains(all.String(), text) {
		kind, data, err := conn.Read(t.Context())
		if err != nil {
			t.Fatalf("no %q in %q: %v", text, all.String(), err)
		}
		if kind == websocket.MessageBinary {
			data = data[9:]
		}
		all.Write(data)
	}
	return all.String()
}

func TestATerminalInThePage(t *testing.T) {
	server := serve(t, true, "sh", "-c", "printf 'name? '; read n; echo hello $n; exec cat")
	conn := open(t, server, `{"token":"right","open":"terminal","name":"prog"}`)
	hear(t, conn, "name? ")
	if err := conn.Write(t.Context(), websocket.MessageBinary, []byte("Ada\r")); err != nil {
		t.Fatal(err)
	}
	hear(t, conn, "hello Ada")
	say(t, conn, `{"resize":[30,100]}`)
	hear(t, conn, `"cols":100`)
	// a second page sees the same, painted
	hear(t, open(t, server, `{"token":"right","open":"terminal","name":"prog"}`), "hello Ada")
	hear(t, open(t, server, `{"token":"right","open":"text","name":"prog"}`), `hello Ada`)
}

func TestAPageThatWatches(t *testing.T) {
	server := serve(t, false, "sh", "-c", "printf 'name? '; read n; echo got it")
	conn := open(t, server, `{"token":"right","open":"terminal","name":"prog"}`)
	hear(t, conn, "name? ")
	if err := conn.Write(t.Context(), websocket.MessageBinary, []byte("Ada\r")); err != nil {
		t.Fatal(err)
	}
	say(t, conn, `{"resize":[30,100]}`)
	c, err := session.Dial(t.Context(), "prog")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Bridge().Input().Write([]byte("B\r")); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, conn, "got it"); strings.Contains(got, "Ada") || strings.Contains(got, `"cols":100`) {
		t.Errorf("who watches has typed: %q", got)
	}
}

// A page that shows nothing holds the program up for a moment only, and what was
// under way to it is little.
func TestAPageThatDoesNotKeepUp(t *testing.T) {
	server := serve(t, true, "sh", "-c", "read x; seq 1 1000000; echo done; exec cat")
	conn := open(t, server, `{"token":"right","open":"terminal","name":"prog"}`)
	if err := conn.Write(t.Context(), websocket.MessageBinary, []byte("\r")); err != nil {
		t.Fatal(err)
	}
	other := open(t, server, `{"token":"right","open":"terminal","name":"prog"}`)
	shown(t, other, "done")
	// now it acknowledges what came: and gets a picture, not megabytes
	if n := shown(t, conn, "done"); n > 4<<20 { // what the rings on the way hold
		t.Errorf("%d bytes were sent to a page that had shown nothing", n)
	}
}

// shown reads output until it holds the text, acknowledges it, and counts it.
func shown(t *testing.T, conn *websocket.Conn, text string) (n int) {
	t.Helper()
	var tail string
	for !strings.Contains(tail, text) {
		kind, data, err := conn.Read(t.Context())
		if err != nil {
			t.Fatalf("no %q behind %q: %v", text, tail, err)
		}
		if kind != websocket.MessageBinary {
			continue
		}
		n += len(data)
		tail = tail[max(0, len(tail)-100):] + string(data[9:])
		ack, _ := json.Marshal(map[string]any{"ack": int64(binary.BigEndian.Uint64(data[1:])) + int64(len(data)-9)})
		say(t, conn, string(ack))
	}
	return n
}

// A program on pipes has no screen: a page that did not keep up is told what is
// missing, and goes on.
func TestAPageThatDoesNotKeepUpWithPipes(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	spec := proc.Command("sh", "-c", "printf 'one\\ntwo\\n'; read x; seq 1 1000000; echo done; exec cat")
	spec.Stdio = proc.Pipes
	shareSpec(t, "prog", spec)
	server := page(t, true)
	text := open(t, server, `{"token":"right","open":"text","name":"prog"}`)
	if got := hear(t, text, "two"); !strings.Contains(got, `one\ntwo`) {
		t.Errorf("lines as a terminal without anybody's CR shows them: %q", got)
	}
	conn := open(t, server, `{"token":"right","open":"terminal","name":"prog"}`)
	hear(t, conn, "two")
	if err := conn.Write(t.Context(), websocket.MessageBinary, []byte("\n")); err != nil {
		t.Fatal(err)
	}
	hear(t, text, "done") // the program was not held up
	shown(t, conn, "bytes are missing here")
	shown(t, conn, "done")
}

// A page that types to a program which does not read, and goes, leaves nothing behind.
func TestPagesThatTypeAndGo(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	spec := proc.Command("sleep", "1000")
	spec.Stdio = proc.Pipes
	shareSpec(t, "prog", spec)
	server := page(t, true)
	const most = 64 // sockets
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for i := range most + 6 {
		kind := []string{"terminal", "text"}[i%2]
		conn := open(t, server, `{"token":"right","open":"`+kind+`","name":"prog"}`)
		size := 100
		if i < 2 {
			size = 200 << 10 // more than there is room for
		}
		for range 3 {
			message, text := websocket.MessageBinary, strings.Repeat("x", size)
			if kind == "text" {
				message, text = websocket.MessageText, `{"type":"`+text+`"}`
			}
			if err := conn.Write(ctx, message, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := conn.Read(ctx); err != nil { // it is joined
			t.Fatalf("page %d: %v", i, err)
		}
		conn.Close(websocket.StatusNormalClosure, "")
	}
}

func TestWhoDoesNotGetIn(t *testing.T) {
	server := serve(t, true, "cat")
	for _, tt := range []struct {
		hello string
		code  websocket.StatusCode
	}{
		{`{"open":"terminal","name":"prog"}`, 4401},
		{`{"token":"wrong","open":"terminal","name":"prog"}`, 4401},
		{`{"token":"right","open":"terminal","name":"other"}`, 4404},
		{`{"token":"right","open":"debugger","name":"other"}`, 4404},
		{`{"token":"right","open":"nonsense"}`, websocket.StatusPolicyViolation},
		{`nonsense`, websocket.StatusPolicyViolation},
	} {
		conn := open(t, server, tt.hello)
		if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != tt.code {
			t.Errorf("%s: %v, want %d", tt.hello, err, tt.code)
		}
	}
	for _, tt := range []struct {
		header http.Header
		want   int
	}{
		{http.Header{"Origin": {"http://evil.example"}}, 403},
		{http.Header{}, 401},
		{http.Header{"Authorization": {"Bearer wrong"}}, 401},
	} {
		_, resp, err := websocket.Dial(t.Context(), server.URL+"/ws", &websocket.DialOptions{HTTPHeader: tt.header})
		if err == nil || resp == nil || resp.StatusCode != tt.want {
			t.Errorf("%v: %v", tt.header, err)
			continue
		}
		if body, _ := io.ReadAll(resp.Body); (tt.want == 401) != strings.Contains(string(body), "Authorization: Bearer TOKEN") {
			t.Errorf("%v: it says %s", tt.header, body)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	req.Host = "evil.example"
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a foreign Host: %v, %v", resp, err)
	}
	resp.Body.Close()
}

// A page names programs, and no addresses: what this process may reach with its
// token is not for who may look at programs here.
func TestAPageIsNoWayElsewhere(t *testing.T) {
	server := serve(t, false, "cat")
	path := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "spawnx", "prog", "control")
	for _, name := range []string{"spawnx:" + path, "spawnx:127.0.0.1:1", "../prog", "tcp:127.0.0.1:1"} {
		for _, kind := range []string{"terminal", "text", "debugger"} {
			conn := open(t, server, `{"token":"right","open":"`+kind+`","name":"`+name+`"}`)
			if _, data, err := conn.Read(t.Context()); websocket.CloseStatus(err) != 4404 {
				t.Errorf("%s %s: %q, %v", kind, name, data, err)
			}
		}
	}
}

func TestThePage(t *testing.T) {
	server := serve(t, true, "cat")
	for path, want := range map[string]int{"/": 200, "/../guard.go": 404, "/ui": 404, "/nothing": 404} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
		if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

func TestADebuggerInThePage(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	file := filepath.Join(t.TempDir(), "prog.py")
	if err := os.WriteFile(file, []byte("n = 6\nn *= 7\nprint(n)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	name, err := session.Reserve("prog")
	if err != nil {
		t.Fatal(err)
	}
	defer name.Release()
	d, err := debugger.Start(t.Context(), "pdb", proc.Command(file))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p, err := d.Publish(name, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()

	server := page(t, true)
	hear(t, open(t, server, `{"token":"right","open":"programs"}`), `"debugger":true`)
	conn := open(t, server, `{"token":"right","open":"debugger","name":"prog"}`)
	hear(t, conn, `"kind":"state"`)
	say(t, conn, `{"id":1,"do":"next"}`)
	hear(t, conn, `"id":1,"ok":true`)
	say(t, conn, `{"source":"`+file+`"}`)
	hear(t, conn, `n *= 7`)
	say(t, conn, `{"source":"/etc/passwd"}`)
	hear(t, conn, `has not named this file`)

	watcher := open(t, page(t, false), `{"token":"right","open":"debugger","name":"prog"}`)
	hear(t, watcher, `"kind":"state"`)
	say(t, watcher, `{"id":1,"do":"next"}`)
	hear(t, watcher, `may only watch`)
}

// A front end in a browser may speak gdb's machine interface, if it may drive.
func TestTheMachineInterfaceInThePage(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	debug(t, "prog", "gdb", "/bin/cat")
	conn := open(t, page(t, true), `{"token":"right","open":"mi","name":"prog"}`)
	if err := conn.Write(t.Context(), websocket.MessageBinary, []byte("12-data-evaluate-expression 6*7\n")); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for !strings.Contains(all.String(), `12^done,value="42"`) {
		_, data, err := conn.Read(t.Context())
		if err != nil {
			t.Fatalf("%q: %v", all.String(), err)
		}
		all.Write(data)
	}
	watcher := open(t, page(t, false), `{"token":"right","open":"mi","name":"prog"}`)
	if _, _, err := watcher.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("who watches: %v", err)
	}
}
