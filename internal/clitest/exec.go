package clitest

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/lazy"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// The commands that run programs on pipes, and end a test.
func execCommands() []command {
	return []command{
		{name: "exec", args: "PROGRAM [ARG...] [&|&NAME&]", about: "run a program on pipes; with & in the background", negated: true, min: 1, max: -1, check: checkExec, run: (*state).cmdExec},
		{name: "kill", args: "[-SIGNAL] [NAME]", about: "send a signal, KILL, to programs in the background", max: 2, check: checkKill, run: (*state).cmdKill},
		{name: "skip", args: "[MESSAGE]", about: "skip the test", max: 1, run: (*state).cmdSkip},
		{name: "stop", args: "[MESSAGE]", about: "end the test here, as passed", max: 1, run: (*state).cmdStop},
		{name: "wait", args: "[STATUS|NAME]", about: "wait for the end of the spawned program and of those in the background", negated: true, dialog: true, max: 1, check: checkWait, run: (*state).cmdWait},
	}
}

// mostOutput is how much of a program's output is kept.
const mostOutput = 64 << 20

// A keep keeps the end of what is written to it. It may be read at any time.
type keep struct {
	most int

	mu   sync.Mutex
	b    []byte
	lost bool
	last time.Time // of a write
}

func (k *keep) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.b)+len(p) > 2*k.most { // a copy once in a while
		k.b = append(k.b[:0], k.b[len(k.b)-min(len(k.b), k.most):]...)
		k.lost = true
	}
	k.b, k.last = append(k.b, p...), time.Now()
	return len(p), nil
}

// quiet is for how long nothing was written.
func (k *keep) quiet() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Since(k.last)
}

func (k *keep) output() output {
	k.mu.Lock()
	defer k.mu.Unlock()
	return output{string(k.b), k.lost}
}

// A job is a program of exec. It has no Stream, which is for dialogs: nobody looks at its output before it has ended.
type job struct {
	name string // behind &; "" for none
	not  bool   // it must fail
	p    *proc.Process
	reap func()
	veil *veil

	began time.Time
	cut   func() int // see Chunk.cutter; nil: whole reads

	reads     bool           // goroutines take its output
	busy      sync.WaitGroup // they, and one that gives it its input
	out, errs keep
}

var background = lazy.Regexp(`^&([a-zA-Z_0-9]+&)?$`)

// cutBackground takes & or &NAME& from the end of an exec's arguments.
func cutBackground(args []string) (rest []string, name string, is bool) {
	last := args[len(args)-1]
	if !background.Get().MatchString(last) {
		return args, "", false
	}
	return args[:len(args)-1], strings.Trim(last, "&"), true
}

func checkExec(c call) error {
	if args, _, _ := cutBackground(c.args); len(args) == 0 {
		return usageOf(c.cmd.usage())
	}
	return nil
}

func (s *state) cmdExec(c call) error {
	args, name, inBackground := cutBackground(c.args)
	if name != "" && s.job(name) != nil {
		return failed("&%s& runs already", name)
	}
	s.stdout, s.stderr, s.joined = output{}, output{}, false
	j, err := s.start(args)
	if err != nil {
		if c.not && !inBackground {
			return nil // testscript's rule: what cannot be started has failed
		}
		return err
	}
	j.name, j.not = name, c.not
	if inBackground {
		j.read()
		s.jobs = append(s.jobs, j)
		return nil
	}
	exit, err := j.wait(s.ctx)
	s.stdout, s.stderr = j.out.output(), j.errs.output()
	if cerr := s.over(j); err == nil && cerr != nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return s.judge(j, exit)
}

// start starts a program on pipes with the standard input that the script has set.
func (s *state) start(args []string) (*job, error) {
	spec := s.spec(args)
	spec.Stdio = proc.Pipes
	p, reap, err := proc.StartHeld(context.WithoutCancel(s.ctx), spec) // it is ended by the test, in its order
	if err != nil {
		return nil, s.startError(err)
	}
	j := &job{p: p, reap: reap, veil: s.veil, began: time.Now(), cut: s.opts.Chunk.cutter(s.test.Name), out: keep{most: mostOutput}, errs: keep{most: mostOutput}}
	if s.stdin == "" {
		_ = p.Stdio().In.Close() // nothing was written to it
		return j, nil
	}
	stdin := s.stdin
	s.stdin = ""
	j.busy.Go(func() {
		_, _ = io.WriteString(p.Stdio().In, stdin) // a program need not read what it is given
		_ = p.Stdio().In.Close()
	})
	j.read()
	return j, nil
}

// patience is how long a program in the foreground writes into its pipes alone: most have ended by then, and to be woken for
// what they write costs more than to read it all at the end.
var patience beat

// read takes the output from now on.
func (j *job) read() {
	if j.reads {
		return
	}
	j.reads = true
	j.busy.Go(func() { j.take(j.p.Stdio().Out, &j.out, true) })
	j.busy.Go(func() { j.take(j.p.Stdio().Err, &j.errs, true) })
}

// take reads to the end of an output, which a program that has ended may have left to somebody else: then until that was silent
// for the linger time. It returns false where it would have to wait and may not.
func (j *job) take(from *ptyio.File, to *keep, wait bool) (whole bool) {
	buf := make([]byte, 1<<10)
	for {
		p := buf
		if j.cut != nil {
			p = buf[:max(1, min(j.cut(), len(buf)))]
		}
		n, err := from.ReadNow(p)
		if errors.Is(err, ptyio.ErrAgain) {
			if !wait {
				return false
			}
			j.linger(from)
			if n, err = from.Read(p); errors.Is(err, os.ErrDeadlineExceeded) {
				n, err = from.ReadNow(p) // a deadline that has passed hides bytes that are there
			}
		}
		_, _ = to.Write(p[:n]) // it takes everything
		switch {
		case err != nil: // the end, silence, or closed
			return true
		case n == len(buf) && n < 64<<10:
			buf = make([]byte, 4*n)
		}
	}
}

// linger bounds the next read, if the program has ended.
func (j *job) linger(from *ptyio.File) {
	if _, ended := j.p.Exit(); ended {
		_ = from.SetReadDeadline(time.Now().Add(j.p.Spec().LingerTime())) // closed: the read tells
	}
}

// startError is why a program could not be started, with what can be done about it in a test.
func (s *state) startError(err error) error {
	text, path, ok := strings.Cut(err.Error(), "\nhint: chmod +x ")
	if !ok {
		return err
	}
	if rel, rerr := filepath.Rel(s.cd, path); rerr == nil {
		path = rel
	}
	return &worded{text + "\nhint: write before: chmod 755 " + path, err}
}

// over is called when a program has ended. A daemon that it left lives on until the test's end.
func (s *state) over(j *job) error {
	if j.p.Left() {
		s.left = append(s.left, j)
		return nil
	}
	return j.close()
}

// wait waits for the end of the program and of its output.
func (j *job) wait(ctx context.Context) (proc.Exit, error) {
	if !j.reads {
		select {
		case <-j.p.Exited():
		case <-ctx.Done():
		case <-patience.while():
			j.read()
		}
	}
	exit, err := j.p.Wait(ctx)
	if _, plain := err.(*proc.ExitError); err != nil && !plain { // it may be in another, which says why
		if ctx.Err() != nil {
			return exit, j.late()
		}
		return exit, err
	}
	j.rest()
	return exit, nil
}

// rest waits for the end of the output of a program that has ended.
func (j *job) rest() {
	std := j.p.Stdio()
	if !j.reads {
		out, errs := j.take(std.Out, &j.out, false), j.take(std.Err, &j.errs, false)
		if out && errs {
			return
		}
		j.read() // it has left them to somebody
	}
	j.linger(std.Out)
	j.linger(std.Err)
	_ = std.In.SetWriteDeadline(time.Now().Add(j.p.Spec().LingerTime())) // somebody may hold it and never read
	j.busy.Wait()
}

// late is the error of a program that did not end in time: what it wrote, and what it does instead.
func (j *job) late() error {
	p := failed("%s still runs after %s", j.command(), brief(time.Since(j.began))).with("stdout", j.veil.output(j.out.output().text)).with("stderr", j.veil.output(j.errs.output().text))
	snapshot, _ := diag.TakePID(j.p.PID()) // what could not be seen is said in it
	for i, f := range diag.Explain(snapshot) {
		p.details = append(p.details, detail{[]string{"program", ""}[min(i, 1)], f.String()})
	}
	return p
}

// close ends the program and what it started.
func (j *job) close() error {
	_, err := j.p.Stop(context.Background())
	j.reap()
	_ = j.p.Stdio().Close() // ends who is busy
	j.busy.Wait()
	return err
}

// command is what was run, for people.
func (j *job) command() string { return commandLine(j.p.Spec().Args) }

func commandLine(args []string) string {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if a == "" || strings.ContainsAny(a, " \t'\"\\") || escape.Visible(a) != a || strings.Contains(a, "\n") {
			a = escape.Quote(a)
		}
		b.WriteString(a)
	}
	return escape.Tail(b.String(), 200)
}

// judge compares how a program ended with what the script says.
func (s *state) judge(j *job, exit proc.Exit) error {
	if (exit.Status() == 0) != j.not {
		return nil
	}
	how := "ended with " + exit.String()
	if j.not {
		how = "succeeded"
	}
	p := failed("%s %s", j.command(), how).with("stdout", s.veil.output(j.out.output().text)).with("stderr", s.veil.output(j.errs.output().text))
	return p
}

func (s *state) job(name string) *job {
	for _, j := range s.jobs {
		if j.name == name && name != "" {
			return j
		}
	}
	return nil
}

func checkKill(c call) error {
	_, _, err := parseKill(c.args)
	if err != nil {
		return err
	}
	return nil
}

func parseKill(args []string) (sig syscall.Signal, name string, err error) {
	sig = syscall.SIGKILL
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if sig, err = proc.ParseSignal(args[0][1:]); err != nil {
			return sig, "", err
		}
		args = args[1:]
	}
	switch len(args) {
	case 0:
	case 1:
		name = args[0]
	default:
		return sig, "", usageOf("kill [-SIGNAL] [NAME]")
	}
	return sig, name, nil
}

func (s *state) cmdKill(c call) error {
	sig, name, err := parseKill(c.args)
	if err != nil {
		return err
	}
	jobs := s.jobs
	if name != "" {
		j := s.job(name)
		if j == nil {
			return s.noJob(name)
		}
		jobs = []*job{j}
	}
	for _, j := range jobs {
		if err := j.p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
	}
	return nil
}

func (s *state) noJob(name string) error {
	return hinted("start it with: exec PROGRAM... &"+escape.Visible(name)+"&", "no program &%s& runs in the background", escape.Visible(name))
}

func checkWait(c call) error {
	if len(c.args) == 0 {
		return nil
	}
	if n, err := strconv.Atoi(c.args[0]); err == nil && (n < 0 || n > 255) {
		return failed("%s is no status: it is 0 to 255", c.args[0])
	}
	if !isName(c.args[0]) {
		return usageOf(c.cmd.usage())
	}
	if c.not && isNumber(c.args[0]) {
		return failed("! and a status contradict each other")
	}
	return nil
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// cmdWait is testscript's, widened: alone it waits for the spawned program, which must end with 0, and for
// all in the background; with a number for the spawned program, which must end with it; with a name for the
// one in the background.
func (s *state) cmdWait(c call) error {
	ctx, cancel := s.waitTime()
	defer cancel()
	if len(c.args) == 1 && c.who == "" {
		if j := s.job(c.args[0]); j != nil {
			return s.waitJob(ctx, j, c)
		}
	}
	if len(c.args) == 1 && !isNumber(c.args[0]) {
		return s.noJob(c.args[0])
	}
	want := exitWanted{any: c.not}
	if len(c.args) == 1 {
		want.status, _ = strconv.Atoi(c.args[0])
	}
	p := s.programs[c.who]
	if p == nil && (c.who != "" || len(c.args) == 1 || c.not) {
		_, err := s.program(c)
		return err
	}
	if p != nil {
		if err := s.waitProgram(ctx, p, want); err != nil {
			return err
		}
	} else {
		s.stdout, s.stderr, s.joined = output{}, output{}, false
	}
	if c.who != "" || len(c.args) == 1 {
		return nil
	}
	return s.waitJobs(ctx)
}

// waitJob waits for one program in the background.
func (s *state) waitJob(ctx context.Context, j *job, c call) error {
	if c.not {
		return hinted("write it before its exec", "unsupported: ! wait NAME")
	}
	exit, err := j.wait(ctx)
	if err != nil {
		return err
	}
	s.jobs = slices.DeleteFunc(s.jobs, func(other *job) bool { return other == j })
	s.stdout, s.stderr, s.joined = j.out.output(), j.errs.output(), false
	if err := s.over(j); err != nil {
		return err
	}
	return s.judge(j, exit)
}

// waitJobs waits for all in the background, in the order in which they were started, and joins what they wrote.
func (s *state) waitJobs(ctx context.Context) error {
	jobs := s.jobs
	var wrong error
	for _, j := range jobs {
		exit, err := j.wait(ctx)
		if err != nil {
			return err
		}
		s.jobs = s.jobs[1:]
		s.stdout, s.stderr = s.stdout.and(j.out.output()), s.stderr.and(j.errs.output())
		if err := s.over(j); err != nil {
			return err
		}
		if err := s.judge(j, exit); err != nil && wrong == nil {
			wrong = err
		}
	}
	return wrong
}

func (o output) and(more output) output { return output{o.text + more.text, o.lost || more.lost} }

// cmdSkip and cmdStop: what runs in the background is interrupted, as in testscript; how it ends does not count.
func (s *state) cmdSkip(c call) error {
	return &errSkip{strings.Join(c.args, "")}
}

func (s *state) cmdStop(c call) error {
	if len(c.args) == 1 {
		s.note("stop: " + c.args[0])
	}
	s.stopped = true
	return nil
}
