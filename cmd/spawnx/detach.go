package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// A notice is what the detached one tells who started it, as one line of JSON.
type notice struct {
	Status int      `json:"status"` // 0: the program runs
	Error  string   `json:"error,omitempty"`
	Doors  []string `json:"doors,omitempty"`
	Note   string   `json:"note,omitempty"` // what the person may not have meant
}

func (n notice) write(w io.Writer) {
	_ = json.NewEncoder(w).Encode(n) // who waited for it has gone
}

// A detachedError is why the detached one could not start the program.
type detachedError struct {
	status int
	text   string
}

func (e *detachedError) Error() string { return e.text }

var errNoNotice = errors.New("the detached spawnx ended without a word")

// detached starts this run once more, in the background, and prints what others need to know.
func (f *runFlags) detached() error {
	n, err := detach("run", slices.ContainsFunc(append(f.on, f.token), func(s string) bool { return strings.Contains(s, "fd:") }))
	if err != nil {
		return err
	}
	if n.Note != "" {
		complain(errors.New(n.Note))
	}
	for _, door := range n.Doors {
		if _, err := fmt.Println(door); err != nil {
			return &outputError{err}
		}
	}
	return nil
}

// detach starts this same command once more, in a session of its own and without our terminal and, unless it needs
// them, files. It returns when the program runs, or cannot.
func detach(verb string, files bool) (n notice, err error) {
	self, err := os.Executable()
	if err != nil {
		return n, err
	}
	at := slices.Index(os.Args, verb)
	cmd := exec.Command(self)
	cmd.Args = slices.Concat(os.Args[:at+1], []string{"--ready"}, os.Args[at+1:])
	cmd.SysProcAttr = ownSessionAttr()
	if !files {
		keepFilesToOurselves()
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return n, err
	}
	if err := cmd.Start(); err != nil {
		return n, fmt.Errorf("start a detached spawnx: %w", err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		_ = cmd.Wait()
		return n, fmt.Errorf("%w (%v)", errNoNotice, cmd.ProcessState)
	}
	if err := json.Unmarshal(line, &n); err != nil {
		return n, err
	}
	if n.Status != 0 {
		return n, &detachedError{n.Status, n.Error}
	}
	return n, nil
}
