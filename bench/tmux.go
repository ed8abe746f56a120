package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// tmux holds a dialog in its control mode: commands in, "%output" lines out.
var tmuxDoes = map[string]func(args []string) error{"pingpong": tmuxPingPong}

func tmuxPingPong(args []string) error {
	n := number(args[0])
	server := fmt.Sprintf("spawnx-bench-%d", os.Getpid())
	cmd := exec.Command("tmux", "-L", server, "-f", "/dev/null", "-C", "new-session", "stty -echo; echo ready; exec cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	defer func() { // the client and the server end with cat
		_, _ = io.WriteString(in, "send-keys C-d\n")
		for lines.Scan() {
		}
		_ = cmd.Wait()
	}()
	until := func(want string) error {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "%output") && strings.Contains(lines.Text(), want) {
				return nil
			}
		}
		return io.ErrUnexpectedEOF
	}
	if err := until("ready"); err != nil {
		return err
	}
	took := newExchanges(n)
	for i := -100; i < n; i++ {
		took.begin(i)
		line := fmt.Sprintf("ping %06d", i)
		if _, err := fmt.Fprintf(in, "send-keys '%s' Enter\n", line); err != nil {
			return err
		}
		if err := until(line); err != nil {
			return err
		}
	}
	took.report()
	return nil
}
