package shim

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
)

// A keeper is the parent of all contained programs of its supervisor, and adopts what these leave behind. The two talk
// over the socket that the keeper was started with: first a Plan, then Orders, each with an ID that its Answer repeats.
// The socket is also the lifeline: when it ends, the keeper kills all its descendants.

// What an Order asks for.
const (
	Fork   = "fork"   // start a program; its descriptors come with the order. A second Answer says how it ended, unasked; it is left unreaped
	Reap   = "reap"   // free the number of PID, which has ended. It has no Answer
	Strays = "strays" // who was left behind by the processes with Mark and adopted
	Kill   = "kill"   // kill PID, if it is not reaped, and all that was left behind by the processes with Mark
	Ping   = "ping"   // nothing but an answer
)

// An Order is what the supervisor asks its keeper for.
type Order struct {
	ID  uint64
	Do  string
	PID int `json:",omitempty"` // as Fork returned it

	Free []string `json:",omitempty"` // cgroups of programs that left nobody: they may be used again

	// For Strays and Kill, as Fork returned it: the program may be reaped by now.
	Mark uint64 `json:",omitempty"`

	// For Fork.
	Here      bool   `json:",omitempty"` // the first descriptor is the folder to start from; else Dir is absolute
	Path, Dir []byte `json:",omitempty"`
	Args, Env Words  `json:",omitempty"`
	Umask     int    `json:",omitempty"`
	Terminal  bool   `json:",omitempty"` // descriptor Ctty becomes the controlling terminal
	Ctty      int    `json:",omitempty"`
	User      *User  `json:",omitempty"`
}

// An Answer is what became of an Order. The first one has no order: it says that the keeper is there.
type Answer struct {
	ID    uint64
	Errno syscall.Errno `json:",omitempty"` // it failed
	Text  string        `json:",omitempty"` // why, where there is no Errno
	PID   int           `json:",omitempty"` // of Fork
	PIDs  []int         `json:",omitempty"` // of Strays, and those that Kill has to be asked for again
	Group string        `json:",omitempty"` // the cgroup's folder: of the keeper's programs, of this program
	Mark  uint64        `json:",omitempty"` // where there is no cgroup: what all of the keeper's marks begin with, this program's
	Ended *Ended        `json:",omitempty"` // of Fork, the second time
}

// Err is why an order failed.
func (a Answer) Err() error {
	switch {
	case a.Errno != 0:
		return a.Errno
	case a.Text != "":
		return errors.New(a.Text)
	}
	return nil
}

// Ended says how a process ended, as waitid(2) does.
type Ended struct {
	Code   int // -1 where a signal ended it
	Signal syscall.Signal
	Core   bool
	CPU    time.Duration
	MaxRSS int64 // bytes
}

// MaxFiles is how many descriptors an order can carry, the folder among them: SCM_MAX_FD of net/scm.h.
const MaxFiles = 253

// maxOrder bounds an Order as maxPlan bounds a Plan.
const maxOrder = maxPlan

// frame is a message on the socket: its length in four bytes, then JSON.
func frame(v any, most int) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, syscall.E2BIG
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...), nil
}

// unframe is the reverse of frame. It reads no byte more.
func unframe(r io.Reader, v any, most int) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	return body(r, size, v, most)
}

func body(r io.Reader, size [4]byte, v any, most int) error {
	n := binary.BigEndian.Uint32(size[:])
	if int64(n) > int64(most) {
		return fmt.Errorf("a message of %d bytes is too long", n)
	}
	const usual = 64 << 10
	data := make([]byte, min(n, usual))
	_, err := io.ReadFull(r, data)
	if err == nil && n > usual { // not allocated from what the other end claims, but as it comes
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(r, int64(n-usual)))
		data = append(data, rest...)
	}
	if err == nil && len(data) < int(n) || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// Encode returns an order as it goes over the socket. The descriptors go with its first bytes.
func (o Order) Encode() ([]byte, error) { return frame(o, maxOrder) }

// ReadAnswer reads the next answer; io.EOF says that the keeper is gone.
func ReadAnswer(r io.Reader) (a Answer, err error) {
	err = unframe(r, &a, maxOrder)
	return a, err
}
