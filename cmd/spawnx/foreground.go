package main

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A foreground is our place at the person's terminal while a program runs: the terminal's mode, its size,
// the signals that come to us, and ^Z. What is special to a system is in foreground_unix.go and its like.
type foreground struct {
	terminal *ptyio.Borrowed // in raw mode; nil: left as it is
	unguard  func()
	follow   bool // the program's terminal has the size of ours

	signals chan os.Signal
	late    *time.Timer     // catches the signals that nobody sends at once
	program *bridge.Bridge  // from serve on
	sized   *bridge.Bridge  // what is resized: the program, or a client of it
	orphan  func(os.Signal) // a signal came and there is no program any more

	mu      sync.Mutex // one suspension at a time
	resumed bool       // by suspend: the SIGCONT on its way is the same event

	handling sync.Mutex // one signal at a time
	left     bool
}

// lateTime is when all signals are caught. Before, most would end a program that a shell has started as well, which has
// had no time to say otherwise; and to catch each costs two switches of threads: all forty half as long as to start.
const lateTime = 10 * time.Millisecond

// takePlace prepares for the program: from now on no signal is lost and, for a plan that says so, the
// terminal is in raw mode. A helper process gives it back should we be killed.
func takePlace(p plan) (*foreground, error) {
	f := &foreground{
		unguard: func() {}, follow: p.follow,
		signals: make(chan os.Signal, 64),
	}
	f.catch(caughtAtOnce)
	ignoreBrokenPipe()
	if ptyio.IsTerminal(os.Stdin) {
		f.catch(caughtAtTerminals)
	}
	f.late = time.AfterFunc(lateTime, f.catchLate)
	if !p.raw || inBackground() { // where setting modes would stop us
		return f, nil
	}
	terminal, err := ptyio.Remember(os.Stdin)
	if err != nil {
		return nil, err
	}
	// The guard first: we may be killed between the two.
	unguard, err := proc.GuardTerminal(terminal)
	if err != nil {
		return nil, err
	}
	if err := terminal.Raw(); err != nil {
		unguard()
		return nil, err
	}
	f.terminal, f.unguard = terminal, unguard
	return f, nil
}

func (f *foreground) catch(signals []os.Signal) {
	for _, s := range signals {
		if !signal.Ignored(s) { // nohup(1), or a shell's background job: stays so
			signal.Notify(f.signals, s)
		}
	}
}

func (f *foreground) catchLate() {
	f.catch(caughtAtTerminals)
	f.catch(caughtLater())
	f.handling.Lock()
	defer f.handling.Unlock()
	if f.program != nil && !f.left {
		f.resize() // it may have come before
	}
}

// serve passes signals on to the program, those first that came before it was there. orphan is called for
// one that comes after its end.
func (f *foreground) serve(program *bridge.Bridge, orphan func(os.Signal)) {
	f.handling.Lock()
	f.program, f.sized, f.orphan = program, program, orphan
	f.handling.Unlock()
	go func() { // as long as this process: to un-catch each signal takes as long as to catch it
		for s := range f.signals {
			f.handling.Lock()
			if f.left {
				raise(s)
			} else {
				f.handle(s)
			}
			f.handling.Unlock()
		}
	}()
}

// raise lets a signal do to us what it does to who catches none.
func raise(s os.Signal) {
	signal.Reset(s)
	if us, err := os.FindProcess(os.Getpid()); err == nil {
		_ = us.Signal(s) // there is nobody to tell
	}
}

// leave gives the terminal back. It may be called also when serve was not. Signals end us from then on.
func (f *foreground) leave() {
	f.late.Stop()
	f.handling.Lock()
	f.left = true
	f.handling.Unlock()
	if f.terminal != nil {
		_ = f.terminal.Restore() // where it fails the terminal is gone
	}
	f.unguard()
}

// pass sends a signal that was sent to us on to the program.
func (f *foreground) pass(s os.Signal) {
	if err := f.program.Signal(s); errors.Is(err, os.ErrProcessDone) {
		f.orphan(s)
	}
}

// resize gives the program's terminal the size of ours.
func (f *foreground) resize() {
	if !f.follow {
		return
	}
	if size, err := ptyio.SizeOf(os.Stdout); err == nil {
		_ = f.sized.Resize(size) // it may have ended
	}
}

// through makes the program's size that of a client, whom others follow or not.
func (f *foreground) through(client *bridge.Bridge) {
	f.handling.Lock()
	defer f.handling.Unlock()
	f.sized = client
}

// typed sees the keys before the program does. The terminal's suspend key stops the program and us where
// it would stop a program that a shell had started: on our own terminal the kernel does not, since
// nobody is there who could continue it.
func (f *foreground) typed(p []byte) (pass []byte, leave bool) {
	for i := 0; i < len(p); i++ {
		if !f.suspends(p[i]) {
			continue
		}
		if _, err := f.program.Input().Write(p[:i]); err != nil {
			return nil, false // it has ended: its output tells
		}
		f.suspend(true)
		p, i = p[i+1:], -1
	}
	return p, false
}

// suspends reports whether the program's terminal would turn a key into a stop of the program: the keys
// make signals, and reach the program itself and not one that it started as a shell does.
func (f *foreground) suspends(key byte) bool {
	mode, err := f.program.Mode()
	if err != nil || !mode.Signals || mode.Suspend == 0 || key != mode.Suspend {
		return false
	}
	process := f.program.Process()
	group, err := process.Stdio().Terminal.Foreground()
	return err == nil && group == process.PID()
}

func number(s os.Signal) syscall.Signal {
	n, _ := s.(syscall.Signal) // all that the system sends are
	return n
}
