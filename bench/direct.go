package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// "go direct" is what bare Go does with a direct read and nothing around it: no ring, no patterns, no deadlines. It is no
// peer; it tells the costs of the language's runtime from ours. For find it is the standard regexp on the same bytes.
var directDoes = map[string]func(args []string) error{
	"spawn":    directSpawn,
	"pingpong": directPingPong,
	"find":     directFind,
}

func directSpawn(args []string) error {
	n, width := number(args[0]), number(args[1])
	begin := time.Now()
	err := each(n, width, func(int) error {
		cmd := exec.Command("/bin/true")
		f, err := pty.Start(cmd)
		if err != nil {
			return err
		}
		defer f.Close()
		buf := make([]byte, 4096)
		for err == nil {
			_, err = f.Read(buf)
		}
		return cmd.Wait()
	})
	if err != nil {
		return err
	}
	report(time.Since(begin), float64(n))
	return nil
}

func directPingPong(args []string) error {
	n := number(args[1])
	cmd := exec.CommandContext(context.Background(), "cat")
	var r io.Reader
	var w io.Writer
	if args[0] == "pipe" {
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		r, w = out, in
	} else {
		ptm, pts, err := pty.Open()
		if err != nil {
			return err
		}
		if err := noEcho(int(pts.Fd())); err != nil {
			return err
		}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = pts, pts, pts
		if err := cmd.Start(); err != nil {
			return err
		}
		r, w = ptm, ptm
	}
	buf := make([]byte, 4096)
	took := newExchanges(n)
	for i := -100; i < n; i++ {
		took.begin(i)
		if _, err := fmt.Fprintf(w, "ping %06d\n", max(i, 0)); err != nil {
			return err
		}
		for {
			n, err := r.Read(buf)
			if err != nil {
				return err
			}
			if bytes.IndexByte(buf[:n], '\n') >= 0 {
				break
			}
		}
	}
	took.report()
	return cmd.Process.Kill()
}

// noEcho turns a terminal's echo off.
func noEcho(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Lflag &^= unix.ECHO
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// directFind looks for each pattern with regexp in each piece that comes, without the care that a match may lie across
// two pieces: less than a search must do.
func directFind(args []string) error {
	command, patterns := cut(args[2:])
	var res []*regexp.Regexp
	for _, p := range patterns {
		if !isRegexp(p) {
			p = "r" + regexp.QuoteMeta(p[1:])
		}
		res = append(res, regexp.MustCompile(p[1:]))
	}
	cmd := exec.Command(command[0], command[1:]...)
	begin := time.Now()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	found := false
	for !found {
		n, err := out.Read(buf)
		if err != nil {
			break
		}
		for _, re := range res {
			found = found || re.FindSubmatchIndex(buf[:n]) != nil
		}
	}
	if found == (args[1] == "absent") {
		return fmt.Errorf("found: %v", found)
	}
	report(time.Since(begin), float64(number(command[2])))
	return cmd.Wait()
}
