package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/proc"
)

// A handler answers one kind of request.
type handler struct {
	acts bool // an observer may not
	slow bool // it takes its time, and the next requests do not wait for it
	once bool // a client that sends it again, not knowing whether it arrived, gets the first answer
	do   func(a *attachment, req *control) (*control, error)
}

// handlerOf returns the handler of a request.
func handlerOf(name string) (h handler, ok bool) {
	switch name {
	case "info":
		h = handler{do: doInfo}
	case "mode":
		h = handler{do: doMode}
	case "waiting":
		h = handler{do: doWaiting}
	case "taken":
		h = handler{do: doTaken}
	case "why":
		h = handler{do: doWhy, slow: true}
	case "stats":
		h = handler{do: doStats}
	case "resize":
		h = handler{do: doResize, acts: true}
	case "signal":
		h = handler{do: doSignal, acts: true, once: true}
	case "eof":
		h = handler{do: doEOF, acts: true, slow: true, once: true}
	case "stop":
		h = handler{do: doStop, acts: true, slow: true}
	case "withdraw":
		h = handler{do: doWithdraw}
	case "seat":
		h = handler{do: doSeat}
	case "place":
		h = handler{do: doPlace, acts: true}
	case "paint":
		h = handler{do: doPaint}
	case "collect":
		h = handler{do: doCollect, acts: true}
	case "ping":
		h = handler{do: func(*attachment, *control) (*control, error) { return &control{}, nil }}
	default:
		return h, false
	}
	return h, true
}

// request answers a request of the client. It waits only while there are many
// that have no answer, or whose answers the client does not read.
func (a *attachment) request(payload []byte) error {
	var req control
	if err := object(payload, &req); err != nil {
		return err
	}
	if req.ID <= 0 {
		return nil // an event of some later version
	}
	if a.await() != nil || a.outbox.await(a.ctx) != nil {
		return net.ErrClosed
	}
	h, ok := handlerOf(req.Do)
	if !ok {
		a.reply(&req, nil, &refusal{codeUnknown, fmt.Sprintf("no such request: %.40q", req.Do)})
		return nil
	}
	a.s.mu.Lock()
	role := a.role
	a.s.mu.Unlock()
	if h.acts && role == Observer {
		a.reply(&req, nil, &refusal{codeRole, "an observer may not do that"})
		return nil
	}
	if h.once {
		if again := a.before(req.ID); again != nil {
			a.outbox.put("", jsonFrame(kindControl, again))
			return nil
		}
	}
	a.opened(1)
	answer := func() {
		defer a.opened(-1)
		res, err := h.do(a, &req)
		res = a.reply(&req, res, err)
		if h.once {
			a.did(req.ID, res, err != nil && a.ctx.Err() != nil)
		}
	}
	if h.slow {
		a.busy.Go(answer)
	} else {
		answer()
	}
	return nil
}

// await waits until one more request may be begun.
func (a *attachment) await() error {
	for {
		a.mu.Lock()
		n := a.open
		a.mu.Unlock()
		if n < maxRequests {
			return nil
		}
		select {
		case <-a.answered:
		case <-a.ctx.Done():
			return net.ErrClosed
		}
	}
}

// before returns the answer to a request that was begun before, over this
// connection or an earlier one; nil: it is the first time, and is begun now.
func (a *attachment) before(id int64) *control {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	t := a.typed
	switch {
	case id > t.id:
		t.id = id
		return nil
	case t.undone[id]:
		delete(t.undone, id)
		return nil
	case t.answer != nil && t.answer.ID == id:
		return t.answer
	}
	return &control{ID: id, OK: true}
}

// did notes how a request that is done once has ended, or that the end of the
// connection has prevented it.
func (a *attachment) did(id int64, answer *control, prevented bool) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	t := a.typed
	if !prevented {
		t.answer = answer
		return
	}
	if t.undone == nil {
		t.undone = make(map[int64]bool)
	}
	t.undone[id] = true
}

// opened counts requests that have no answer yet.
func (a *attachment) opened(n int) {
	a.mu.Lock()
	a.open += n
	last := a.told && a.open == 0
	a.mu.Unlock()
	signal(a.answered)
	if last {
		a.s.mu.Lock()
		defer a.s.mu.Unlock()
		a.s.notify()
	}
}

func (a *attachment) reply(req, res *control, err error) *control {
	if err != nil {
		res = &control{Error: err.Error(), Code: codeFailed}
		var r *refusal
		switch {
		case errors.As(err, &r):
			res.Code = r.code
		case errors.Is(err, os.ErrProcessDone) || errors.Is(err, bridge.ErrNoInput):
			res.Code = codeEnded
		case errors.Is(err, errors.ErrUnsupported):
			res.Code = codeUnsupported
		}
	}
	res.ID, res.OK = req.ID, res.Error == ""
	a.outbox.put("", jsonFrame(kindControl, res))
	return res
}

func doInfo(a *attachment, _ *control) (*control, error) {
	info := a.s.Info()
	return &control{Info: &info}, nil
}

// doMode also reads what the program has written so far, so that it comes
// before whatever the client does next.
func doMode(a *attachment, _ *control) (*control, error) {
	mode, err := a.s.b.Mode()
	if err != nil {
		return nil, err
	}
	out := a.s.streams[laneOutput]
	_, _ = out.Flush() // what cannot be read now comes later
	_, end := out.Offsets()
	return &control{Mode: &mode, Output: &end}, nil
}

func doWaiting(a *attachment, req *control) (*control, error) {
	s, have := a.s, int64(math.MaxInt64)
	if req.Offset != nil {
		have = *req.Offset
	}
	out := s.streams[laneOutput]
	if a.typist.pending() {
		_, end := out.Offsets()
		return &control{Evidence: &diag.Evidence{Why: "it has not taken its input yet"}, Output: &end}, nil
	}
	ev := diag.Waiting(s.lanes(), s.b.Taken, func() (bool, error) {
		got, err := out.Flush()
		_, end := out.Offsets()
		return got || end > have, err
	})
	_, end := out.Offsets()
	return &control{Evidence: &ev, Output: &end}, nil
}

func doTaken(a *attachment, _ *control) (*control, error) {
	return &control{Taken: ptr(!a.typist.pending() && a.s.b.Taken())}, nil
}

func doWhy(a *attachment, _ *control) (*control, error) {
	snapshot, err := diag.Take(a.s.lanes())
	if err != nil {
		return nil, err
	}
	return &control{Findings: fitting(diag.Explain(snapshot))}, nil
}

// fitting is as many findings as go into a frame, the most telling first, and
// one more that says so where some do not.
func fitting(all []diag.Finding) []diag.Finding {
	const each = 8 << 10
	for i, left := 0, maxPayload-each; i < len(all); i++ {
		f := &all[i]
		b, err := json.Marshal(f)
		if len(b) > each {
			f.Held, f.Why, f.Evidence = cut(f.Held, each/32), cut(f.Why, each/8), cut(f.Evidence, each/32)
			for i, step := range f.Steps {
				f.Steps[i] = cut(step, each/4/len(f.Steps))
			}
			b, err = json.Marshal(f)
		}
		if left -= len(b) + 1; err != nil || left < 0 {
			return append(all[:i:i], diag.Finding{
				Who: "its server", Kind: diag.KindUnknown, What: fmt.Sprintf("leaves out %d more", len(all)-i), Why: "they do not fit into its answer",
			})
		}
	}
	return all
}

func doStats(a *attachment, _ *control) (*control, error) {
	peer := a.s.b.Stats().Peer
	peer.Args = briefly(peer.Args)
	return &control{Peer: &peer}, nil
}

func doResize(a *attachment, req *control) (*control, error) {
	size := proc.Size{Rows: req.Rows, Cols: req.Cols}
	if req.Rows < 1 || req.Cols < 1 || req.Rows > math.MaxUint16 || req.Cols > math.MaxUint16 {
		return nil, fmt.Errorf("a terminal of %v is not possible", size)
	}
	s := a.s
	if s.display == nil {
		return nil, errors.ErrUnsupported
	}
	s.mu.Lock()
	a.size = size
	s.active++
	a.active = s.active
	free := s.seat == 0 && s.o.Window == WindowDriver || s.o.Window == WindowFixed
	owner := a.role == Owner
	s.mu.Unlock()
	if free && owner { // nobody sits there, or nobody's window counts: it was asked for by hand
		s.resizing.Lock()
		defer s.resizing.Unlock()
		return &control{}, s.setSize(size)
	}
	s.resize()
	return &control{}, nil
}

func doSignal(a *attachment, req *control) (*control, error) {
	if req.Signal < 1 || req.Signal > 64 {
		return nil, fmt.Errorf("there is no signal %d", req.Signal)
	}
	return &control{}, a.s.b.Signal(syscall.Signal(req.Signal))
}

// doEOF waits until what the client sent before was accepted.
func doEOF(a *attachment, _ *control) (*control, error) {
	if err := a.typist.flush(a.ctx); err != nil {
		return nil, err
	}
	return &control{}, a.s.b.SendEOF(time.Now().Add(10 * time.Second))
}

func doStop(a *attachment, _ *control) (*control, error) {
	exit, err := a.s.b.Stop(context.WithoutCancel(a.ctx)) // once begun it is ended, whether the client stays or not
	if err != nil {
		return nil, err
	}
	return &control{Exit: newExit(exit)}, nil
}

func doWithdraw(a *attachment, _ *control) (*control, error) {
	return &control{Input: ptr(a.typist.withdraw())}, nil
}

func doSeat(a *attachment, req *control) (*control, error) {
	s := a.s
	take := req.Take == nil || *req.Take
	s.mu.Lock()
	switch {
	case take && a.asked == Observer:
		s.mu.Unlock()
		return nil, &refusal{codeRole, "an observer may not do that"}
	case take:
		s.seat = seat(a.id)
	default:
		s.seat = s.seat.leave(a.id)
	}
	s.tellSeats() // before the answer
	s.mu.Unlock()
	s.resize()
	return &control{}, nil
}

func doPlace(a *attachment, req *control) (*control, error) {
	if req.Offset == nil || *req.Offset < 0 || len(req.Place) > maxName {
		return nil, &refusal{codeFailed, "a place needs a short name and an offset"}
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.places.put(req.Place, *req.Offset)
	return &control{}, nil
}

func doPaint(a *attachment, _ *control) (*control, error) {
	if a.s.display == nil {
		return nil, errors.ErrUnsupported
	}
	frames, size, at := a.s.display.paint(0, nil)
	a.outbox.put("", frames)
	return &control{Output: &at, Rows: size.Rows, Cols: size.Cols}, nil
}

func doCollect(a *attachment, _ *control) (*control, error) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exit == nil {
		return nil, &refusal{codeRunning, "the program has not ended"}
	}
	if !s.collected {
		s.collected = true
		s.notify()
		if s.o.Name != nil && s.o.Channel == "" {
			s.o.Name.collected()
		}
	}
	return &control{Exit: s.exit}, nil
}

// lanes is what diag is told of the program.
func (s *Server) lanes() diag.Lanes {
	l := diag.LanesOf(s.b.Stats())
	if s.o.Name != nil {
		l.Name = s.o.Name.String()
	}
	if mode, err := s.b.Mode(); err == nil {
		l.ModeKnown, l.Echo, l.Canonical, l.Timed = true, mode.Echo, mode.Canonical, mode.Timed
	}
	return l
}
