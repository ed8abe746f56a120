package session

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
)

// A picture stands for the output before an offset.
type picture struct {
	at int64
	b  []byte
}

// pictured keeps a picture that came unasked, for Join. A newer one stands for
// all before.
func (c *Client) pictured(at int64, b []byte) {
	c.mu.Lock()
	c.shows = &picture{at, b}
	r := c.watcher
	c.mu.Unlock()
	if r != nil {
		_ = r.SetReadDeadline(time.Unix(1, 0)) // it looks
	}
}

// pictureAt takes the picture, if there is one and the output before it has
// been shown.
func (c *Client) pictureAt(at int64) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shows == nil || c.shows.at > at {
		return nil
	}
	b := c.shows.b
	c.shows = nil
	return b
}

// Join connects a person and the program, as bridge.Join does, until the
// output ends (nil), the person leaves (bridge.ErrLeft) or ctx ends (its
// cause). A client that joined FromScreen first sees the screen, and sees it
// again where it was too slow for some of the output. One call at a time.
func (c *Client) Join(ctx context.Context, seat bridge.Seat) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var shown, all sync.WaitGroup
	show := func(s *bridge.Stream, w io.Writer) {
		r := s.Reader("person", bridge.Block)
		shown.Add(1)
		all.Go(func() {
			defer shown.Done()
			defer r.Close()
			if err := c.show(ctx, w, r, s == c.bridge.Output()); err != nil {
				cancel(err)
			}
		})
	}
	out := seat.Out
	if out != nil {
		show(c.bridge.Output(), out)
	}
	if stderr := c.bridge.Stderr(); seat.Err != nil && stderr != nil {
		show(stderr, seat.Err)
	}
	all.Go(func() {
		shown.Wait()
		if out != nil {
			cancel(errOutputEnded)
		}
	})
	seat.Out, seat.Err = nil, nil
	err := bridge.Join(ctx, c.bridge, seat)
	if err == io.EOF && out != nil {
		<-ctx.Done() // nothing more is typed; the output goes on
		err = context.Cause(ctx)
	}
	cancel(err)
	all.Wait()
	if err == errOutputEnded {
		return nil
	}
	return err
}

var errOutputEnded = errors.New("the output ended")

// show shows a lane to the person until its end.
func (c *Client) show(ctx context.Context, w io.Writer, r *bridge.Reader, main bool) error {
	if main {
		c.mu.Lock()
		c.watcher = r
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			c.watcher = nil
			c.mu.Unlock()
		}()
	}
	buf := make([]byte, chunk)
	for {
		if main {
			_ = r.SetReadDeadline(noDeadline) // before the look: a picture that comes after it ends the next read
			if b := c.pictureAt(r.Offset()); b != nil {
				if _, err := w.Write(b); err != nil {
					return err
				}
			}
		}
		n, err := r.ReadContext(ctx, buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err == nil, bridge.IsLost(err), errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
		case ctx.Err() != nil:
			return nil
		default:
			return err
		}
	}
}
