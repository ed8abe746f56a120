//go:build !linux

package bridge

// A mover would move bytes between descriptors: only Linux can.
type mover struct {
	src    Source
	sink   Sink
	inside int
}

func newMover(Source, Sink) (*mover, error) { return nil, errNeverSpliced }

func (*mover) awaitInput(func() bool) error { return errNeverSpliced }
func (*mover) interrupt()                   {}
func (*mover) awaitOutput() error           { return errNeverSpliced }
func (*mover) move() (int, found, error)    { return 0, dry, errNeverSpliced }
func (*mover) takeBack([]byte) int          { return 0 }
func (*mover) close()                       {}

func hungUp(*Input) bool { return false }
