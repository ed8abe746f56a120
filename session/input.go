package session

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/spawnx/spawnx/bridge"
)

// A typed is what a client has done to the program that must not be done
// twice: it outlives the client's connection. Guarded by Server.mu.
type typed struct {
	owner    *attachment    // nil: the client is gone
	accepted int64          // bytes of its input
	id       int64          // of its latest request that is done once
	answer   *control       // to that
	undone   map[int64]bool // earlier ones that the end of the connection has prevented
}

// returning finds what is known of a client that comes back. An older
// connection of the same client, which does not know yet that it is broken, is
// ended first.
func (s *Server) returning(a *attachment) (accepted int64, err error) {
	if a.hello.Client == "" {
		a.typed = &typed{owner: a}
		return 0, nil
	}
	for {
		s.mu.Lock()
		t := s.typing[a.hello.Client]
		if t == nil {
			var known bool
			if t, known = s.typed.take(a.hello.Client); !known {
				t = &typed{}
			}
			s.typing[a.hello.Client] = t
			t.owner, a.typed = a, t
			accepted = t.accepted
			s.mu.Unlock()
			return accepted, nil
		}
		old := t.owner
		s.mu.Unlock()
		old.leave()
		select {
		case <-old.gone:
		case <-s.ctx.Done():
			return 0, net.ErrClosed
		}
	}
}

// forget ends a client's hold on its input, and keeps how far it has come.
func (s *Server) forget(a *attachment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, key := a.typed, a.hello.Client
	if t.owner != a {
		return // it was forgotten before
	}
	t.owner = nil
	t.accepted = a.typist.acceptedSoFar()
	if key != "" {
		delete(s.typing, key)
		if t.accepted > 0 || t.id > 0 { // else there is nothing to know
			s.typed.put(key, t)
		}
	}
}

// A typist writes one client's input to the program, frame by frame.
type typist struct {
	a *attachment

	mu       sync.Mutex
	queue    [][]byte
	queued   int64 // bytes in queue and under way
	accepted int64
	refusing bool               // what comes is dropped until the client begins at accepted again
	cancel   context.CancelFunc // of the write under way
	idle     chan struct{}      // closed while no goroutine writes
}

func newTypist(a *attachment, accepted int64) *typist {
	t := &typist{a: a, accepted: accepted, idle: make(chan struct{})}
	close(t.idle)
	return t
}

func (t *typist) acceptedSoFar() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.accepted
}

// put takes a frame of input.
func (t *typist) put(at int64, p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.accepted + t.queued
	switch {
	case t.refusing && at != next:
		return nil
	case at != next:
		return errors.New("input that does not follow on what came before")
	case t.queued+int64(len(p)) > typedWindow:
		return errors.New("more input than may be unacknowledged")
	case len(p) == 0:
		return nil
	}
	t.refusing = false
	t.queue = append(t.queue, append([]byte(nil), p...))
	t.queued += int64(len(p))
	if len(t.queue) == 1 && isClosed(t.idle) {
		t.idle = make(chan struct{})
		ctx, cancel := context.WithCancel(t.a.ctx)
		t.cancel = cancel
		t.a.busy.Go(func() { t.write(ctx) })
	}
	return nil
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// write writes what is queued, until nothing is or ctx ends.
func (t *typist) write(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() { close(t.idle); t.cancel() }()
	for len(t.queue) > 0 && ctx.Err() == nil {
		p := t.queue[0]
		t.mu.Unlock()
		n, err := t.a.s.b.Input().WriteContext(ctx, p, noDeadline)
		t.mu.Lock()
		t.accepted += int64(n)
		t.queued -= int64(n)
		if err == nil {
			t.queue = t.queue[1:]
			t.a.outbox.put("ack", ackFrame(laneInput, t.accepted))
			continue
		}
		t.drop()
		if ctx.Err() == nil {
			t.refusing = true
			why := "the program's input is closed"
			if !errors.Is(err, bridge.ErrNoInput) {
				why = err.Error()
			}
			t.a.tell(&control{Event: eventError, Error: why, Code: codeEnded, Input: ptr(t.accepted)})
		}
	}
}

// drop forgets what is queued. Called with mu held.
func (t *typist) drop() { t.queue, t.queued = nil, 0 }

// refuse drops input of who may not write.
func (t *typist) refuse(code, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.refusing {
		t.refusing = true
		t.a.tell(&control{Event: eventError, Error: why, Code: code, Input: ptr(t.accepted + t.queued)})
	}
}

// withdraw drops what was sent and not accepted, and says what was.
func (t *typist) withdraw() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop()
	for !isClosed(t.idle) {
		idle := t.idle
		t.mu.Unlock()
		<-idle
		t.mu.Lock()
	}
	t.drop()
	return t.accepted
}

// stop ends the write under way. Called with mu held.
func (t *typist) stop() {
	if t.cancel != nil {
		t.cancel()
	}
}

// flush waits until everything that was sent so far was accepted, or given up.
func (t *typist) flush(ctx context.Context) error {
	t.mu.Lock()
	idle := t.idle
	t.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // then what was queued has been dropped
		return context.Cause(ctx)
	}
	return nil
}

// pending reports whether input waits that the program has not accepted.
func (t *typist) pending() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.queued > 0
}

// wait waits until nothing is written any more; the client's context has
// ended.
func (t *typist) wait() {
	t.mu.Lock()
	idle := t.idle
	t.mu.Unlock()
	<-idle
}
