package bridge

import (
	"context"
	"os"
	"time"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A Peer is whatever stands at the far side of a Bridge: a program started
// here, one that is served elsewhere, or nothing but a reader and a writer.
// What a far side cannot do is answered with errors.ErrUnsupported.
type Peer interface {
	// Wait returns when the far side has ended and its output is complete.
	Wait(ctx context.Context) (proc.Exit, error)
	// Stop ends it; see proc.Process.Stop.
	Stop(ctx context.Context) (proc.Exit, error)
	Signal(sig os.Signal) error
	Resize(size proc.Size) error
	// Taken reports whether it has taken all the input that was sent, as far
	// as that can be seen from here.
	Taken() bool
	// Mode is what its terminal does with input at the moment.
	Mode() (ptyio.Mode, error)
	Stats() PeerStats
}

// PeerStats is what is known of the far side without asking it, as plain data.
type PeerStats struct {
	PID        int // 0: not a process of this machine
	Args       []string
	Terminal   string // /dev/pts/7, or "" where there is none
	Foreground int    // the process group that its terminal listens to, 0 if unknown
	Unread     int    // bytes of output that wait in the kernel, -1 if unknown
	NoEcho     bool   // its terminal was started with echo off
	// The pipes that join it to us, as /proc numbers them; 0 for a terminal.
	InputPipe, OutputPipe, ErrPipe uint64
	Running                        bool
	Ran                            time.Duration // so far, or until it ended
	Restarts                       int
	RestartAt                      time.Time // when it is started again; zero unless it has ended and waits for that
}
