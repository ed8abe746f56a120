// Package web shows named programs in a browser: their list, a live terminal of
// each, and for debuggers source, breakpoints, stack and variables. It is the
// inside of spawnx web; the page is built by npm in ui, and replaced by a plain
// one where that was not done.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Options say who may do what.
type Options struct {
	Token string   // shown by every page, in its first message
	Hosts []string // names in the Host header: see Hosts
	Drive bool     // pages may type and give commands; else they only watch
	Name  string   // the program that is shown first; "": the list
	Files fs.FS    // the page; nil: the one in this binary
}

// A Handler serves the page. Whoever made it closes it, after its http.Server.
type Handler struct {
	o     Options
	guard guard
	mux   *http.ServeMux

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu   sync.Mutex
	open int // sockets
	work sync.WaitGroup
}

const (
	maxSockets = 64 // of all pages together
	helloTime  = 5 * time.Second
	maxMessage = 1 << 20
)

// NewHandler returns the Handler of the page.
func NewHandler(o Options) *Handler {
	h := &Handler{o: o, guard: newGuard(o.Token, o.Hosts), mux: http.NewServeMux()}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.mux.HandleFunc("/ws", h.socket)
	h.mux.Handle("/", h.assets())
	return h
}

// Close ends all sockets.
func (h *Handler) Close() error {
	h.mu.Lock() // nobody is let in who looked before
	h.cancel()
	h.mu.Unlock()
	h.work.Wait()
	return nil
}

// policy is what the page may load: what comes from here, and nothing inline but
// the styles that the terminal computes.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	status := h.guard.page(r.Method, r.Host)
	if r.URL.Path == "/ws" {
		status = h.guard.socket(r.Host, r.Header.Get("Origin"), bearer(r))
	}
	if status != http.StatusOK {
		text := http.StatusText(status)
		if status == http.StatusUnauthorized {
			header.Set("WWW-Authenticate", "Bearer")
			text += ": the token is wanted, as in the address that spawnx web printed (behind #): Authorization: Bearer TOKEN"
		}
		http.Error(w, text, status)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// A hello is a page's first message on a socket.
type hello struct {
	Token  string `json:"token"`
	Open   string `json:"open"`             // "programs", "terminal", "text", "debugger" or "mi"
	Name   string `json:"name,omitempty"`   // of the program, or NAME.CHANNEL
	Offset *int64 `json:"offset,omitempty"` // of a terminal that comes back: what it has
	Rows   int    `json:"rows,omitempty"`
	Cols   int    `json:"cols,omitempty"`
}

// Reasons to close a socket, for the page: private codes of RFC 6455.
const (
	closeToken   websocket.StatusCode = 4401 // wrong token
	closeMissing websocket.StatusCode = 4404 // no such program
	closeFull    websocket.StatusCode = 4429 // too many sockets
)

func (h *Handler) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // the guard has looked at the Origin
	if err != nil {
		return // it has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessage)
	h.mu.Lock()
	full := h.open >= maxSockets || h.ctx.Err() != nil
	if !full {
		h.open++
		h.work.Add(1)
	}
	h.mu.Unlock()
	if full {
		_ = conn.Close(closeFull, "too many pages are open")
		return
	}
	defer func() {
		h.mu.Lock()
		h.open--
		h.mu.Unlock()
		h.work.Done()
	}()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)()

	first, err := readHello(ctx, conn)
	if err != nil {
		_ = conn.Close(websocket.StatusPolicyViolation, "the first message was no hello")
		return
	}
	if bearer(r) == "" && !h.guard.valid(first.Token) {
		_ = conn.Close(closeToken, "wrong token")
		return
	}
	if first.Name != h.o.Name && strings.ContainsAny(first.Name, ":/") {
		// An address: a page is no way to sockets and machines that only this process may reach, with its SPAWNX_TOKEN.
		_ = conn.Close(closeMissing, "no such program")
		return
	}
	p := &page{h: h, conn: conn, hello: first}
	switch first.Open {
	case "programs":
		err = p.programs(ctx)
	case "terminal":
		err = p.terminal(ctx)
	case "text":
		err = p.text(ctx)
	case "debugger":
		err = p.debugger(ctx)
	case "mi":
		err = p.mi(ctx)
	default:
		_ = conn.Close(websocket.StatusPolicyViolation, "nothing of that kind can be opened")
		return
	}
	p.close(err)
}

func readHello(ctx context.Context, conn *websocket.Conn) (hello, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	var first hello
	kind, data, err := conn.Read(ctx)
	if err != nil {
		return first, err
	}
	if kind != websocket.MessageText {
		return first, errors.New("the first message is no text")
	}
	return first, json.Unmarshal(data, &first)
}
