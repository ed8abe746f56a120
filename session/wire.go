package session

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// This file is PROTOCOL.md in Go: frames and their payloads, and nothing that
// waits.

const (
	version    = 1
	headLen    = 4
	maxPayload = 65532
	maxHello   = 4096
	maxName    = 64 // of who, client, place

	maxNumber = math.MaxInt64 / 2 // of an offset

	window      = 256 << 10 // of output, beyond the client's last ack
	typedWindow = 64 << 10  // of input, beyond ours
	maxWindow   = 4 << 20   // that a server may ask a client to keep
	chunk       = 32 << 10  // of output, in one frame
)

// Types of frames.
const (
	kindHello   = 1
	kindData    = 2
	kindAck     = 3
	kindGap     = 4
	kindPaint   = 5
	kindControl = 6
)

// Lanes.
const (
	laneInput  = 0
	laneOutput = 1
	laneStderr = 2
)

// A frame is what goes over the wire. The payload of one that was read is
// valid until the next is.
type frame struct {
	kind, lane byte
	payload    []byte
}

var (
	errTooLong  = errors.New("a frame that is longer than allowed")
	errShort    = errors.New("a frame that is too short for its type")
	errNoObject = errors.New("JSON that is no object")
)

// A frameReader reads frames of at most max bytes of payload. Its memory is
// one buffer that grows to what the limit allows, never to what a head asks for.
type frameReader struct {
	r    io.Reader
	max  int
	head [headLen]byte
	buf  []byte
}

func (f *frameReader) next() (frame, error) {
	if _, err := io.ReadFull(f.r, f.head[:]); err != nil {
		return frame{}, err // io.EOF at the end of a frame is an orderly end
	}
	n := int(binary.BigEndian.Uint16(f.head[2:]))
	if n > f.max {
		return frame{}, errTooLong
	}
	if len(f.buf) < n {
		f.buf = make([]byte, f.max)
	}
	if _, err := io.ReadFull(f.r, f.buf[:n]); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	return frame{f.head[0], f.head[1], f.buf[:n]}, nil
}

// putHead writes the head of a frame of n bytes of payload into the space before
// it.
func putHead(p []byte, kind, lane byte, n int) {
	p[0], p[1] = kind, lane
	binary.BigEndian.PutUint16(p[2:], uint16(n))
}

func appendHead(p []byte, kind, lane byte, n int) []byte {
	return binary.BigEndian.AppendUint16(append(p, kind, lane), uint16(n))
}

func dataFrame(lane byte, offset int64, b []byte) []byte {
	p := appendHead(make([]byte, 0, headLen+8+len(b)), kindData, lane, 8+len(b))
	return append(binary.BigEndian.AppendUint64(p, uint64(offset)), b...)
}

func ackFrame(lane byte, offset int64) []byte {
	return binary.BigEndian.AppendUint64(appendHead(nil, kindAck, lane, 8), uint64(offset))
}

func gapFrame(lane byte, from, to int64) []byte {
	p := appendHead(nil, kindGap, lane, 16)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(p, uint64(from)), uint64(to))
}

// paintFrames are the frames of a whole screen.
func paintFrames(offset int64, b []byte) (p []byte) {
	for {
		part := b[:min(len(b), chunk)]
		b = b[len(part):]
		p = appendHead(p, kindPaint, laneOutput, 9+len(part))
		p = binary.BigEndian.AppendUint64(p, uint64(offset))
		more := byte(0)
		if len(b) > 0 {
			more = 1
		}
		p = append(append(p, more), part...)
		if more == 0 {
			return p
		}
	}
}

// jsonFrame returns the frame of a message of ours, which must fit.
func jsonFrame(kind byte, v any) []byte {
	b, err := json.Marshal(v)
	if err == nil && len(b) > maxPayload {
		err = errTooLong
	}
	if err != nil {
		id := int64(0)
		if c, ok := v.(*control); ok {
			id = c.ID
		}
		b, _ = json.Marshal(&control{ID: id, Error: "the answer cannot be sent: " + err.Error(), Code: codeFailed})
	}
	return append(appendHead(make([]byte, 0, headLen+len(b)), kind, 0, len(b)), b...)
}

// offset takes an offset from the front of a payload.
func offset(p []byte) (int64, []byte, error) {
	if len(p) < 8 {
		return 0, nil, errShort
	}
	n := binary.BigEndian.Uint64(p)
	if n > maxNumber {
		return 0, nil, errors.New("an offset that cannot be")
	}
	return int64(n), p[8:], nil
}

// gap reads the payload of a GAP.
func gap(p []byte) (from, to int64, err error) {
	from, p, err = offset(p)
	if err == nil {
		to, _, err = offset(p)
	}
	if err == nil && to < from {
		err = errors.New("a gap that ends before it begins")
	}
	return from, to, err
}

// paint reads the payload of a PAINT.
func paint(p []byte) (at int64, more bool, b []byte, err error) {
	at, p, err = offset(p)
	if err == nil && len(p) < 1 {
		err = errShort
	}
	if err != nil {
		return 0, false, nil, err
	}
	return at, p[0]&1 != 0, p[1:], nil
}

// object decodes JSON that must be an object.
func object(p []byte, v any) error {
	for _, c := range p {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{':
			return json.Unmarshal(p, v)
		}
		return errNoObject
	}
	return errNoObject
}

// A hello is what a client says first.
type hello struct {
	Version  int    `json:"spawnx"`
	Token    string `json:"token,omitempty"`
	Role     string `json:"role,omitempty"`
	Take     bool   `json:"take,omitempty"`
	Who      string `json:"who,omitempty"`
	Client   string `json:"client,omitempty"`
	Epoch    string `json:"epoch,omitempty"`
	Replay   string `json:"replay,omitempty"`
	Offset   int64  `json:"offset,omitempty"`
	Stderr   int64  `json:"stderr,omitempty"`
	Lines    int    `json:"lines,omitempty"`
	Place    string `json:"place,omitempty"`
	Slow     string `json:"slow,omitempty"`
	Terminal bool   `json:"terminal,omitempty"`
	Rows     int    `json:"rows,omitempty"`
	Cols     int    `json:"cols,omitempty"`
}

// check returns the first thing in a hello that cannot be.
func (h *hello) check() error {
	switch {
	case h.Version < 1:
		return errors.New("no version of the protocol")
	case len(h.Who) > maxName || len(h.Client) > maxName || len(h.Place) > maxName || len(h.Epoch) > maxName:
		return fmt.Errorf("a name of more than %d characters", maxName)
	case h.Offset < 0 || h.Stderr < 0 || h.Lines < 0:
		return errors.New("a number below 0")
	case h.Rows < 0 || h.Cols < 0 || h.Rows > math.MaxUint16 || h.Cols > math.MaxUint16:
		return errors.New("a size that no terminal can have")
	}
	if _, err := parseRole(h.Role); err != nil {
		return err
	}
	if _, err := ParseSlow(h.Slow); err != nil {
		return err
	}
	switch h.Replay {
	case "", replayStart, replayNow, replayNone, replayOffset, replayLines, replayScreen, replayPlace:
		return nil
	}
	return fmt.Errorf("no such replay: %q", h.Replay)
}

// A welcome is the server's hello.
type welcome struct {
	Version  int    `json:"spawnx"`
	Epoch    string `json:"epoch"`
	Name     string `json:"name,omitempty"`
	Role     string `json:"role"`
	Window   int64  `json:"window"`
	Output   int64  `json:"output"`
	Stderr   int64  `json:"stderr"`
	Input    int64  `json:"input"`
	Typed    int64  `json:"typed"`
	Terminal bool   `json:"terminal"`
	Shared   bool   `json:"shared"`
	Running  bool   `json:"running"`
	Info     *Info  `json:"info,omitempty"`
}

// check returns the first thing in a welcome that cannot be: who is dialled need
// be no server of ours.
func (w *welcome) check() error {
	offset := func(n, least int64) bool { return n >= least && n <= maxNumber }
	switch {
	case w.Version != version:
		return fmt.Errorf("it speaks version %d of the protocol, this is version %d", w.Version, version)
	case w.Window < 1 || w.Window > maxWindow || w.Typed < 0 || w.Typed > maxWindow:
		return fmt.Errorf("a window of %d bytes, %d for input: that cannot be", w.Window, w.Typed)
	case !offset(w.Output, -1) || !offset(w.Stderr, -1) || !offset(w.Input, 0):
		return errors.New("an offset that cannot be")
	}
	return nil
}

// Codes of errors.
const (
	codeRole        = "role"
	codeUnsupported = "unsupported"
	codeEnded       = "ended"
	codeRunning     = "running"
	codeUnknown     = "unknown"
	codeFailed      = "failed"
	codeHello       = "hello"
	codeToken       = "token"
	codeFull        = "full"
	codeProtocol    = "protocol"
	codeSlow        = "slow"
	codeUser        = "user"
)

// Events.
const (
	eventEOF   = "eof"
	eventExit  = "exit"
	eventSeat  = "seat"
	eventSize  = "size"
	eventError = "error"
)

// A control is every request, answer and event.
type control struct {
	ID    int64  `json:"id,omitempty"`
	Do    string `json:"do,omitempty"`
	OK    bool   `json:"ok,omitempty"`
	Event string `json:"event,omitempty"`
	Error string `json:"error,omitempty"`
	Code  string `json:"code,omitempty"`

	Lane   int    `json:"lane,omitempty"`
	Offset *int64 `json:"offset,omitempty"`
	Output *int64 `json:"output,omitempty"`
	Input  *int64 `json:"input,omitempty"`
	Rows   int    `json:"rows,omitempty"`
	Cols   int    `json:"cols,omitempty"`
	Signal int    `json:"signal,omitempty"`
	Take   *bool  `json:"take,omitempty"`
	Taken  *bool  `json:"taken,omitempty"`
	Place  string `json:"place,omitempty"`
	Role   string `json:"role,omitempty"`
	Driver string `json:"driver,omitempty"`

	Exit     *Exit             `json:"exit,omitempty"`
	Mode     *ptyio.Mode       `json:"mode,omitempty"`
	Peer     *bridge.PeerStats `json:"peer,omitempty"`
	Evidence *diag.Evidence    `json:"evidence,omitempty"`
	Findings []diag.Finding    `json:"findings,omitempty"`
	Info     *Info             `json:"info,omitempty"`
}

// An Exit is a proc.Exit as it is sent and kept.
type Exit struct {
	Code     int   `json:"code"`
	Signal   int   `json:"signal"`
	Core     bool  `json:"core,omitempty"`
	CPU      int64 `json:"cpu_ns"`
	MaxRSS   int64 `json:"max_rss"`
	Restarts int   `json:"restarts,omitempty"`
}

func newExit(e proc.Exit) *Exit {
	return &Exit{Code: e.Code, Signal: int(e.Signal), Core: e.Core, CPU: int64(e.CPU), MaxRSS: e.MaxRSS, Restarts: e.Restarts}
}

// Exit returns it as package proc has it.
func (e Exit) Exit() proc.Exit {
	return proc.Exit{Code: e.Code, Signal: syscall.Signal(e.Signal), Core: e.Core, CPU: time.Duration(e.CPU), MaxRSS: e.MaxRSS, Restarts: e.Restarts}
}

// result is what Wait of a process returns for it.
func (e Exit) result() (proc.Exit, error) {
	x := e.Exit()
	switch {
	case x.Signal == 0 && x.Code < 0:
		return x, proc.ErrStatusUnknown
	case x.Status() != 0:
		return x, &proc.ExitError{Exit: x}
	}
	return x, nil
}

func ptr[T any](v T) *T { return &v }
