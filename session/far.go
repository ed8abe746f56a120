package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// This file is what stands at the far side of a Client's Bridge: a Source for
// each lane, a Sink for the input, and a Peer.

// A remoteLane holds the output that has come and was not read: no more than
// the window that the server keeps to.
type remoteLane struct {
	c        *Client
	lane     byte
	ackEvery int64 // bytes

	mu       sync.Mutex
	window   int64 // that may be held
	parts    []part
	held     int64 // bytes of the lane in parts
	next     int64 // behind what has come
	taken    int64 // behind what was read
	acked    int64
	gen      int   // of the connection
	err      error // after parts
	deadline time.Time
	changed  chan struct{}
}

// A part is bytes of the lane, or a gap in it.
type part struct {
	b   []byte
	gap *bridge.LostError
}

func newRemoteLane(c *Client, lane byte, from, window int64) *remoteLane {
	return &remoteLane{c: c, lane: lane, ackEvery: window / 8, window: window, next: from, taken: from, acked: from, changed: make(chan struct{})}
}

func (l *remoteLane) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *remoteLane) put(at int64, b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case at != l.next:
		return fmt.Errorf("output at %d where %d comes next", at, l.next)
	case l.held+int64(len(b)) > l.window:
		return errors.New("more output than may be unacknowledged")
	case l.err != nil:
		return errors.New("output after its end")
	case len(b) == 0:
		return nil
	}
	l.parts = append(l.parts, part{b: append([]byte(nil), b...)})
	l.held += int64(len(b))
	l.next += int64(len(b))
	l.notify()
	return nil
}

func (l *remoteLane) lose(from, to int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from != l.next {
		return fmt.Errorf("a gap at %d where %d comes next", from, l.next)
	}
	switch n := len(l.parts); {
	case from == to:
		return nil
	case n > 0 && l.parts[n-1].gap != nil: // one gap, so that there are no more parts than bytes
		l.parts[n-1].gap.To = to
	default:
		l.parts = append(l.parts, part{gap: &bridge.LostError{From: from, To: to}})
	}
	l.next = to
	l.notify()
	return nil
}

// end ends the lane; what has come can still be read.
func (l *remoteLane) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
		l.notify()
	}
}

// received is where another connection goes on.
func (l *remoteLane) received() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// reconnected begins to count acknowledgements anew: the server sends a window
// beyond where the new connection begins, and what is held is not in it.
func (l *remoteLane) reconnected(gen int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gen = gen
	l.acked = l.next
	l.window += l.held
}

func (l *remoteLane) Read(p []byte) (int, error) {
	for {
		l.mu.Lock()
		n, ack, err := l.take(p)
		gen, until, changed := l.gen, l.deadline, l.changed
		l.mu.Unlock()
		if ack > 0 {
			l.c.send(gen, ackFrame(l.lane, ack))
		}
		if n > 0 || err != nil {
			return n, err
		}
		if !until.IsZero() && !time.Now().Before(until) {
			return 0, os.ErrDeadlineExceeded
		}
		awaitChange(changed, until)
	}
}

// awaitChange waits until something has changed, no longer than until; zero is no
// bound.
func awaitChange(changed <-chan struct{}, until time.Time) {
	var timeout <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-changed:
	case <-timeout:
	}
}

// take takes what has come, as far as p has room, and says what to
// acknowledge. Called with mu held.
func (l *remoteLane) take(p []byte) (n int, ack int64, err error) {
	for n < len(p) && len(l.parts) > 0 {
		first := &l.parts[0]
		if first.gap != nil {
			if n > 0 {
				break
			}
			l.parts = l.parts[1:]
			l.taken, l.acked = first.gap.To, first.gap.To
			return 0, l.taken, first.gap
		}
		k := copy(p[n:], first.b)
		n += k
		if first.b = first.b[k:]; len(first.b) == 0 {
			l.parts = l.parts[1:]
		}
	}
	l.held -= int64(n)
	l.taken += int64(n)
	if n == 0 && len(l.parts) == 0 {
		return 0, 0, l.err
	}
	if l.taken-l.acked >= l.ackEvery {
		l.acked = l.taken
		ack = l.acked
	}
	return n, ack, nil
}

// ReadNow reads what has come. That nothing has does not say that nothing is
// on its way.
func (l *remoteLane) ReadNow(p []byte) (int, error) {
	l.mu.Lock()
	n, ack, err := l.take(p)
	gen := l.gen
	l.mu.Unlock()
	if ack > 0 {
		l.c.send(gen, ackFrame(l.lane, ack))
	}
	if n == 0 && err == nil {
		err = errFar
	}
	return n, err
}

var errFar = errors.New("the program is elsewhere: what it wrote may be on its way")

func (l *remoteLane) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	l.notify()
	return nil
}

// await waits until the output before the offset has come, as far as the
// server may send it.
func (l *remoteLane) await(ctx context.Context, to int64) {
	for {
		l.mu.Lock()
		done := l.next >= to || l.err != nil || l.held > l.window/2
		changed := l.changed
		l.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// A remoteInput numbers what is sent, and keeps it until the far program has
// accepted it.
type remoteInput struct {
	c     *Client
	limit int64 // that may be unacknowledged

	mu       sync.Mutex
	sent     []byte // not acknowledged
	accepted int64  // sent begins here, as the server counts
	done     int64  // bytes that were accepted, as we count: a server may forget us and begin anew
	gen      int    // of the connection
	why      error  // a refusal, for the write that waits
	err      error  // for good
	deadline time.Time
	changed  chan struct{}
}

func newRemoteInput(c *Client, accepted, limit int64) *remoteInput {
	return &remoteInput{c: c, limit: limit, accepted: accepted, changed: make(chan struct{})}
}

func (in *remoteInput) notify() {
	close(in.changed)
	in.changed = make(chan struct{})
}

// OnTerminal says where it leads: see bridge.NewInput.
func (in *remoteInput) OnTerminal() bool { return in.c.shared }

// inputFrame is how much of the input one frame holds at most: it reaches the
// program in one piece.
const inputFrame = 32 << 10

// next is the part of p that the next frame holds.
func (in *remoteInput) next(p []byte) []byte { return p[:min(int64(len(p)), inputFrame, in.limit)] }

// Write returns when the far program's kernel has accepted p. At the deadline
// what was not accepted is withdrawn, and the count is exact.
func (in *remoteInput) Write(p []byte) (n int, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.why = nil
	begin := in.done + int64(len(in.sent))
	done := func() int { return max(int(in.done-begin), 0) } // never more than was sent
	rest := p
	for {
		switch {
		case in.err != nil:
			return done(), in.err
		case in.why != nil:
			return done(), in.why
		case done() == len(p):
			return len(p), nil
		}
		if part := in.next(rest); len(part) > 0 && in.limit-int64(len(in.sent)) >= int64(len(part)) {
			rest = rest[len(part):]
			frame := dataFrame(laneInput, in.accepted+int64(len(in.sent)), part)
			in.sent = append(in.sent, part...)
			gen := in.gen
			in.mu.Unlock()
			in.c.send(gen, frame)
			in.mu.Lock()
			continue
		}
		if late := !in.deadline.IsZero() && !time.Now().Before(in.deadline); late {
			if err := in.withdraw(); err != nil {
				return done(), err
			}
			return done(), os.ErrDeadlineExceeded
		}
		in.wait()
	}
}

// wait waits until something changed. Called with mu held.
func (in *remoteInput) wait() {
	until, changed := in.deadline, in.changed
	in.mu.Unlock()
	defer in.mu.Lock()
	awaitChange(changed, until)
}

// withdraw takes back what was not accepted. Called with mu held.
func (in *remoteInput) withdraw() error {
	in.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), askingTime)
	res, err := in.c.ask(ctx, &control{Do: "withdraw"})
	cancel()
	in.mu.Lock()
	if err == nil && res.Input == nil {
		err = errors.New("the server told nothing")
	}
	if err != nil {
		return err
	}
	in.advance(*res.Input)
	in.sent = nil
	return nil
}

// advance notes that the server has accepted what comes before an offset, as far
// as it was sent. Called with mu held.
func (in *remoteInput) advance(to int64) {
	n := min(max(to-in.accepted, 0), int64(len(in.sent)))
	in.sent = in.sent[n:]
	in.accepted += n
	in.done += n
}

func (in *remoteInput) acked(to int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.advance(to)
	in.notify()
}

// refused drops what was sent from there on.
func (in *remoteInput) refused(at int64, why error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.advance(at)
	in.sent, in.why = nil, why
	in.notify()
}

// follows reports whether we can go on by the server's count of our input. One
// that has forgotten us counts anew, which is as good while nothing is under way.
func (in *remoteInput) follows(accepted int64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return accepted <= in.accepted+int64(len(in.sent)) && (accepted >= in.accepted || len(in.sent) == 0)
}

// resume returns the frames that the server has not got, after it has said
// what was accepted.
func (in *remoteInput) resume(accepted int64, gen int) (frames [][]byte) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.gen = gen
	in.advance(accepted)
	in.accepted = accepted
	in.notify()
	for at, rest := in.accepted, in.sent; len(rest) > 0; {
		part := in.next(rest)
		frames = append(frames, dataFrame(laneInput, at, part))
		at, rest = at+int64(len(part)), rest[len(part):]
	}
	return frames
}

func (in *remoteInput) fail(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.err = err
	in.notify()
}

func (in *remoteInput) SetWriteDeadline(t time.Time) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.deadline = t
	in.notify()
	return nil
}

// Close ends the program's input.
func (in *remoteInput) Close() error { return in.CloseWrite() }

// CloseWrite ends the program's input.
func (in *remoteInput) CloseWrite() error {
	ctx, cancel := context.WithTimeout(context.Background(), askingTime)
	defer cancel()
	_, err := in.c.ask(ctx, &control{Do: "eof"})
	return err
}

// A farPeer is the program of another process's Bridge.
type farPeer struct{ c *Client }

// Wait returns when the far program's exit is known: after its output has
// come.
func (p *farPeer) Wait(ctx context.Context) (proc.Exit, error) {
	select {
	case <-p.c.exited:
		return p.c.exitStatus().result()
	default:
	}
	select {
	case <-p.c.exited:
		return p.c.exitStatus().result()
	case <-p.c.ctx.Done():
		return proc.Exit{}, context.Cause(p.c.ctx)
	case <-ctx.Done():
		return proc.Exit{}, context.Cause(ctx)
	}
}

func (p *farPeer) Stop(ctx context.Context) (proc.Exit, error) {
	res, err := p.c.ask(ctx, &control{Do: "stop"})
	if err != nil || res.Exit == nil {
		return proc.Exit{}, err
	}
	return res.Exit.Exit(), nil
}

// quickly asks what is answered at once.
func (p *farPeer) quickly(req *control) (*control, error) {
	ctx, cancel := context.WithTimeout(p.c.ctx, askingTime)
	defer cancel()
	return p.c.ask(ctx, req)
}

func (p *farPeer) Signal(sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("signal %v: %w", sig, errors.ErrUnsupported)
	}
	_, err := p.quickly(&control{Do: "signal", Signal: int(s)})
	return err
}

func (p *farPeer) Resize(size proc.Size) error {
	p.c.mu.Lock()
	p.c.d.Size = size // for another connection
	p.c.mu.Unlock()
	_, err := p.quickly(&control{Do: "resize", Rows: size.Rows, Cols: size.Cols})
	return err
}

func (p *farPeer) Taken() bool {
	res, err := p.quickly(&control{Do: "taken"})
	return err == nil && res.Taken != nil && *res.Taken
}

// Mode also waits for the output that came before the answer, so that what is
// sent next comes after it here, too.
func (p *farPeer) Mode() (ptyio.Mode, error) {
	if !p.c.display {
		return ptyio.Mode{}, ptyio.ErrUnsupported
	}
	res, err := p.quickly(&control{Do: "mode"})
	if err != nil || res.Mode == nil {
		return ptyio.Mode{}, cmpErr(err)
	}
	if l := p.c.lanes[laneOutput]; res.Output != nil {
		ctx, cancel := context.WithTimeout(p.c.ctx, time.Second)
		defer cancel()
		l.await(ctx, *res.Output)
	}
	return *res.Mode, nil
}

func cmpErr(err error) error {
	if err == nil {
		return errors.New("the server told nothing")
	}
	return err
}

// Stats are those of the far program. Of one on another machine there are no
// numbers that mean something here.
func (p *farPeer) Stats() bridge.PeerStats {
	st := bridge.PeerStats{Unread: -1, Running: p.c.exitStatus() == nil}
	res, err := p.quickly(&control{Do: "stats"})
	if err != nil || res.Peer == nil {
		return st
	}
	st = *res.Peer
	if p.c.at.host != "" {
		st.PID, st.Terminal, st.Foreground, st.Unread = 0, "", 0, -1
		st.InputPipe, st.OutputPipe, st.ErrPipe = 0, 0, 0
	}
	return st
}

// Attended: questions to the terminal are answered beside the program.
func (p *farPeer) Attended() bool { return true }

// SendEOF ends the program's input, knowing what others have typed.
func (p *farPeer) SendEOF(ctx context.Context, deadline time.Time) error {
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	_, err := p.c.ask(ctx, &control{Do: "eof"})
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w (%w)", os.ErrDeadlineExceeded, err)
	}
	return err
}

// Why is what the server says of what the program does, for errors. Where it
// does not answer there is nothing to say.
func (p *farPeer) Why() []diag.Finding {
	res, err := p.quickly(&control{Do: "why"})
	if err != nil {
		return nil
	}
	return res.Findings
}

// Waiting is the answer of the server, beside the program, to whether it waits
// for input and has written nothing behind the offset have.
func (p *farPeer) Waiting(have int64) diag.Evidence {
	res, err := p.quickly(&control{Do: "waiting", Offset: &have})
	switch {
	case err != nil:
		return diag.Evidence{Why: "its server does not answer: " + err.Error()}
	case res.Evidence == nil:
		return diag.Evidence{Why: "its server told nothing"}
	}
	return *res.Evidence
}
