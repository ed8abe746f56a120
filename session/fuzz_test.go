//go:build unix

package session_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/session"
)

// An echoing is a far side with a terminal, in memory: it gives back what it is
// sent, until it is stopped.
type echoing struct {
	near, far net.Conn
	ended     chan struct{}
	signals   atomic.Int64
}

func newEchoing() *echoing {
	e := &echoing{ended: make(chan struct{})}
	e.near, e.far = net.Pipe()
	go func() {
		defer close(e.ended)
		defer e.far.Close()
		_, _ = io.Copy(e.far, e.far)
	}()
	return e
}

func (e *echoing) bridge() *bridge.Bridge {
	out := bridge.NewStream(e.near, 0, 0)
	return bridge.New(e, out, nil, bridge.NewInput(e.near, out), nil)
}

func (e *echoing) Wait(ctx context.Context) (proc.Exit, error) {
	select {
	case <-e.ended:
		return proc.Exit{}, nil
	case <-ctx.Done():
		return proc.Exit{}, context.Cause(ctx)
	}
}

func (e *echoing) Stop(ctx context.Context) (proc.Exit, error) {
	e.far.Close()
	return e.Wait(ctx)
}

func (e *echoing) Signal(os.Signal) error    { e.signals.Add(1); return nil }
func (e *echoing) Resize(proc.Size) error    { return nil }
func (e *echoing) Taken() bool               { return true }
func (e *echoing) Mode() (ptyio.Mode, error) { return ptyio.Mode{EOF: 4}, nil }
func (e *echoing) Stats() bridge.PeerStats   { return bridge.PeerStats{Unread: -1, Running: true} }

// Whatever a client sends, the server lets it go when it leaves, and goes on
// with others.
func FuzzServer(f *testing.F) {
	const hello = `{"spawnx":1,"replay":"start"}`
	at := func(offset uint64, rest string) string {
		return string(binary.BigEndian.AppendUint64(nil, offset)) + rest
	}
	add := func(frames ...[]byte) {
		var all []byte
		for _, f := range frames {
			all = append(all, f...)
		}
		f.Add(all)
	}
	add(rawFrame(1, 0, hello), rawFrame(2, 0, at(0, "some input")), rawFrame(3, 1, at(0, "")))
	add(rawFrame(1, 0, `{"spawnx":1,"role":"driver","take":true,"terminal":true,"replay":"screen","rows":3,"cols":9,"client":"x"}`), rawFrame(2, 0, at(0, "\x1b[6n\x1b[2Jhello")),
		rawFrame(6, 0, `{"id":1,"do":"paint"}`), rawFrame(6, 0, `{"id":2,"do":"resize","rows":1,"cols":1}`), rawFrame(6, 0, `{"id":3,"do":"seat","take":false}`))
	add(rawFrame(1, 0, `{"spawnx":1,"role":"observer","replay":"lines","lines":3,"slow":"disconnect"}`), rawFrame(2, 0, at(0, "x")), rawFrame(6, 0, `{"id":1,"do":"stop"}`))
	for _, do := range strings.Fields("info mode waiting taken why stats signal eof stop withdraw place collect ping nothing") {
		add(rawFrame(1, 0, hello), rawFrame(6, 0, `{"id":1,"do":"`+do+`","signal":1,"place":"x","offset":0}`), rawFrame(6, 0, `{"id":1,"do":"`+do+`"}`))
	}
	add(rawFrame(1, 0, hello), rawFrame(9, 9, ""), rawFrame(6, 0, `[]`))
	f.Add([]byte{1, 0, 0xff, 0xff, '{'})
	f.Fuzz(func(t *testing.T, sent []byte) {
		far := newEchoing()
		defer far.near.Close()
		s, err := session.NewServer(far.bridge(), session.Options{})
		if err != nil {
			t.Fatal(err)
		}
		says(t, s, sent, "")
		says(t, s, append(rawFrame(1, 0, `{"spawnx":1,"replay":"none"}`), rawFrame(6, 0, `{"id":7,"do":"ping"}`)...), `{"id":7,"ok":true}`)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// says has a client say this, leave once the server has said want, and the
// server notice it.
func says(t *testing.T, s *session.Server, sent []byte, want string) {
	t.Helper()
	near, far := net.Pipe()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = s.ServeConn(far, "client")
	}()
	_ = near.SetDeadline(time.Now().Add(time.Minute))
	heard := make(chan string, 1)
	go func() {
		defer close(heard)
		r := bufio.NewReader(near)
		for head := make([]byte, 4); ; {
			if _, err := io.ReadFull(r, head); err != nil {
				break
			}
			payload := make([]byte, binary.BigEndian.Uint16(head[2:]))
			if _, err := io.ReadFull(r, payload); err != nil || string(payload) == want {
				heard <- string(payload)
				return
			}
		}
	}()
	_, _ = near.Write(sent) // the server may have closed before
	if want == "" {
		near.Close()
	}
	if got := <-heard; want != "" && got != want {
		t.Errorf("it never said %s", want)
	}
	near.Close()
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Fatalf("the server does not let go of who sent %q", sent)
	}
}
