package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Signal sends a signal to the program, as kill PID does; keys that mean a signal reach the terminal's foreground group
// instead. After the end it returns os.ErrProcessDone, and no stranger that got the same number is hit. Where a system
// has no such signal it is errors.ErrUnsupported.
func (p *Process) Signal(sig os.Signal) error { return p.send(sig, p.child.signal) }

// SignalGroup is Signal for the program's process group: the program and what it has started, but for what has a group
// of its own, as the jobs of a shell have.
func (p *Process) SignalGroup(sig os.Signal) error { return p.send(sig, p.child.signalGroup) }

func (p *Process) send(sig os.Signal, to func(syscall.Signal) error) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("signal %v: %w", sig, errors.ErrUnsupported)
	}
	if _, ended := p.Exit(); ended {
		return os.ErrProcessDone
	}
	err := to(s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %v: %w", sig, err)
	}
	return err
}

// ParseSignal reads a signal as INT, SIGINT, int or 2.
func ParseSignal(s string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 || n > 64 {
			return 0, fmt.Errorf("there is no signal %d", n)
		}
		return syscall.Signal(n), nil
	}
	if sig := signalNamed("SIG" + strings.TrimPrefix(strings.ToUpper(s), "SIG")); sig != 0 {
		return sig, nil
	}
	return 0, fmt.Errorf("there is no signal %q", s)
}
