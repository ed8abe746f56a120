package bridge

import (
	"errors"
	"os"
	"sync"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// Sit puts a person's terminal into raw mode for as long as the person sits at
// the program, whose terminal follows its size. stand gives it back; so does a
// helper process when this one dies before, if main called proc.MaybeShim. For
// a file that is no terminal nothing is done.
//
// While it lasts it listens to SIGWINCH and SIGCONT, which takes nothing from
// the host's own handlers.
func (b *Bridge) Sit(tty *os.File) (stand func(), err error) {
	if !ptyio.IsTerminal(tty) {
		return func() {}, nil
	}
	seat, err := ptyio.Borrow(tty)
	if err != nil {
		return nil, err
	}
	release, err := proc.GuardTerminal(seat)
	if errors.Is(err, errors.ErrUnsupported) {
		release, err = func() {}, nil
	}
	if err != nil {
		_ = seat.Restore()
		return nil, err
	}
	follow := func() {
		if size, err := seat.Size(); err == nil {
			_ = b.Resize(size) // a program on pipes has no size
		}
	}
	follow()
	unwatch := watchTerminal(follow, func() { _ = seat.Raw() })
	return sync.OnceFunc(func() {
		unwatch()
		_ = seat.Restore() // nothing is left to do where it fails: the terminal is gone
		release()
	}), nil
}
