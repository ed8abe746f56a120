// Package testscriptcmds gives the tests of github.com/rogpeppe/go-internal/testscript
// the interactive commands of spawnx test:
//
//	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: testscriptcmds.Cmds})
//
// The commands mean what they mean there:
//
//	spawn [-size 24x80] [-stdio pipes] CMD...   start a program on a terminal, with the script's environment and folder
//	expect [-timeout 5s] [-screen] PATTERN...   wait for one of these
//	send TEXT | sendline [TEXT] | sendkey KEY... | sendsecret [-unproved] REF | sendeof
//	on PATTERN REPLY                            answer it from now on
//	screen [-styles] NAME                       wait until the settled screen equals the file NAME.screen of the archive
//	resize 30x100 | signal INT
//	spawned [STATUS]                            wait for the end of the program, with this status (0)
//
// The last is called wait in spawnx test; testscript lets nobody widen its own.
// Behind it, stdout holds the program's plain output. A first argument @NAME
// speaks to a second program: spawn @srv ./server.
//
// A program that still runs at the end of its script is stopped with its tree.
// What a failure leaves, its recording and more, lies in $WORK/NAME.failed,
// which go test keeps with testscript's TestWork.
//
// It is a module of its own, so that nobody else depends on testscript.
package testscriptcmds

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/artifact"
	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// Cmds is for testscript.Params.Cmds. To add commands of one's own, copy it
// with maps.Clone.
var Cmds = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"spawn":      command("spawn", start),
	"expect":     command("expect", await),
	"send":       command("send", send),
	"sendline":   command("sendline", send),
	"sendkey":    command("sendkey", sendKey),
	"sendsecret": command("sendsecret", sendSecret),
	"sendeof":    command("sendeof", sendEOF),
	"on":         command("on", on),
	"screen":     command("screen", screen),
	"resize":     command("resize", resize),
	"signal":     command("signal", signal),
	"spawned":    command("spawned", spawned),
}

// Every wait is bounded.
const waitTimeout = 30 * time.Second

// A program is one that a script has spawned.
type program struct {
	c     *expect.Console
	watch *artifact.Watch
	plain strings.Builder // its output
}

// A line is a command under way.
type line struct {
	ts   *testscript.TestScript
	cmd  string
	who  string // of @NAME
	args []string
}

// programs are those of the scripts that run, by script and name.
var (
	programsMu sync.Mutex
	programs   = map[*testscript.TestScript]map[string]*program{}
)

// command makes of a function one for testscript, which fails the script with
// its error.
func command(cmd string, do func(l *line) error) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		l := &line{ts: ts, cmd: cmd, args: args}
		if len(args) > 0 && strings.HasPrefix(args[0], "@") {
			l.who, l.args = args[0][1:], args[1:]
		}
		if neg {
			ts.Fatalf("this command cannot be negated")
		}
		err := do(l)
		if err == nil {
			return
		}
		text := err.Error()
		if p := l.find(); p != nil {
			dir := ts.MkAbs(filepath.Join(ts.Getenv("WORK"), l.name()+".failed"))
			text += "\nscreen:\n" + strings.TrimRight(p.watch.Shown(), "\n")
			p.watch.Fail(err)
			if _, err := p.watch.Save(dir); err == nil {
				text += "\nmore in " + dir
			}
		}
		ts.Fatalf("%s", text)
	}
}

func (l *line) name() string {
	if l.who == "" {
		return "spawned"
	}
	return l.who
}

func (l *line) find() *program {
	programsMu.Lock()
	defer programsMu.Unlock()
	return programs[l.ts][l.who]
}

// program is the one that the line speaks to.
func (l *line) program() (*program, error) {
	if p := l.find(); p != nil {
		return p, nil
	}
	if l.who != "" {
		return nil, fmt.Errorf("no program @%s\nhint: spawn @%s CMD", l.who, l.who)
	}
	return nil, errors.New("no program\nhint: spawn CMD")
}

// flags reads the flags of a command.
func (l *line) flags(register func(*flag.FlagSet)) error {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	register(fs)
	if err := fs.Parse(l.args); err != nil {
		return err
	}
	l.args = fs.Args()
	return nil
}

// words wants so many arguments, at least and at most.
func (l *line) words(least, most int) error {
	if len(l.args) < least || most >= 0 && len(l.args) > most {
		return fmt.Errorf("%d arguments", len(l.args))
	}
	return nil
}

func start(l *line) error {
	var size ptyio.Size
	var kind proc.Stdio
	err := l.flags(func(fs *flag.FlagSet) {
		fs.Func("size", "", func(s string) (err error) { size, err = ptyio.ParseSize(s); return err })
		fs.Func("stdio", "", func(s string) (err error) { kind, err = ptyio.ParseKind(s); return err })
	})
	if err = errors.Join(err, l.words(1, -1)); err != nil {
		return err
	}
	if l.find() != nil {
		return errors.New("a program runs already\nhint: spawn @NAME CMD")
	}
	env, err := environment(l.ts)
	if err != nil {
		return err
	}
	spec := proc.Spec{Args: l.args, Dir: l.ts.MkAbs("."), Env: env, Size: size, Stdio: kind}
	if !strings.ContainsRune(spec.Args[0], filepath.Separator) {
		if spec.Args[0], err = look(spec.Args[0], l.ts.Getenv("PATH")); err != nil {
			return err
		}
	}
	c, err := expect.Spawn(context.Background(), spec)
	if err != nil {
		return err
	}
	p := new(program)
	p.c, p.watch = artifact.Follow(c, artifact.Options{Name: l.who, Command: l.args, Term: l.ts.Getenv("TERM")})
	programsMu.Lock()
	defer programsMu.Unlock()
	if programs[l.ts] == nil {
		programs[l.ts] = map[string]*program{}
		l.ts.Defer(func() { forget(l.ts) })
	}
	programs[l.ts][l.who] = p
	return nil
}

// look finds a program in the script's PATH, where it may differ from ours.
func look(name, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("start %s: not found in PATH", name)
}

// environment is the script's, which testscript shows to programs alone.
func environment(ts *testscript.TestScript) ([]string, error) {
	f, err := os.CreateTemp("", "environment")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := ts.Exec("sh", "-c", `env -0 >"$1"`, "sh", f.Name()); err != nil {
		return nil, fmt.Errorf("read the script's environment: %w", err)
	}
	text, err := io.ReadAll(f)
	env := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	return env, err
}

// forget stops what a script has left.
func forget(ts *testscript.TestScript) {
	programsMu.Lock()
	mine := programs[ts]
	delete(programs, ts)
	programsMu.Unlock()
	for _, p := range mine {
		if err := p.c.Close(); err != nil {
			ts.Logf("stop: %v", err)
		}
	}
}

func await(l *line) error {
	p, err := l.program()
	if err != nil {
		return err
	}
	var timeout time.Duration
	var onScreen bool
	err = l.flags(func(fs *flag.FlagSet) {
		fs.DurationVar(&timeout, "timeout", 0, "")
		fs.BoolVar(&onScreen, "screen", false, "")
	})
	if err = errors.Join(err, l.words(1, -1)); err != nil {
		return err
	}
	var cases []expect.Pattern
	for _, word := range l.args {
		pattern, err := grammar.Pattern(word)
		if err != nil {
			return err
		}
		if onScreen {
			pattern = expect.OnScreen(pattern)
		}
		cases = append(cases, pattern)
	}
	p.watch.Waits("", cases...)
	m, err := p.c.With(expect.Options{Timeout: timeout}).Expect(context.Background(), cases...)
	p.plain.WriteString(m.Before)
	if !onScreen {
		p.plain.WriteString(m.Text)
	}
	return err
}

func send(l *line) error {
	p, err := l.program()
	if err != nil {
		return err
	}
	enter := l.cmd == "sendline"
	if err := l.words(1, 1); err != nil && !enter {
		return err
	}
	if enter {
		return p.c.SendLine(strings.Join(l.args, ""))
	}
	return p.c.Send(l.args[0])
}

func sendKey(l *line) error {
	p, err := l.program()
	if err = errors.Join(err, l.words(1, -1)); err != nil {
		return err
	}
	return p.c.SendKey(l.args...)
}

func sendSecret(l *line) error {
	p, err := l.program()
	if err != nil {
		return err
	}
	var unproved bool
	err = l.flags(func(fs *flag.FlagSet) { fs.BoolVar(&unproved, "unproved", false, "") })
	if err = errors.Join(err, l.words(1, 1)); err != nil {
		return err
	}
	return p.c.With(expect.Options{UnprovedSecrets: unproved}).SendSecret(context.Background(), l.secret(l.args[0]))
}

// secret is what a reference names; a variable is the script's own.
func (l *line) secret(ref string) expect.Secret {
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		return func(context.Context) ([]byte, error) {
			value := l.ts.Getenv(name)
			if value == "" {
				return nil, fmt.Errorf("secret %q: the script has no such variable", ref)
			}
			return []byte(value), nil
		}
	}
	return expect.SecretRef(ref)
}

func sendEOF(l *line) error {
	p, err := l.program()
	if err = errors.Join(err, l.words(0, 0)); err != nil {
		return err
	}
	return p.c.SendEOF()
}

func on(l *line) error {
	p, err := l.program()
	if err = errors.Join(err, l.words(2, 2)); err != nil {
		return err
	}
	when, err := grammar.Pattern(l.args[0])
	if err != nil {
		return err
	}
	reply, err := grammar.World{Secret: l.secret}.Reply(l.args[1])
	if err != nil {
		return err
	}
	p.c.Always(expect.Rule{When: when, Do: reply.Do, Max: reply.Max})
	return nil
}

func screen(l *line) error {
	p, err := l.program()
	if err != nil {
		return err
	}
	var styles bool
	err = l.flags(func(fs *flag.FlagSet) { fs.BoolVar(&styles, "styles", false, "") })
	if err = errors.Join(err, l.words(1, 1)); err != nil {
		return err
	}
	file := l.ts.ReadFile(l.args[0] + ".screen")
	if err := golden.Check(file); err != nil {
		return err
	}
	p.watch.Waits("the screen " + l.args[0])
	var differs error
	_, err = p.c.Expect(context.Background(), expect.On(expect.OnScreen(expect.Regexp("")), func(_ context.Context, _ *expect.Console, m expect.Match) error {
		p.plain.WriteString(m.Before)
		if differs = golden.Compare(file, p.watch.Screen(), styles); differs == nil {
			return expect.Done
		}
		return nil
	}))
	if err != nil && differs != nil {
		return fmt.Errorf("screen %s: %w\n%w", l.args[0], differs, err)
	}
	return err
}

func resize(l *line) error {
	p, err := l.program()
	if err = errors.Join(err, l.words(1, 1)); err != nil {
		return err
	}
	size, err := ptyio.ParseSize(l.args[0])
	if err != nil {
		return err
	}
	return p.c.Bridge().Resize(size)
}

func signal(l *line) error {
	p, err := l.program()
	if err = errors.Join(err, l.words(1, 1)); err != nil {
		return err
	}
	s, err := proc.ParseSignal(l.args[0])
	if err != nil {
		return err
	}
	return p.c.Bridge().Signal(s)
}

func spawned(l *line) error {
	p, err := l.program()
	if err = errors.Join(err, l.words(0, 1)); err != nil {
		return err
	}
	want := 0
	if len(l.args) > 0 {
		if want, err = strconv.Atoi(l.args[0]); err != nil {
			return fmt.Errorf("status %q", l.args[0])
		}
	}
	p.watch.Waits(fmt.Sprintf("the end, with status %d", want))
	ctx, cancel := context.WithTimeout(context.Background(), scale.Duration(waitTimeout))
	defer cancel()
	m, err := p.c.With(expect.Options{Timeout: waitTimeout}).Expect(ctx, expect.EOF)
	if err != nil {
		return err
	}
	p.plain.WriteString(m.Before)
	exit, err := p.c.Wait(ctx)
	var ended *proc.ExitError
	if err != nil && !errors.As(err, &ended) {
		return err
	}
	fmt.Fprint(l.ts.Stdout(), p.plain.String())
	if got := exit.Status(); got != want {
		return fmt.Errorf("exit status %d, want %d", got, want)
	}
	programsMu.Lock()
	delete(programs[l.ts], l.who)
	programsMu.Unlock()
	return p.c.Close()
}
