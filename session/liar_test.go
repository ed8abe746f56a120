//go:build unix

package session_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// liar serves at a socket as serve says, once for each connection, behind its
// hello.
func liar(t *testing.T, serve func(c *raw)) (addr string) {
	t.Helper()
	path := filepath.Join(inRuntimeDir(t), "liar")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				c := &raw{conn, t, bufio.NewReader(conn)}
				if kind, _, _ := c.next(); kind == 1 {
					serve(c)
				}
			}()
		}
	}()
	return "spawnx:" + path
}

const welcome = `{"spawnx":1,"epoch":"E","role":"owner","window":65536,"output":0,"stderr":-1,"input":0,"typed":65536,"running":true}`

// A server need be none of ours. What it says that cannot be is an error, and no
// harm.
func TestAServerThatLies(t *testing.T) {
	for _, change := range []string{
		`"typed":-1`, `"typed":9000000000000000000`, `"window":0`, `"window":-5`, `"window":1099511627776`, `"output":-2`,
		`"output":9223372036854775807`, `"stderr":-7`, `"input":-1`, `"input":9223372036854775807`, `"spawnx":2`,
	} {
		addr := liar(t, func(c *raw) {
			c.Write(rawFrame(1, 0, strings.TrimSuffix(welcome, "}")+","+change+"}")) // the last of two members counts
			c.next()
		})
		c, err := session.Dial(t.Context(), addr)
		if err == nil {
			t.Errorf("%s: it is joined", change)
			c.Close()
		}
	}
}

// A write says no more than it was given, whatever the server counts.
func TestAServerThatMiscounts(t *testing.T) {
	for name, answer := range map[string]string{
		"refused": `{"event":"error","error":"\u001b]0;no\u0007","code":"role","input":1099511627776}`,
		"below":   `{"event":"error","error":"no","code":"role","input":-1099511627776}`,
	} {
		addr := liar(t, func(c *raw) {
			c.Write(rawFrame(1, 0, welcome))
			c.Write(rawFrame(6, 0, `{"event":"size","rows":-3,"cols":1000000000}`))
			if kind, _, _ := c.next(); kind == 2 {
				c.Write(rawFrame(6, 0, answer))
			}
			c.next()
		})
		c := dial(t, session.Dialer{}, addr)
		n, err := c.Bridge().Input().Write([]byte("hello"))
		if n < 0 || n > 5 || !errors.Is(err, fs.ErrPermission) || strings.ContainsAny(err.Error(), "\x1b\a") {
			t.Errorf("%s: %d bytes, %q", name, n, err)
		}
		if c.Size() != (proc.Size{}) {
			t.Errorf("%s: a size of %v", name, c.Size())
		}
		c.Close()
	}
}

// A server that sends what takes no room does not fill the client's memory with
// it, and what follows arrives.
func TestFramesThatHoldNothing(t *testing.T) {
	addr := liar(t, func(c *raw) {
		c.Write(rawFrame(1, 0, welcome))
		at := func(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
		var all []byte
		for i := range uint64(5000) {
			all = append(all, rawFrame(2, 1, at(i))...)         // no bytes
			all = append(all, rawFrame(4, 1, at(i)+at(i))...)   // no gap
			all = append(all, rawFrame(4, 1, at(i)+at(i+1))...) // a byte is lost
		}
		c.Write(append(all, rawFrame(2, 1, at(5000)+"end")...))
		c.Write(rawFrame(6, 0, `{"event":"eof","lane":1}`))
		c.next()
	})
	c := dial(t, session.Dialer{}, addr)
	r := c.Bridge().Output().Reader("test", bridge.Block)
	defer r.Close()
	var got []byte
	lost := int64(0)
	_ = r.SetReadDeadline(time.Now().Add(30 * time.Second))
	for buf := make([]byte, 100); ; {
		n, err := r.Read(buf)
		got = append(got, buf[:n]...)
		if l := (*bridge.LostError)(nil); errors.As(err, &l) {
			lost += l.To - l.From
		} else if err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
	}
	if string(got) != "end" || lost != 5000 {
		t.Errorf("%q, and %d bytes lost", got, lost)
	}
}
