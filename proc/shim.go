package proc

import (
	"errors"
	"fmt"
	"os"

	"github.com/spawnx/spawnx/internal/shim"
	"github.com/spawnx/spawnx/ptyio"
)

// MaybeShim belongs first into main. In a process that was re-executed as a helper it does the helper's job and never
// returns. Otherwise it notes that the binary can be re-executed, which Limits, Umask, NoNewPrivs and GuardTerminal need.
func MaybeShim() { shim.Main(ptyio.RestoreSaved) }

// errNoShim says what is missing in the host.
var errNoShim = &reason{text: "main does not call proc.MaybeShim first", err: errors.ErrUnsupported}

// steps are what has to be done between fork and execve by code of ours.
type steps struct {
	umask      *uint32
	limits     []shim.Limit
	noNewPrivs bool
}

func (s steps) any() bool { return s.umask != nil || len(s.limits) > 0 || s.noNewPrivs }

// stepsOf returns the steps that a Spec asks for, and an error if they cannot be had.
func stepsOf(spec Spec) (steps, error) {
	limits, err := limitsOf(spec.Limits)
	if err != nil {
		return steps{}, err
	}
	s := steps{spec.Umask, limits, spec.NoNewPrivs}
	if s.umask != nil && *s.umask > 0o777 {
		return steps{}, fmt.Errorf("umask %#o: at most 0777 is possible", *s.umask)
	}
	if s.any() && !canExec {
		return steps{}, fmt.Errorf("limits, umask and no_new_privs: %w", errors.ErrUnsupported)
	}
	if s.any() && !shim.Ready() {
		return steps{}, fmt.Errorf("limits, umask and no_new_privs: %w", errNoShim)
	}
	return s, nil
}

// GuardTerminal starts a small helper that gives the person's terminal back when this process dies in any way, by
// SIGKILL too. release ends it when we gave the terminal back ourselves, and waits for its end; it may be called more
// than once. Without MaybeShim in main the error is errors.ErrUnsupported.
func GuardTerminal(b *ptyio.Borrowed) (release func(), err error) {
	release, err = guard(b)
	if err != nil {
		return nil, fmt.Errorf("guarding the terminal: %w", err)
	}
	return release, nil
}

// exePath is our own binary. On Linux this names it also after it was replaced or removed, as an update does.
func exePath() (string, error) {
	if canExec {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}
