package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"time"

	goexpect "github.com/Netflix/go-expect"
	"github.com/creack/pty"
)

// Netflix/go-expect knows terminals only.
var goExpectDoes = map[string]func(args []string) error{
	"spawn":    goExpectSpawn,
	"pingpong": goExpectPingPong,
	"find":     goExpectFind,
	"sessions": goExpectSessions,
	"dialog":   goExpectDialog,
}

// A goExpectSession is a program at a Console.
type goExpectSession struct {
	*goexpect.Console
	cmd *exec.Cmd
}

func goExpectStart(echo bool, cmd *exec.Cmd) (*goExpectSession, error) {
	c, err := goexpect.NewConsole()
	if err != nil {
		return nil, err
	}
	if err := pty.Setsize(c.Tty(), &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		return nil, err
	}
	if !echo {
		if err := noEcho(int(c.Tty().Fd())); err != nil {
			return nil, err
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Tty(), c.Tty(), c.Tty()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &goExpectSession{c, cmd}, nil
}

func (s *goExpectSession) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()
	_ = s.Close()
}

func goExpectSpawn(args []string) error {
	n, width := number(args[0]), number(args[1])
	begin := time.Now()
	err := each(n, width, func(int) error {
		s, err := goExpectStart(true, exec.Command("/bin/true"))
		if err != nil {
			return err
		}
		defer s.Close()
		_ = s.Tty().Close() // else the end never comes
		if _, err := s.ExpectEOF(); err != nil {
			return err
		}
		return s.cmd.Wait()
	})
	if err != nil {
		return err
	}
	report(time.Since(begin), float64(n))
	return nil
}

func goExpectPingPong(args []string) error {
	n := number(args[1])
	s, err := goExpectStart(false, exec.Command("cat"))
	if err != nil {
		return err
	}
	defer s.kill()
	took := newExchanges(n)
	for i := -100; i < n; i++ {
		took.begin(i)
		line := fmt.Sprintf("ping %06d", max(i, 0))
		if _, err := s.SendLine(line); err != nil {
			return err
		}
		if _, err := s.ExpectString(line + "\r\n"); err != nil {
			return err
		}
	}
	took.report()
	return nil
}

func goExpectFind(args []string) error {
	command, patterns := cut(args[2:])
	var opts []goexpect.ExpectOpt
	for _, p := range patterns {
		if isRegexp(p) {
			opts = append(opts, goexpect.Regexp(regexp.MustCompile(p[1:])))
		} else {
			opts = append(opts, goexpect.String(p[1:]))
		}
	}
	opts = append(opts, goexpect.EOF, goexpect.PTSClosed)
	begin := time.Now()
	s, err := goExpectStart(true, exec.CommandContext(context.Background(), command[0], command[1:]...))
	if err != nil {
		return err
	}
	_ = s.Tty().Close()
	if _, err := s.Expect(opts...); err != nil {
		return err
	}
	report(time.Since(begin), float64(number(command[2])))
	s.kill()
	return nil
}

func goExpectSessions(args []string) error {
	n, exchanges := number(args[0]), number(args[1])
	took := latencies(n * exchanges)
	before := statusField("VmRSS")
	all := make([]*goExpectSession, n)
	err := each(n, 16, func(i int) (err error) {
		all[i], err = goExpectStart(false, exec.Command("cat"))
		return err
	})
	if err != nil {
		return err
	}
	begin := time.Now()
	err = each(n, n, func(i int) error {
		s, took := all[i], took[i*exchanges:][:exchanges]
		for j := range took {
			line := fmt.Sprintf("ping %06d", j)
			sent := time.Now()
			if _, err := s.SendLine(line); err != nil {
				return err
			}
			if _, err := s.ExpectString(line + "\r\n"); err != nil {
				return err
			}
			took[j] = time.Since(sent)
		}
		return nil
	})
	if err != nil {
		return err
	}
	total := time.Since(begin)
	fmt.Printf("kib_each %.2f\nthreads %.0f\n", (statusField("VmRSS")-before)/float64(n), statusField("Threads"))
	report(total, float64(n*exchanges))
	reportLatency(took)
	for _, s := range all {
		_ = s.cmd.Process.Kill()
	}
	return each(n, 64, func(i int) error { all[i].kill(); return nil })
}

func goExpectDialog(args []string) error {
	n := number(args[0])
	cmd := exec.Command("bash", "--norc", "--noprofile")
	cmd.Env = append(os.Environ(), "PS1="+prompt, "TERM=dumb")
	begin := time.Now()
	s, err := goExpectStart(true, cmd)
	if err != nil {
		return err
	}
	_ = s.Tty().Close()
	if _, err := s.ExpectString(prompt); err != nil {
		return err
	}
	for i := range n {
		if _, err := s.SendLine(fmt.Sprintf("echo answer $((%d * 7))", i)); err != nil {
			return err
		}
		if _, err := s.ExpectString(fmt.Sprintf("answer %d\r\n%s", i*7, prompt)); err != nil {
			return err
		}
	}
	if _, err := s.SendLine("exit"); err != nil {
		return err
	}
	_ = s.cmd.Wait()
	report(time.Since(begin), float64(n))
	return s.Close()
}

// goExpectVersion is the version that this program was built with.
func goExpectVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/Netflix/go-expect" {
			return dep.Version
		}
	}
	return ""
}
