package session

import (
	"fmt"
	"strings"

	"github.com/spawnx/spawnx/proc"
)

// A Window says whose window the program's terminal is as large as.
type Window int

const (
	WindowDriver   Window = iota // the driver's
	WindowFixed                  // nobody's: it stays as it was started
	WindowSmallest               // what all of them can show
	WindowLargest                // the most rows and the most columns of any
	WindowLatest                 // of whoever came, resized or typed last
)

var windowNames = [...]string{WindowDriver: "driver", WindowFixed: "fixed", WindowSmallest: "smallest", WindowLargest: "largest", WindowLatest: "latest"}

func (w Window) String() string {
	if w < 0 || int(w) >= len(windowNames) {
		return fmt.Sprintf("Window(%d)", int(w))
	}
	return windowNames[w]
}

// ParseWindow is the reverse of String.
func ParseWindow(s string) (Window, error) {
	for w, name := range windowNames {
		if name == s {
			return Window(w), nil
		}
	}
	return 0, fmt.Errorf("%q is none of %s", s, strings.Join(windowNames[:], ", "))
}

// A pane is a client's window.
type pane struct {
	size   proc.Size // zero: it has none
	role   Role
	active int // when it last did something, counted
}

// choose returns the size that the terminal should have; ok is false when it
// should stay as it is. The windows of observers never count: who only looks on
// must not rearrange what others work with.
func (w Window) choose(panes []pane) (size proc.Size, ok bool) {
	latest := -1
	for _, p := range panes {
		if p.size == (proc.Size{}) || p.role == Observer {
			continue
		}
		switch w {
		case WindowFixed:
			return proc.Size{}, false
		case WindowDriver:
			if p.role == Driver {
				return p.size, true
			}
		case WindowSmallest:
			if !ok {
				size = p.size
			}
			size = proc.Size{Rows: min(size.Rows, p.size.Rows), Cols: min(size.Cols, p.size.Cols)}
			ok = true
		case WindowLargest:
			size = proc.Size{Rows: max(size.Rows, p.size.Rows), Cols: max(size.Cols, p.size.Cols)}
			ok = true
		case WindowLatest:
			if p.active > latest {
				latest, size, ok = p.active, p.size, true
			}
		}
	}
	return size, ok
}
