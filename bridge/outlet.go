package bridge

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// An outlet is the end of a program's output as a Source. It adds the one
// thing that a descriptor does not know: when the program has ended but an
// orphan of it keeps the output open, silence for the linger time is the end.
type outlet struct {
	f      *ptyio.File
	linger time.Duration // 0: do not wait at all
	size   func() int    // see WithPieces; nil: whole reads

	mu      sync.Mutex // also orders every SetReadDeadline of f
	want    time.Time  // what the lane asked for
	exited  bool
	quietAt time.Time // when silence after the exit becomes the end
	cut     bool      // it did
}

func (o *outlet) Read(p []byte) (int, error) {
	p = o.piece(p)
	for {
		n, err := o.f.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			o.heard()
			return n, err
		}
		n, err, again := o.late(p)
		if !again {
			return n, err
		}
	}
}

// heard starts the linger time anew: there was output.
func (o *outlet) heard() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.exited {
		o.quietAt = time.Now().Add(o.linger)
		o.arm()
	}
}

// late decides what a passed deadline meant.
func (o *outlet) late(p []byte) (n int, err error, again bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if o.exited && !now.Before(o.quietAt) {
		// A deadline that has passed hides bytes that are there.
		n, err := o.f.ReadNow(p)
		switch {
		case n > 0:
			o.quietAt = now.Add(o.linger)
			o.arm()
			return n, nil, false
		case errors.Is(err, ptyio.ErrAgain):
			o.cut = true
			return 0, io.EOF, false
		default:
			return 0, err, false
		}
	}
	if !o.want.IsZero() && !now.Before(o.want) {
		return 0, os.ErrDeadlineExceeded, false
	}
	o.arm()
	return 0, nil, true
}

func (o *outlet) ReadNow(p []byte) (int, error) {
	n, err := o.f.ReadNow(o.piece(p))
	if n > 0 {
		o.heard()
	}
	return n, err
}

func (o *outlet) SetReadDeadline(t time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.want = t
	return o.arm()
}

func (o *outlet) arm() error {
	t := o.want
	if o.exited {
		t = earlier(t, o.quietAt)
	}
	return o.f.SetReadDeadline(t)
}

// ended tells the outlet that the program's exit was seen.
func (o *outlet) ended() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.exited {
		o.exited = true
		o.quietAt = time.Now().Add(o.linger)
		_ = o.arm()
	}
}

// wasCut reports whether the end was silence, not the end of the output.
func (o *outlet) wasCut() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cut
}
