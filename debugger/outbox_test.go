package debugger

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
)

// quick is an engine that answers at once.
type quick struct{}

func (quick) run(context.Context) {}
func (quick) do(_ context.Context, command string) (Reply, error) {
	return Reply{OK: true, Text: command}, nil
}
func (quick) interrupt(context.Context) error { return nil }
func (quick) ready() bool                     { return true }

// A front end that did not read for a while gets the answer to what it asks, and
// before it how things are, also while they change.
func TestAnAnswerBehindAGap(t *testing.T) {
	d := &Debugger{fronts: map[int]*outbox{}, ended: make(chan struct{}), engine: quick{}}
	near, far := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- d.ServeEvents(t.Context(), far, true) }()
	happen := func(e Event) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.happen(e)
	}
	for d.visitors() == 0 {
		runtime.Gosched()
	}
	for range 60 { // more than waits for anybody
		happen(Event{Kind: KindOutput, Text: strings.Repeat("x", 100<<10)})
	}
	changing := make(chan struct{})
	go func() {
		defer close(changing)
		for i := range 2000 {
			happen(Event{Kind: KindStopped, Line: i})
			happen(Event{Kind: KindRunning})
		}
	}()
	const many = 50
	go func() { // who asks has to read, too
		for i := range many {
			fmt.Fprintf(near, "{\"id\":%d,\"do\":\"it\"}\n", i)
		}
	}()
	lines := bufio.NewReaderSize(near, 1<<20)
	answers, states := 0, 0
	for answers < many {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(line, fmt.Sprintf(`{"id":%d,"ok":true`, answers)):
			answers++
		case strings.Contains(line, `"kind":"state"`):
			states++
		}
	}
	if states < 2 { // the first line is one
		t.Errorf("%d states", states)
	}
	near.Close()
	<-changing
	if err := <-served; err != nil && err != io.ErrClosedPipe {
		t.Error(err)
	}
}

func (d *Debugger) visitors() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.fronts)
}

// What a program writes to the terminal that it shares with its debugger is an
// answer only up to a size, however long it goes on.
func TestAConsoleWithoutAPrompt(t *testing.T) {
	var r consoleReader
	for range 30 {
		r.feed(strings.Repeat("a line of the program\n", 500))
		r.feed(strings.Repeat("x", 70<<10) + "\n")
	}
	if n := r.said.Len(); n > maxSaid || n < maxSaid/2 {
		t.Errorf("%d bytes are kept", n)
	}
}
