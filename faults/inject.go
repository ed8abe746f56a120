//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An injection is a system call that strace lets fail, or take its time, in our own binary: its first time, its second,
// and so on for as long as it is called so often.
type injection struct {
	Call   string // one or more, with commas
	Path   func(t *T) string
	Errors []syscall.Errno
	Scenes []string
	// Crash: Go does not survive it everywhere (a thread that cannot be started). Nothing may be left all the same.
	Crash bool
}

// A scene is a command of ours, and what it does when nothing is in its way.
type scene struct {
	args   func(t *T) []string
	output string
	status int
}

const injectScript = `echo output of the program; exit 7`

var scenes = map[string]scene{
	"pipes":     {func(t *T) []string { return []string{"run", "--stdio", "pipes", "sh", "-c", injectScript} }, "output of the program\n", 7},
	"terminal":  {func(t *T) []string { return []string{"run", "--stdio", "pty", "sh", "-c", injectScript} }, "output of the program\r\n", 7},
	"contained": {func(t *T) []string { return []string{"run", "--contain", "--stdio", "pty", "sh", "-c", injectScript} }, "output of the program\r\n", 7},
	"dialog": {func(t *T) []string {
		return []string{"run", "--on", "Name? => Ada", "--log", filepath.Join(t.Dir, "log"), "--record", filepath.Join(t.Dir, "it.cast"),
			"sh", "-c", `printf "Name? "; read n; echo "hello $n"; exit 7`}
	}, "Name? Ada\r\nhello Ada\r\n", 7},
	"named": {func(t *T) []string {
		return []string{"run", "--name", "x", "--stdio", "pipes", "sh", "-c", injectScript}
	}, "output of the program\n", 7},
}

func inDir(name string) func(t *T) string {
	return func(t *T) string { return filepath.Join(t.Dir, name) }
}

func always(path string) func(t *T) string { return func(*T) string { return path } }

var everyStart = []string{"pipes", "terminal", "contained", "named"}

// injections are the table. A file limits a row to what our binary does: the program itself calls write too.
var injections = []injection{
	{Call: "clone,clone3,vfork", Errors: []syscall.Errno{unix.EAGAIN, unix.ENOMEM}, Scenes: everyStart, Crash: true},
	{Call: "pipe2", Errors: []syscall.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM}, Scenes: everyStart, Crash: true},
	{Call: "socketpair", Errors: []syscall.Errno{unix.EMFILE, unix.ENOMEM}, Scenes: []string{"contained"}},
	{Call: "openat", Path: always("/dev/ptmx"), Errors: []syscall.Errno{unix.EMFILE, unix.ENOSPC, unix.EACCES, unix.ENOENT, unix.EIO, unix.EINTR}, Scenes: []string{"terminal", "contained", "dialog"}},
	{Call: "dup3", Errors: []syscall.Errno{unix.EMFILE, unix.EBUSY}, Scenes: everyStart},
	{Call: "execve", Path: always("/usr/bin/sh"), Errors: []syscall.Errno{unix.ENOENT, unix.EACCES, unix.ENOMEM, unix.ETXTBSY, unix.ENOEXEC, unix.E2BIG, unix.EIO}, Scenes: everyStart},
	{Call: "setsid", Errors: []syscall.Errno{unix.EPERM}, Scenes: everyStart},
	{Call: "ioctl", Path: always("/dev/ptmx"), Errors: []syscall.Errno{unix.EIO, unix.ENOTTY}, Scenes: []string{"terminal", "dialog"}},
	{Call: "epoll_ctl", Errors: []syscall.Errno{unix.ENOSPC, unix.ENOMEM}, Scenes: everyStart, Crash: true},
	{Call: "pidfd_send_signal,pidfd_open", Errors: []syscall.Errno{unix.EPERM, unix.EMFILE}, Scenes: everyStart},
	{Call: "sendmsg", Errors: []syscall.Errno{unix.EINTR, unix.ENOBUFS, unix.EPIPE}, Scenes: []string{"contained"}},
	{Call: "recvmsg", Errors: []syscall.Errno{unix.EINTR}, Scenes: []string{"contained"}},
	{Call: "write", Path: inDir("log"), Errors: []syscall.Errno{unix.ENOSPC, unix.EIO, unix.EINTR, unix.EDQUOT}, Scenes: []string{"dialog"}},
	{Call: "write", Path: inDir("it.cast"), Errors: []syscall.Errno{unix.ENOSPC, unix.EIO}, Scenes: []string{"dialog"}},
	{Call: "write", Path: inDir("stdout"), Errors: []syscall.Errno{unix.ENOSPC, unix.EIO, unix.EPIPE, unix.EINTR}, Scenes: []string{"pipes", "terminal", "dialog"}},
	{Call: "write", Path: always("/dev/ptmx"), Errors: []syscall.Errno{unix.EIO, unix.EINTR}, Scenes: []string{"dialog"}},
	{Call: "read", Path: always("/dev/ptmx"), Errors: []syscall.Errno{unix.EINTR, unix.ENOMEM}, Scenes: []string{"terminal", "dialog"}},
	{Call: "fsync,fdatasync,sync_file_range", Errors: []syscall.Errno{unix.EIO, unix.ENOSPC}, Scenes: []string{"dialog", "named"}},
	{Call: "mkdir,mkdirat", Errors: []syscall.Errno{unix.ENOSPC, unix.EACCES, unix.EROFS}, Scenes: []string{"named", "contained"}},
	{Call: "flock", Errors: []syscall.Errno{unix.ENOLCK, unix.EINTR}, Scenes: []string{"named", "contained"}},
	{Call: "bind,listen", Errors: []syscall.Errno{unix.EADDRINUSE, unix.EACCES}, Scenes: []string{"named"}},
	{Call: "waitid,wait4", Errors: []syscall.Errno{unix.EINTR}, Scenes: everyStart},
}

// slow is put in the place of an error: it changes nothing.
const slow = "delay_enter=150ms"

// An outcome is what one injection came to; "" is nothing wrong.
type outcome struct {
	hit  bool   // there was a call to hit
	kind string // "unharmed", "refused", "crash of Go"
	bad  string
}

// try runs a scene with one injection.
func (t *T) try(in injection, where scene, what string, nth int) (o outcome) {
	trace := filepath.Join(t.Dir, "trace")
	args := []string{"-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-e", "trace=" + in.Call, "-o", trace}
	if in.Path != nil {
		args = append(args, "-P", in.Path(t))
	}
	args = append(args, "-e", fmt.Sprintf("inject=%s:%s:when=%d", in.Call, what, nth), t.Spawnx)
	cmd := t.command(append(append([]string{"strace"}, args...), where.args(t)...)...)
	cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+t.Dir, "GOTRACEBACK=none")
	stdout, err := os.Create(filepath.Join(t.Dir, "stdout"))
	t.Must(err)
	defer stdout.Close()
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	got, _ := os.ReadFile(stdout.Name())
	traced, _ := os.ReadFile(trace)
	o.hit = bytes.Contains(traced, []byte("(INJECTED)")) || bytes.Contains(traced, []byte("(DELAYED)"))
	switch st, said := status(err), stderr.String(); {
	case t.Err() != nil:
		o.bad = "it hangs"
	case st == where.status && string(got) == where.output:
		o.kind = "unharmed"
	case strings.HasPrefix(what, "delay"):
		o.bad = fmt.Sprintf("a delay made it status %d, output %.200q, errors %.300q", st, got, said)
	case strings.Contains(said, "runtime: ") || strings.Contains(said, "fatal error: "):
		o.kind = "crash of Go"
		if !in.Crash {
			o.bad = fmt.Sprintf("Go crashed: %.300q", said)
		}
	case slices.Contains([]int{1, 125, 126, 127, 128 + int(unix.SIGPIPE)}, st):
		o.kind = "refused"
		if st != 128+int(unix.SIGPIPE) && (!strings.Contains(said, "spawnx: ") || !saysWhy(said, what)) {
			o.bad = fmt.Sprintf("status %d, and the reason is not said: %.300q", st, said)
		}
	default:
		o.bad = fmt.Sprintf("status %d, output %.200q, errors %.300q", st, got, said)
	}
	if !t.eventually(2*time.Second, func() bool { return len(marked(t.Mark)) == 0 }) && o.bad == "" {
		o.bad = "left: " + names(marked(t.Mark))
	}
	return o
}

// inWords are the errors for which we have better words than the system.
var inWords = map[syscall.Errno]string{
	unix.ENOSPC: "no terminals are left", unix.ENOENT: "not found", unix.EACCES: "may not be run", unix.ETXTBSY: "open for writing",
	unix.ENOEXEC: "no program", unix.E2BIG: "too long", unix.EAGAIN: "no more processes", unix.EPIPE: "the keeper of contained programs",
}

// saysWhy reports whether a message of ours names the error that strace was told to inject.
func saysWhy(message, what string) bool {
	for e := syscall.Errno(1); e < 200; e++ {
		if what == "error="+unix.ErrnoName(e) {
			words, better := inWords[e]
			// Of a file that is there, and that execve does not find, the loader is missing.
			return strings.Contains(message, e.Error()) || better && strings.Contains(message, words) || e == unix.ENOENT && strings.Contains(message, "the loader that it needs")
		}
	}
	return false
}

// An injected is what came of one line of the table in one scene.
type injected struct {
	call, scene string
	runs        int
	kinds       map[string]int
	bad         []string
}

func (r injected) String() string {
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(r.kinds)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", r.kinds[k], k))
	}
	if r.runs == 0 {
		kinds = []string{"never called"}
	}
	s := fmt.Sprintf("%-32s %-10s %4d  %s", r.call, r.scene, r.runs, strings.Join(kinds, ", "))
	for _, b := range r.bad {
		s += "\n    BAD " + b
	}
	return s
}

// injectRow does one line of the table in one scene: every error, and a delay, at every call there is.
func injectRow(ctx context.Context, spawnx string, in injection, scene string, most int) (r injected) {
	r = injected{call: in.Call, scene: scene, kinds: map[string]int{}}
	whats := []string{slow}
	for _, e := range in.Errors {
		whats = append(whats, "error="+unix.ErrnoName(e))
	}
	for _, what := range whats {
		for nth := 1; nth <= most && ctx.Err() == nil; nth++ {
			o, broken := injectOnce(ctx, spawnx, in, scene, what, nth)
			if in.Path != nil && r.call == in.Call {
				r.call += " " + filepath.Base(in.Path(&T{}))
			}
			if broken != "" {
				o.bad = broken
			}
			if !o.hit && o.bad == "" {
				break
			}
			r.runs++
			if o.bad != "" {
				r.bad = append(r.bad, fmt.Sprintf("%s, call %d: %s", what, nth, o.bad))
				continue
			}
			r.kinds[o.kind]++
		}
	}
	return r
}

func injectOnce(ctx context.Context, spawnx string, in injection, where, what string, nth int) (o outcome, broken string) {
	c := fault{ID: "inject", Run: func(t *T) { o = t.try(in, scenes[where], what, nth) }}
	complaints, broken := runner{spawnx: spawnx}.once(ctx, c, 0, true)
	if broken == "" && len(complaints) > 0 {
		broken = complaints[0]
	}
	return o, broken
}

// inject goes through the table.
func inject(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("faults inject", flag.ExitOnError)
	most := fs.Int("most", 12, "up to which call of a process")
	only := fs.String("only", "", "only rows whose calls match this `regular expression`")
	binary := fs.String("spawnx", "", "the spawnx to test; it is built otherwise")
	write := fs.String("write", "", "write what came of it to this `FILE`, for the scoreboard: faults/inject.txt")
	if err := fs.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	work, err := workplace(ctx, binary)
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var kept bytes.Buffer
	out := io.MultiWriter(os.Stdout, &kept)
	bad, runs := 0, 0
	for _, r := range injectTable(ctx, *binary, wanted, *most, false) {
		r := r()
		fmt.Fprintln(out, r)
		bad, runs = bad+len(r.bad), runs+r.runs
	}
	fmt.Fprintf(out, "%d of %d runs as %s went wrong\n", bad, runs, who())
	if os.Geteuid() == 0 && ctx.Err() == nil {
		last, err := injectAsOrdinary(ctx, work, "inject", "-spawnx", *binary, "-only", *only, "-most", fmt.Sprint(*most))
		if err != nil {
			bad++
		}
		fmt.Fprintln(out, last)
	}
	if *write != "" {
		if err := os.WriteFile(*write, kept.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if bad > 0 {
		return errors.New("some went wrong")
	}
	return ctx.Err()
}

// injectAsOrdinary goes through the table as nobody, and returns the rows where something went wrong, and the last line.
func injectAsOrdinary(ctx context.Context, work string, args ...string) (said string, err error) {
	cmd, err := nobodys(ctx, work, args...)
	if err != nil {
		return "", err
	}
	data, err := cmd.Output()
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return !strings.Contains(l, "BAD ") && !strings.Contains(l, " runs as ") })
	return strings.Join(lines, "\n"), err
}

// injectTable does all wanted rows, some at a time, and returns what waits for each, in their order. A sample has the
// first error alone, in one scene.
func injectTable(ctx context.Context, spawnx string, wanted *regexp.Regexp, most int, sample bool) (rows []func() injected) {
	turns := make(chan struct{}, runtime.NumCPU())
	for _, in := range injections {
		if !wanted.MatchString(in.Call) {
			continue
		}
		if sample {
			in.Errors, in.Scenes = in.Errors[:1], in.Scenes[len(in.Scenes)-1:]
		}
		for _, scene := range in.Scenes {
			var r injected
			var doing sync.WaitGroup
			doing.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				r = injectRow(ctx, spawnx, in, scene, most)
			})
			rows = append(rows, func() injected { doing.Wait(); return r })
		}
	}
	return rows
}
