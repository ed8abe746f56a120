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

// detach starts this same command once more, in a session of its own and without our terminal and files, and
// returns when the program runs, or cannot.
func (f *runFlags) detached() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	at := slices.Index(os.Args, "run")
	cmd := exec.Command(self)
	cmd.Args = slices.Concat(os.Args[:at+1], []string{"--ready"}, os.Args[at+1:])
	cmd.SysProcAttr = ownSessionAttr()
	if !slices.ContainsFunc(append(f.on, f.token), func(s string) bool { return strings.Contains(s, "fd:") }) {
		keepFilesToOurselves()
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a detached spawnx: %w", err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		_ = cmd.Wait()
		return fmt.Errorf("%w (%v)", errNoNotice, cmd.ProcessState)
	}
	var n notice
	if err := json.Unmarshal(line, &n); err != nil {
		return err
	}
	if n.Status != 0 {
		return &detachedError{n.Status, n.Error}
	}
	for _, door := range n.Doors {
		if _, err := fmt.Println(door); err != nil {
			return &outputError{err}
		}
	}
	return nil
}
