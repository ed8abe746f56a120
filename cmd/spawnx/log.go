package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"sync"

	"github.com/spawnx/spawnx/internal/secret"
)

// A logFile gets a program's output as it was written, secrets masked, and begins anew when it is long
// enough: FILE becomes FILE.1, that FILE.2, up to keep of them. Only its owner can read it.
type logFile struct {
	name  string
	limit int64 // 0: none
	keep  int

	mu      sync.Mutex // guards all below
	f       *os.File
	length  int64
	missing int64 // bytes that it does not hold
	failed  error // why; the last reason
	stuck   error // why it did not begin anew
	moved   bool  // the old ones have made room for a new one
	lanes   []*logLane
	secrets [][]byte
}

// A logLane is one of the streams that share a log: a secret may be cut by another stream's output.
type logLane struct {
	log  *logFile
	mask secret.Mask
}

func openLog(name string, limit int64, keep int) (*logFile, error) {
	l := &logFile{name: name, limit: limit, keep: keep}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // the error above says it
		return fmt.Errorf("log: %w", err)
	}
	l.f, l.length = f, info.Size()
	return nil
}

// lane returns a new lane for one stream.
func (l *logFile) lane() *logLane {
	l.mu.Lock()
	defer l.mu.Unlock()
	lane := &logLane{log: l}
	for _, value := range l.secrets {
		lane.mask.Add(value)
	}
	l.lanes = append(l.lanes, lane)
	return lane
}

// hide masks a secret from now on.
func (l *logFile) hide(value []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets = append(l.secrets, bytes.Clone(value))
	for _, lane := range l.lanes {
		lane.mask.Add(value)
	}
}

// Write takes all of p or none of it.
func (lane *logLane) Write(p []byte) (int, error) {
	l := lane.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(lane.mask.Feed(nil, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// write writes p, the rest of a line that is too much to a new file's predecessor. Where no new one can be had, the old
// one grows: that nothing is missing matters more.
func (l *logFile) write(p []byte) error {
	if l.limit > 0 && l.length > 0 && l.length+int64(len(p)) > l.limit {
		line := bytes.IndexByte(p, '\n') + 1
		if err := l.append(p[:line]); err != nil {
			return err
		}
		p = p[line:]
		l.stuck = l.rotate()
	}
	return l.append(p)
}

// append writes all of p, or takes back what came of it: it will be said to be missing as a whole.
func (l *logFile) append(p []byte) error {
	n, err := l.f.Write(p)
	if err != nil {
		l.failed = err
	}
	if err != nil && n > 0 {
		if info, serr := l.f.Stat(); serr == nil && info.Size() == l.length+int64(n) && l.f.Truncate(l.length) == nil {
			n = 0
		}
	}
	l.length += int64(n)
	return err
}

// rotate moves every log on by one, the oldest is overwritten, and begins a new one. They are not moved a second time when
// something failed: to move them at every write would lose them all.
func (l *logFile) rotate() error {
	if !l.moved {
		if l.stuck != nil {
			return l.stuck
		}
		if err := l.moveOn(); err != nil {
			return err
		}
		l.moved = true
	}
	old := l.f
	if err := l.open(); err != nil {
		return err
	}
	l.moved = false
	return old.Close()
}

func (l *logFile) moveOn() error {
	for n := l.keep; n > 0; n-- {
		from := l.name
		if n > 1 {
			from = fmt.Sprintf("%s.%d", l.name, n-1)
		}
		if err := os.Rename(from, fmt.Sprintf("%s.%d", l.name, n)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("log: %w", err)
		}
	}
	return nil
}

// lost counts what the log did not get.
func (l *logFile) lost(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.missing += n
}

// gaps says what is missing. The log itself does, as far as it could be written again afterwards.
func (l *logFile) gaps() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.missing == 0 {
		return nil
	}
	return fmt.Errorf("log: %d bytes of the output are not in it: %w", l.missing, l.failed)
}

// Close writes what the masks held back.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first error
	for _, lane := range l.lanes {
		if err := l.append(lane.mask.Flush(nil)); first == nil {
			first = err
		}
	}
	return cmp.Or(first, l.f.Close(), l.stuck)
}
