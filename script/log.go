package script

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/secret"
)

// A masked writer passes on what a program writes, without the secrets. A suffix that could begin one
// waits for the next byte, or for the end.
type masked struct {
	mu   sync.Mutex
	w    io.Writer
	mask secret.Mask
}

func (l *masked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(l.mask.Feed(nil, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (l *masked) hide(value []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mask.Add(value)
}

func (l *masked) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.w.Write(l.mask.Flush(nil)) // a sink that fails has said so before
}

// copyTo writes what comes in a stream to w until it ends. It waits for nobody: p.close does.
func (p *program) copyTo(r *run, s *bridge.Stream, w io.Writer, end func()) {
	l := &masked{w: w}
	r.mu.Lock()
	for _, value := range r.secrets {
		l.mask.Add(value)
	}
	r.logs, p.logs = append(r.logs, l), append(p.logs, l)
	r.mu.Unlock()
	reader := s.Reader("log", bridge.Block)
	p.logging.Go(func() {
		defer end()
		_, _ = bridge.Copy(l, reader) // what a full disk lost is marked in the log
		l.flush()
	})
}

// openLog opens the file of log=; "-" is our own output.
func (r *run) openLog(name string) (w io.Writer, end func(), err error) {
	if name == "-" {
		return printer{r, r.opts.Stdout}, func() {}, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("log: %w", err)
	}
	return kept{r, f}, func() { _ = f.Close() }, nil // every write was checked
}

// A kept is the file of log=. That it does not take something ends no dialog, but is told at the end.
type kept struct {
	r *run
	f *os.File
}

func (k kept) Write(b []byte) (int, error) {
	n, err := k.f.Write(b)
	if err != nil {
		k.r.mu.Lock()
		defer k.r.mu.Unlock()
		k.r.unkept = cmp.Or(k.r.unkept, err)
	}
	return n, err
}

// A printer is an output of ours: one write at a time.
type printer struct {
	r *run
	w io.Writer
}

func (p printer) Write(b []byte) (int, error) {
	p.r.printing.Lock()
	defer p.r.printing.Unlock()
	return p.w.Write(b)
}
