package debugger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spawnx/spawnx/debugger/mi"
)

// serve passes lines to and from one front end until it, its context or the
// debugger ends. A front end that only stops sending gets what it has asked for,
// and one that never asked anything goes on listening.
//
// handle takes a line, and reports whether it was a question; idle reports
// whether all answers are in the outbox.
func serve(ctx context.Context, conn io.ReadWriter, o *outbox, handle func(line []byte) (asked bool), idle func() bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { interrupt(conn) })()

	o.writesTo(conn)
	var writing sync.WaitGroup
	writing.Go(func() {
		for {
			lines, err := o.take(ctx)
			if err == nil {
				_, err = conn.Write(bytes.Join(lines, nil))
			}
			if err != nil {
				cancel(err)
				return
			}
		}
	})
	defer writing.Wait()
	defer cancel(nil)

	asked, err := readLines(ctx, conn, o, handle)
	if err == nil && asked { // it has said all, and waits for the rest
		for !idle() || !o.empty() {
			select {
			case <-o.taken: // an answer has gone out
			case <-ctx.Done():
				return over(ctx)
			}
		}
		return nil
	}
	if err == nil {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return over(ctx)
	}
	return err
}

// over is why a front end was left: its end and the debugger's are no errors.
func over(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// readLines hands out lines until the front end's end, which is no error.
func readLines(ctx context.Context, conn io.Reader, o *outbox, handle func([]byte) bool) (asked bool, err error) {
	var lines mi.Lines
	buf := make([]byte, 32<<10)
	for {
		if err := o.room(ctx); err != nil {
			return asked, err
		}
		n, err := conn.Read(buf)
		var tooLong error
		lines.Feed(buf[:n], func(line []byte, lost int64) {
			if lost > 0 {
				tooLong = fmt.Errorf("a line of more than %d bytes", mi.MaxLine)
			} else if handle(line) {
				asked = true
			}
		})
		if tooLong != nil {
			return asked, tooLong
		}
		if errors.Is(err, io.EOF) {
			if rest := lines.Rest(); len(rest) > 0 && handle(rest) {
				asked = true
			}
			return asked, nil
		}
		if err != nil {
			return asked, err
		}
	}
}

// interrupt ends pending reads and writes, where conn knows deadlines.
func interrupt(conn any) {
	past := time.Unix(1, 0)
	switch c := conn.(type) {
	case interface{ SetDeadline(time.Time) error }:
		_ = c.SetDeadline(past) // it is closed, else
	case interface{ SetReadDeadline(time.Time) error }:
		_ = c.SetReadDeadline(past)
	}
}

// A request is what a front end asks for on the events channel.
type request struct {
	ID        json.RawMessage `json:"id"`
	Do        *string         `json:"do"`
	Interrupt bool            `json:"interrupt"`
}

// An answer goes to its asker only.
type answer struct {
	ID json.RawMessage `json:"id,omitempty"`
	Reply
}

// ServeEvents lets one front end read events and ask, a line of JSON each:
//
//	{"id":1,"do":"break prog.c:12"}    {"id":1,"ok":true,"text":"Breakpoint 1 at …"}
//	{"id":2,"interrupt":true}          {"id":2,"ok":true,"text":""}
//
// until conn ends or ctx does. The first line is the present state. One that may
// not drive only listens. It does not close conn.
func (d *Debugger) ServeEvents(ctx context.Context, conn io.ReadWriter, drive bool) error {
	ctx, cancel := context.WithCancel(ctx)
	o := newOutbox(d.resync)
	leave := d.enter(o)
	defer leave()

	// Commands are done in their order, one after another; an interrupt does not wait for them.
	const most = 1000
	queue := make(chan request, most)
	var pending sync.WaitGroup
	var mu sync.Mutex
	owed := 0
	reply := func(r request, a Reply, err error) {
		if err != nil {
			a = Reply{Text: err.Error()}
		}
		line, merr := json.Marshal(answer{r.ID, a})
		if merr != nil { // the id is JSON, as it was read
			panic(merr)
		}
		mu.Lock()
		defer mu.Unlock()
		d.mu.Lock() // the line for a gap before it tells the state
		defer d.mu.Unlock()
		o.put(append(line, '\n'), true)
		owed--
	}
	pending.Go(func() {
		for r := range queue {
			a, err := d.Do(ctx, *r.Do)
			reply(r, a, err)
		}
	})
	defer pending.Wait()
	defer cancel()
	defer close(queue)
	return serve(ctx, conn, o, func(line []byte) (asked bool) {
		if len(bytes.TrimSpace(line)) == 0 {
			return false
		}
		mu.Lock()
		owed++
		busy := owed > most
		mu.Unlock()
		var r request
		err := json.Unmarshal(line, &r)
		switch {
		case err != nil:
			reply(request{}, Reply{}, fmt.Errorf("no request: %w\nhint: write {\"id\":1,\"do\":\"COMMAND\"}", err))
		case busy:
			reply(r, Reply{}, &BusyError{Why: fmt.Sprintf("%d requests wait already", most)})
		case !drive:
			reply(r, Reply{}, errors.New("this front end may only listen"))
		case r.Interrupt:
			pending.Go(func() { reply(r, Reply{OK: true}, d.Interrupt(ctx)) })
		case r.Do == nil:
			reply(r, Reply{}, errors.New("no request: neither \"do\" nor \"interrupt\" is in it\nhint: write {\"id\":1,\"do\":\"COMMAND\"}"))
		default:
			queue <- r // there is room
		}
		return true
	}, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return owed == 0
	})
}
