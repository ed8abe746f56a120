// Package session shares a running program: a Server holds its Bridge, and
// clients find it by its name, join, leave and come back, in any order. A
// Client is a Bridge again, so that package expect talks to a program that
// another process started as to one of its own.
//
//	name, err := session.Reserve("web")
//	b, err := bridge.Start(ctx, spec)
//	s, err := session.NewServer(b, session.Options{Name: name})
//
// and elsewhere
//
//	c, err := session.Dial(ctx, "web")
//	console := expect.Attach(c.Bridge())
//
// PROTOCOL.md says what goes between them.
package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/rundir"
	"github.com/spawnx/spawnx/proc"
)

// A Name is the right to serve a program under a name, which nobody else has
// at the same time. Whoever reserved it releases it, after its Servers were
// closed.
//
// When its folder vanishes, as $XDG_RUNTIME_DIR does at a logout, the Servers
// notice it within seconds and serve where the name is looked for then.
type Name struct {
	mu    sync.Mutex
	claim *rundir.Claim
	moves int // how often it got another folder
}

// Reserve claims a name before the program is started. The error is a
// *TakenError when a program runs under it.
func Reserve(name string) (*Name, error) {
	claim, err := rundir.Take(name)
	var taken *rundir.TakenError
	if errors.As(err, &taken) {
		return nil, &TakenError{Name: taken.Name, PID: taken.PID}
	}
	if err != nil {
		return nil, err
	}
	return &Name{claim: claim}, nil
}

// A TakenError says that a program runs under the name.
type TakenError struct {
	Name string
	PID  int // of its server
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s runs already (pid %d)\nhint: spawnx attach %s, or spawnx stop %s", e.Name, e.PID, e.Name, e.Name)
}

// String is the name.
func (n *Name) String() string { return n.claim.Name() }

// Before is how the program ended that ran under the name before, if nobody had
// collected that: nobody can any more.
func (n *Name) Before() (exit proc.Exit, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var e Exit
	if json.Unmarshal(n.claim.Before(), &e) != nil {
		return proc.Exit{}, false
	}
	return e.Exit(), true
}

// Dir is the folder of the name, 0700, in which its sockets lie.
func (n *Name) Dir() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.claim.Dir()
}

// follow sees to it that the name is where others look for it, and returns how
// often it has moved.
func (n *Name) follow() (moves int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.claim.Lost() && n.claim.Renew() == nil { // where that fails, it may succeed the next time
		n.moves++
	}
	return n.moves
}

// Ended keeps how the program ended until somebody collects it, and lets
// others have the name. The Server without a Channel does it by itself.
func (n *Name) Ended(e proc.Exit) error {
	status, err := json.Marshal(newExit(e))
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.claim.Ended(status)
}

func (n *Name) collected() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.claim.Collected()
}

// Release gives the name back and removes what lies in its folder, but for an
// exit status that nobody has collected.
func (n *Name) Release() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.claim.Close()
}

// Options say how a program is served.
type Options struct {
	// Name is under which it is found; nil: by the addresses of Listen alone.
	Name *Name
	// Channel tells apart the Servers of one Name: NAME.CHANNEL.
	Channel string
	// Also is a second Channel under which it is found; empty: none.
	Also string
	// Window says which client's window the terminal follows.
	Window Window
	// Slow is for clients that do not say what they want.
	Slow Slow
	// Prompt is handed to clients as it is: 4096 bytes at most.
	Prompt string
	// Token lets clients in over TCP. Without one none is.
	Token Token
	// Cert and Key are the files of the certificate for TCP; empty: one that is
	// made at the first use and kept in the user's state folder.
	Cert, Key string
	// Linger is how long, after the program's end, its output can still be read
	// when nobody collects its status: zero is a minute, negative not at all.
	Linger time.Duration
}

const (
	defaultLinger = time.Minute
	maxClients    = 256  // of a server
	maxPeer       = 128  // of one user or address
	maxPending    = 128  // that have not said hello
	maxRemembered = 1000 // clients that are gone, and places
	maxRequests   = 64
	maxPrompt     = 4096 // bytes: it is in every hello
)

// Variables for the tests alone.
var (
	helloTime  = 5 * time.Second
	lookAround = 5 * time.Second // how often a Server looks whether it can be found
	leaveTime  = time.Second     // for clients that have everything
)

// A Server serves one Bridge to many clients. Its methods may be called
// concurrently. Whoever made it closes it, and then the Bridge.
type Server struct {
	b        *bridge.Bridge
	o        Options
	epoch    string
	streams  [laneStderr + 1]*bridge.Stream // by lane; nil where there is none
	display  *display                       // nil without a terminal
	began    time.Time
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	running  sync.WaitGroup // all goroutines of the server and its clients
	resizing sync.Mutex     // one resize at a time; taken before mu

	mu        sync.Mutex // never held while something is sent or waited for
	clients   map[int]*attachment
	last      int // the number of the newest client
	active    int // counts what clients do, for WindowLatest
	seat      seat
	typing    map[string]*typed // of clients that are here, by what they call themselves
	typed     memory[*typed]    // of those that are gone
	places    memory[int64]
	bare      int64 // how far the bare connections that are gone have come
	exit      *Exit
	ended     chan struct{} // closed when exit is known
	collected bool
	changed   chan struct{} // closed and made anew when collected or clients change
	doors     []*door
	pending   []net.Conn // have not said hello, the oldest first
	print     string     // of the certificate
}

// NewServer serves a program. With a Name it can be reached at once.
func NewServer(b *bridge.Bridge, o Options) (*Server, error) {
	for _, channel := range []string{o.Channel, o.Also} {
		if channel == "" {
			continue
		}
		if err := rundir.CheckName(channel); err != nil {
			return nil, err
		}
	}
	if len(o.Prompt) > maxPrompt {
		return nil, fmt.Errorf("a prompt of %d bytes: %d are the most", len(o.Prompt), maxPrompt)
	}
	if o.Token != "" { // also for a door of the caller's own: see ServeConn
		if err := o.Token.check(); err != nil {
			return nil, err
		}
	}
	s := &Server{
		b: b, o: o, epoch: rand.Text(), began: time.Now(), clients: make(map[int]*attachment),
		typing: make(map[string]*typed), typed: newMemory[*typed](), places: newMemory[int64](),
		ended: make(chan struct{}), changed: make(chan struct{}),
	}
	s.streams[laneOutput], s.streams[laneStderr] = b.Output(), b.Stderr()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if _, err := b.Mode(); !errors.Is(err, errors.ErrUnsupported) {
		s.display = newDisplay(s)
		s.running.Go(s.display.run)
	}
	s.running.Go(s.awaitEnd)
	if o.Name != nil {
		moves := o.Name.follow()
		if err := s.publish(); err != nil {
			_ = s.Close()
			return nil, err
		}
		s.running.Go(func() { s.stayFound(moves) })
	}
	return s, nil
}

// publish opens the doors in the folder of the name, all or none.
func (s *Server) publish() error {
	doors := map[string]bool{file(s.o.Channel, "control"): false, file(s.o.Channel, "sock"): true}
	if s.o.Also != "" {
		doors[file(s.o.Also, "control")], doors[file(s.o.Also, "sock")] = false, true
	}
	dir := s.o.Name.Dir()
	for file, bare := range doors {
		if err := s.listenUnix(filepath.Join(dir, file), bare); err != nil {
			_ = s.leaveDir(dir)
			return err
		}
	}
	return nil
}

// leaveDir closes the doors in a folder.
func (s *Server) leaveDir(dir string) (failed error) {
	s.mu.Lock()
	var here []*door
	s.doors = slices.DeleteFunc(s.doors, func(d *door) bool {
		if d.path == "" || filepath.Dir(d.path) != dir {
			return false
		}
		here = append(here, d)
		return true
	})
	s.mu.Unlock()
	for _, d := range here {
		failed = errors.Join(failed, d.close())
	}
	return failed
}

// stayFound goes with the name when that gets another folder.
func (s *Server) stayFound(moves int) {
	dir := s.o.Name.Dir()
	for {
		select {
		case <-time.After(lookAround):
		case <-s.ctx.Done():
			return
		case <-s.ended: // others may have the name
			return
		}
		now := s.o.Name.follow()
		if now == moves {
			continue
		}
		_ = s.leaveDir(dir) // what cannot be removed there is in nobody's way
		dir = s.o.Name.Dir()
		if s.publish() == nil {
			moves = now
		}
	}
}

// file is the name of a socket in the folder of a name.
func file(channel, kind string) string {
	switch {
	case channel != "":
		return channel + "." + kind
	case kind == "sock":
		return "io.sock"
	}
	return kind
}

// awaitEnd notes the program's end and tells everybody.
func (s *Server) awaitEnd() {
	exit, err := s.b.Wait(s.ctx)
	if s.ctx.Err() != nil {
		return
	}
	e := newExit(exit)
	if errors.Is(err, proc.ErrStatusUnknown) {
		e.Code = -1
	}
	if s.o.Name != nil && s.o.Channel == "" {
		s.o.Name.follow()
		_ = s.o.Name.Ended(e.Exit()) // a full disk loses the kept status, not the living one
	}
	s.mu.Lock()
	s.exit = e
	close(s.ended)
	clients := s.all()
	s.mu.Unlock()
	for _, a := range clients {
		a.tellExit()
	}
}

// all returns the clients. Called with mu held.
func (s *Server) all() []*attachment {
	all := make([]*attachment, 0, len(s.clients))
	for _, a := range s.clients {
		all = append(all, a)
	}
	return all
}

// notify tells Wait that something has changed. Called with mu held.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Wait waits until the program has ended and nobody needs the Server any more:
// the status was collected and every client has all the output, or Linger is
// over and the clients are gone. The error is that of bridge.Bridge.Wait.
func (s *Server) Wait(ctx context.Context) (proc.Exit, error) {
	select {
	case <-s.ended:
	case <-ctx.Done():
		return proc.Exit{}, context.Cause(ctx)
	}
	linger := s.o.Linger
	if linger == 0 {
		linger = defaultLinger
	}
	timer := time.NewTimer(max(linger, 0))
	defer timer.Stop()
	over := false
	var leaving <-chan time.Time // clients that have everything leave by themselves, as a rule
	for {
		s.mu.Lock()
		done := len(s.clients) == 0 && (s.collected || over)
		idle := s.collected
		for _, a := range s.clients {
			idle = idle && (over || a.complete())
		}
		changed := s.changed
		s.mu.Unlock()
		if done {
			return s.exit.result()
		}
		switch {
		case !idle: // somebody has come meanwhile
			leaving = nil
		case leaving == nil:
			leaving = time.After(leaveTime)
		}
		select {
		case <-changed:
		case <-leaving:
			return s.exit.result()
		case <-timer.C:
			over = true
		case <-ctx.Done():
			return proc.Exit{}, context.Cause(ctx)
		}
	}
}

// Close closes the doors and sends the clients away. The Bridge stays as it
// is. It may be called more than once.
func (s *Server) Close() error {
	s.cancel()
	s.mu.Lock()
	doors, clients, pending := s.doors, s.all(), s.pending
	s.doors, s.pending = nil, nil
	s.mu.Unlock()
	var failed error
	for _, d := range doors {
		failed = errors.Join(failed, d.close())
	}
	for _, c := range pending {
		_ = c.Close()
	}
	for _, a := range clients {
		a.leave()
	}
	s.running.Wait()
	return failed
}

// Info returns what there is to know.
func (s *Server) Info() Info {
	st := s.b.Stats()
	i := Info{
		Channel: s.o.Channel, PID: st.Peer.PID, ServerPID: os.Getpid(), Args: briefly(st.Peer.Args), Started: s.began,
		Running: true, TTY: st.Peer.Terminal, Output: st.Output.End, Restarts: st.Peer.Restarts, RestartAt: st.Peer.RestartAt, Prompt: s.o.Prompt,
	}
	if s.o.Name != nil {
		i.Name = s.o.Name.String()
	}
	if s.display != nil {
		size := s.display.size()
		i.Rows, i.Cols = size.Rows, size.Cols
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i.Clients = len(s.clients)
	if a := s.clients[int(s.seat)]; a != nil {
		i.Driver = a.name
	}
	for _, d := range s.doors {
		i.Doors = append(i.Doors, d.address)
	}
	if s.exit != nil {
		i.Running, i.Exit = false, s.exit
	}
	return i
}

// resize gives the program's terminal the size that the clients' windows ask
// for.
func (s *Server) resize() {
	s.resizing.Lock()
	defer s.resizing.Unlock()
	s.mu.Lock()
	var panes []pane
	for _, a := range s.clients {
		panes = append(panes, pane{a.size, a.role, a.active})
	}
	size, ok := s.o.Window.choose(panes)
	s.mu.Unlock()
	if ok {
		_ = s.setSize(size) // a program that has ended needs none
	}
}

// setSize gives the program's terminal a size and tells everybody. Called with
// resizing held.
func (s *Server) setSize(size proc.Size) error {
	if s.display == nil || size == s.display.size() {
		return nil
	}
	if err := s.b.Resize(size); err != nil {
		return err
	}
	s.display.resize(size)
	s.mu.Lock()
	clients := s.all()
	s.mu.Unlock()
	for _, a := range clients {
		a.tell(&control{Event: eventSize, Rows: size.Rows, Cols: size.Cols})
	}
	return nil
}

// tellSeats makes every client what it is and tells it, after the seat has
// changed. Called with mu held, so that no news overtakes another.
func (s *Server) tellSeats() {
	driver := ""
	if a := s.clients[int(s.seat)]; a != nil {
		driver = a.name
	}
	for _, a := range s.clients {
		a.role = s.seat.role(a.id, a.asked)
		a.tell(&control{Event: eventSeat, Role: a.role.String(), Driver: driver})
	}
}

// driverAnswers reports whether a question that ends at this offset of the
// output is for the driver's terminal, which sees it live.
func (s *Server) driverAnswers(end int64) bool {
	if s.b.Seated() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.clients[int(s.seat)]
	return a != nil && a.hello.Terminal && end > a.live
}

// A memory is a map of at most maxRemembered entries; the oldest are
// forgotten.
type memory[V any] struct {
	m     map[string]V
	order []string
}

func newMemory[V any]() memory[V] { return memory[V]{m: make(map[string]V)} }

// put enters what was not there yet, or replaces it.
func (m *memory[V]) put(key string, v V) {
	if _, ok := m.m[key]; !ok {
		m.order = append(m.order, key)
		if len(m.order) > maxRemembered {
			delete(m.m, m.order[0])
			m.order = append(m.order[:0], m.order[1:]...)
		}
	}
	m.m[key] = v
}

// take takes an entry out.
func (m *memory[V]) take(key string) (v V, ok bool) {
	v, ok = m.m[key]
	if ok {
		delete(m.m, key)
		at := slices.Index(m.order, key)
		m.order = slices.Delete(m.order, at, at+1)
	}
	return v, ok
}
