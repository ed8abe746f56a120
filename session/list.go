package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/internal/rundir"
	"github.com/spawnx/spawnx/proc"
)

// Info is what there is to know of a served program.
type Info struct {
	Name      string    `json:"name,omitempty"`
	Channel   string    `json:"channel,omitempty"`
	PID       int       `json:"pid,omitempty"` // of the program; 0 when it is not of the server's machine, or has ended before
	ServerPID int       `json:"server_pid,omitempty"`
	Args      []string  `json:"args,omitempty"` // cut, and ends in "…", where it is long
	Running   bool      `json:"running"`
	Exit      *Exit     `json:"exit,omitempty"`
	Started   time.Time `json:"started,omitzero"`
	Clients   int       `json:"clients"`
	Driver    string    `json:"driver,omitempty"` // who sits there
	TTY       string    `json:"tty,omitempty"`    // "/dev/pts/7"; "" where it has no terminal
	Rows      int       `json:"rows,omitempty"`
	Cols      int       `json:"cols,omitempty"`
	Output    int64     `json:"output"` // bytes that it has written
	Restarts  int       `json:"restarts,omitempty"`
	RestartAt time.Time `json:"restart_at,omitzero"` // it has ended, and is started again then
	Prompt    string    `json:"prompt,omitempty"`
	Doors     []string  `json:"doors,omitempty"`
	Error     string    `json:"error,omitempty"` // why no more is known: its server does not answer
}

// briefly is a command line for an answer, which has to fit into a frame.
func briefly(args []string) []string {
	left := 4 << 10 // in JSON a byte can become six
	for i, arg := range args {
		if left < len(arg)+3 {
			return append(slices.Clone(args[:i]), cut(arg, max(left, 0)))
		}
		left -= len(arg) + 3
	}
	return args
}

// cut is the beginning of s, at most n bytes of it and an ellipsis.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// askTime is how long List waits for a server that does not answer.
const askTime = 2 * time.Second

// List returns all named programs of this user, by name: those that run, and
// those that have ended and whose status nobody has collected.
func List(ctx context.Context) ([]Info, error) {
	entries, err := rundir.List()
	if err != nil {
		return nil, err
	}
	all := make([]Info, len(entries))
	var asked sync.WaitGroup
	for i, e := range entries {
		if e.Exit != nil {
			all[i] = ended(e)
			continue
		}
		asked.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, askTime)
			defer cancel()
			info, err := ask(ctx, e.Name)
			if err != nil {
				info = Info{Name: e.Name, ServerPID: e.PID, Running: true, Error: err.Error()}
			}
			all[i] = info
		})
	}
	asked.Wait()
	return all, nil
}

// ask asks a server what it serves.
func ask(ctx context.Context, name string) (Info, error) {
	c, err := Dialer{From: Nothing}.Dial(ctx, name)
	if err != nil {
		return Info{}, err
	}
	defer c.Close()
	info, err := c.Info(ctx)
	info.Clients = max(info.Clients-1, 0) // without us
	return info, err
}

func ended(e rundir.Entry) Info {
	i := Info{Name: e.Name, Exit: &Exit{Code: -1}}
	if err := json.Unmarshal(e.Exit, i.Exit); err != nil {
		i.Error = "its status cannot be read: " + err.Error()
	}
	return i
}

// Collect waits until the program of this name has ended and takes its exit
// status, which is then no longer kept. The error is that of
// bridge.Bridge.Wait, or a *NotRunningError.
func Collect(ctx context.Context, name string) (proc.Exit, error) {
	var seen *Exit
	for {
		c, err := Dialer{From: Nothing}.Dial(ctx, name)
		if err == nil {
			exit, err := c.Collect(ctx)
			_ = c.Close()
			if !errors.Is(err, errGone) {
				return exit, err
			}
			seen = c.exitStatus()
		} else if !isNotRunning(err) {
			return proc.Exit{}, err
		}
		status, err := rundir.Collect(name)
		var taken *rundir.TakenError
		switch {
		case seen != nil && err != nil: // whoever waits beside us was first
			return seen.result()
		case errors.As(err, &taken): // another program has the name meanwhile, and opens its doors soon
			select {
			case <-time.After(returnPause):
			case <-ctx.Done():
				return proc.Exit{}, context.Cause(ctx)
			}
			continue
		case errors.Is(err, fs.ErrNotExist):
			return proc.Exit{}, notRunning(name)
		case err != nil:
			return proc.Exit{}, err
		}
		var e Exit
		if err := json.Unmarshal(status, &e); err != nil {
			return proc.Exit{}, fmt.Errorf("the kept status of %s: %w", name, err)
		}
		return e.result()
	}
}

// A NotRunningError says that no program runs under a name.
type NotRunningError struct {
	Name    string
	Exit    *Exit    // how it ended, where that is kept
	Running []string // those that run
}

func (e *NotRunningError) Error() string {
	s := e.Name + " is not running"
	if e.Exit != nil {
		s = fmt.Sprintf("%s has ended: %v", e.Name, e.Exit.Exit())
	}
	if len(e.Running) == 0 {
		return s + "\n  running  none"
	}
	return s + "\n  running  " + strings.Join(e.Running, "  ")
}

func isNotRunning(err error) bool {
	var e *NotRunningError
	return errors.As(err, &e)
}

// notRunning is the error for a name that is not served.
func notRunning(name string) error {
	e := &NotRunningError{Name: name}
	entries, err := rundir.List()
	if err != nil {
		return errors.Join(e, err)
	}
	for _, entry := range entries {
		switch {
		case entry.Exit == nil:
			e.Running = append(e.Running, entry.Name)
		case entry.Name == name:
			e.Exit = ended(entry).Exit
		}
	}
	return e
}
