//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func TestStatus(t *testing.T) {
	t.Setenv("SPAWNX_TIMEOUT_SCALE", "")
	dir := t.TempDir()
	script := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := script("plain", "no program\n", 0o600)
	orphan := script("orphan", "#!/no/such/interpreter\n", 0o700)

	tests := []struct {
		args   []string
		status int
		out    string
		says   string // the beginning of the first line of stderr behind "spawnx: "; "": nothing
	}{
		{[]string{"true"}, 0, "", ""},
		{[]string{"sh", "-c", "echo out; exit 3"}, 3, "out\n", ""},
		{[]string{"sh", "-c", "exit 255"}, 255, "", ""},
		{[]string{"sh", "-c", "kill -9 $$"}, 137, "", ""},
		{[]string{"sh", "-c", "kill -TERM $$"}, 143, "", ""},
		{[]string{"no-such-program"}, 127, "", "start no-such-program"},
		{[]string{"./no-such-program"}, 127, "", "start ./no-such-program"},
		{[]string{plain}, 126, "", "start " + plain},
		{[]string{orphan}, 126, "", "start " + orphan + ": interpreter /no/such/interpreter not found"},
		{[]string{"/"}, 126, "", "start /"},
		{[]string{"--dir", "/no/such/folder", "true"}, 126, "", "start"},
		{[]string{"--log", dir + "/no/such/log", "true"}, 125, "", "log: open"},

		{[]string{"--timeout", "100ms", "sleep", "100"}, 124, "", "run sleep: did not end in 100ms: stopped"},
		{[]string{"--idle-timeout", "100ms", "sh", "-c", "echo a; sleep 100"}, 124, "a\n", "run sh: no output for 100ms: stopped"},
		{[]string{"--timeout", "100ms", "--on", "x => y", "sleep", "100"}, 124, "", "run sleep: did not end in 100ms: stopped"},
		{[]string{"--timeout", "1m", "sh", "-c", "exit 4"}, 4, "", ""},
		{[]string{"--grace", "0", "--timeout", "100ms", "sh", "-c", "trap '' TERM; echo a; while :; do sleep 100; done"}, 124, "a\n", "run sh"},

		{[]string{"--on", "Name? => Ada", "sh", "-c", `printf "Name? "; read n; echo hello $n`}, 0, "Name? Ada\r\nhello Ada\r\n", ""},
		{[]string{"--on", "? => <fail unknown question>", "sh", "-c", `printf "Really? "; read n`}, 1, "Really? ", "run sh: unknown question"},
		{[]string{"--on", "? => <ask>", "sh", "-c", `printf "Who? "; read n`}, 1, "Who? ", "run sh: no terminal to ask at"},
		{[]string{"--on", "a => b", "sh", "-c", "exit 5"}, 5, "", ""},
		{[]string{"--on", "<waiting> => <fail unknown question>", "--on", "Name? => Ada", "sh", "-c", `printf "Name? "; read n; printf "Age? "; read n`}, 1, "Name? Ada\r\nAge? ", "run sh: unknown question"},
		{[]string{"--on", "<idle 100ms> => ", "sh", "-c", "read x; exit 6"}, 6, "\r\n", ""},

		{[]string{"-q", "sh", "-c", "echo a; echo b >&2; exit 7"}, 7, "", ""},
		{[]string{"echo a 'b c'"}, 0, "a b c\n", ""},
		{[]string{"--stdio", "pty", "sh", "-c", "stty size; test -t 0 && test -t 2"}, 0, "24 80\r\n", ""},
		{[]string{"--stdio", "pty", "--size", "30x100", "stty", "size"}, 0, "30 100\r\n", ""},
		{[]string{"--stdio", "pty-stdout", "sh", "-c", "test -t 1 && ! test -t 0 && echo yes"}, 0, "yes\r\n", ""},
		{[]string{"--", "sh", "-c", "echo -q"}, 0, "-q\n", ""},
		{[]string{"echo", "--timeout", "-q"}, 0, "--timeout -q\n", ""},
		{[]string{"--dir", "/", "pwd"}, 0, "/\n", ""},
		{[]string{"--clear-env", "--env", "A=1", "--env", "A=2", "/usr/bin/env"}, 0, "A=2\n", ""},
		{[]string{"--env", "A=b=c", "sh", "-c", "echo $A ${PATH:+path}"}, 0, "b=c path\n", ""},
		{[]string{"--restart", "on-failure", "sh", "-c", "test -e " + dir + "/again || { touch " + dir + "/again; exit 1; }; echo up"}, 0, "up\n", ""},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			got := spawnxRun(t, nil, append([]string{"run"}, tt.args...)...)
			if got.status != tt.status || got.out != tt.out {
				t.Errorf("status %d, output %q; want %d, %q; stderr %q", got.status, got.out, tt.status, tt.out, got.err)
			}
			if tt.says == "" && got.err != "" || !strings.HasPrefix(got.err, "spawnx: "+tt.says) && tt.says != "" {
				t.Errorf("stderr %q, want %q", got.err, tt.says)
			}
		})
	}
}

func TestWrongUsage(t *testing.T) {
	tests := []struct {
		args       []string
		what, hint string
	}{
		{[]string{"rnu"}, `unknown verb "rnu"`, "did you mean run?"},
		{[]string{"web", "a", "b"}, `web: "b" is too much`, "spawnx web, or spawnx web NAME"},
		{[]string{"web", "--listen", "0.0.0.0:0"}, "web: --listen 0.0.0.0:0 is beyond this machine and needs --cert and --key", "or listen at 127.0.0.1:0 and tunnel: ssh -L"},
		{[]string{"cp"}, `unknown verb "cp"`, "spawnx help lists the verbs; to run a program: spawnx run cp"},
		{[]string{"--on", "a => b"}, "unknown flag --on", "spawnx --help lists the flags"},
		{[]string{"help", "nothing"}, `unknown verb "nothing"`, "spawnx help lists"},
		{[]string{"completion", "nosh"}, `completion: unknown shell "nosh"`, "write bash, zsh, fish or powershell"},
		{[]string{"run"}, "run: no program is given", "spawnx run --help"},
		{[]string{"run", ""}, "run: no program is given", "spawnx run --help"},
		{[]string{"run", "--nmae", "x"}, "run: unknown flag --nmae", "did you mean --name?"},
		{[]string{"run", "--time", "1s", "x"}, "run: unknown flag --time", "did you mean --timeout?"},
		{[]string{"run", "--colour", "x"}, "run: unknown flag --colour", "spawnx run --help lists the flags"},
		{[]string{"run", "-d", "y"}, "run: --detach needs a name by which others find the program", "add --name NAME"},
		{[]string{"run", "--fifo", "d", "y"}, "run: --fifo needs a name by which others find the program", "add --name NAME"},
		{[]string{"run", "--name", "a.b", "y"}, "run: --name: ", ""},
		{[]string{"run", "--name", "", "-d", "y"}, `run: --name "": the name is empty`, "use A-Z"},
		{[]string{"run", "--name", "x", "--prompt", "/(/", "y"}, "run: --prompt: pattern /(/: ", ""},
		{[]string{"run", "--name", "x", "--window", "big", "y"}, `run: --window "big": `, ""},
		{[]string{"run", "--name", "x", "-d", "-i", "y"}, "run: --input with --detach: there is no input of ours", "spawnx send x TEXT"},
		{[]string{"run", "--name", "x", "--token", "hunter2", "y"}, "run: ", ""},
		{[]string{"run", "--timeout"}, "run: --timeout needs a value", "write --timeout DURATION"},
		{[]string{"run", "--on"}, "run: --on needs a value", "write --on 'PATTERN => REPLY'"},
		{[]string{"debug", "--name"}, "debug: --name needs a value", "write --name NAME"},
		{[]string{"web", "--cert", "x"}, "--key is missing", "it goes together with --cert"},
		{[]string{"attach", "--read-only", "--take", "x"}, "--read-only and --take exclude each other", "leave one of them out"},
		{[]string{"run", "--timeout", "30", "x"}, `run: --timeout "30": no duration`, "write 30s"},
		{[]string{"run", "--timeout", "0s", "x"}, `run: --timeout "0s": a time above zero is wanted`, ""},
		{[]string{"run", "--grace", "-1s", "x"}, `run: --grace "-1s": no duration`, "write 2s"},
		{[]string{"run", "--size", "80", "x"}, `run: --size "80": `, ""},
		{[]string{"run", "--stdio", "tty", "x"}, `run: --stdio "tty": `, ""},
		{[]string{"run", "--restart", "maybe", "x"}, `run: --restart "maybe": never, on-failure or always is wanted`, ""},
		{[]string{"run", "--log-size", "10M", "x"}, "run: --log-size without --log", "add --log FILE"},
		{[]string{"run", "--log", "f", "--log", "g", "x"}, `run: --log "g": there is a log already, f`, "spawnx run"},
		{[]string{"run", "--log", "f", "--log-size", "ten", "x"}, `run: --log-size "ten": no size`, "write 500K, 10M or 1G"},
		{[]string{"run", "--log-keep", "0", "x"}, "run: --log-keep 0", ""},
		{[]string{"run", "--env", "A", "x"}, `run: --env "A": there is no value`, "write --env NAME=VALUE"},
		{[]string{"run", "--size", "30x80", "x"}, "run: --size needs a terminal", "add --stdio pty"},
		{[]string{"run", "--unbuffered", "perl", "x.pl"}, "run: --unbuffered: nothing outside of perl", "give it a terminal"},
		{[]string{"run", "--on", "Name?", "x"}, "run: --on 'Name?': there is no reply", "write --on 'PATTERN => REPLY'"},
		{[]string{"run", "--on", "/(/ => x", "y"}, "run: --on: pattern /(/: ", `for this very text write '\/(/'`},
		{[]string{"run", "--on", "a => <ctlr-c>", "y"}, "run: --on: <ctlr-c> is no reply", ""},
		{[]string{"run", "--on", "a => <secret hunter2>", "y"}, "run: --on: <secret>: not a reference", ""},
		{[]string{"run", "--on", "a => x", "--on", "ab => y", "z"}, "run: --on 'ab => y' can never fire", "give the longer text first"},
		{[]string{"run", "ls | wc"}, "run: ", "there is no shell here"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			got := spawnxRun(t, nil, tt.args...)
			lines := strings.Split(strings.TrimSuffix(got.err, "\n"), "\n")
			ok := got.status == 125 && got.out == "" && strings.HasPrefix(lines[0], "spawnx: "+tt.what) && len(lines) <= 2
			if len(lines) == 2 && !strings.HasPrefix(lines[1], "hint: "+tt.hint) || len(lines) == 1 && tt.hint != "" {
				ok = false
			}
			if !ok {
				t.Errorf("status %d, output %q, stderr %q; want 125, %q and hint %q", got.status, got.out, got.err, tt.what, tt.hint)
			}
		})
	}
}

func TestInput(t *testing.T) {
	tests := []struct {
		name  string
		input string
		args  []string
		want  string
	}{
		{"pipes", "a\nb\n", []string{"cat"}, "a\nb\n"},
		{"pipes, no newline", "a", []string{"cat"}, "a"},
		{"pipes, nothing", "", []string{"cat"}, ""},
		{"a terminal does not echo what comes from a pipe", "a\nb\n", []string{"--stdio", "pty", "cat"}, "a\r\nb\r\n"},
		{"a dialog does not get our input", "no\n", []string{"--on", "? => yes", "sh", "-c", "printf 'Sure? '; read a; echo got $a"}, "Sure? yes\r\ngot yes\r\n"},
		{"a dialog gets our input with -i", "no\n", []string{"-i", "--on", "<eof> => x", "sh", "-c", "read a; echo got $a"}, "got no\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := spawnxRun(t, strings.NewReader(tt.input), append([]string{"run"}, tt.args...)...)
			if got.status != 0 || got.out != tt.want || got.err != "" {
				t.Errorf("status %d, output %q, stderr %q; want %q", got.status, got.out, got.err, tt.want)
			}
		})
	}
}

// Under cron our input is /dev/null: its end is not typed into a dialog.
// What a first user met.
func TestAnswersThatCannotBeGiven(t *testing.T) {
	const ask = `printf 'Password: '; stty -echo; read p; stty echo; echo; echo "got: $p"`
	t.Setenv("PW", "two\nlines")
	for _, tt := range []struct {
		args   []string
		status int
		err    string
	}{
		{[]string{"--on", "Password: => <secret fd:3>", "sh", "-c", ask}, 1, "no such descriptor was handed over"},
		{[]string{"--on", "Password: => <secret env:PW>", "sh", "-c", ask}, 1, "the secret holds a line end"},
		{[]string{"--on", "<eof> => <fail ended too early>", "true"}, 1, "run true: ended too early"},
		{[]string{"--dir", "", "true"}, 125, "--dir is empty"},
		{[]string{"--timeout", "500ms", "--on", "zzz => q", "sh", "-c", "printf 'Really? '; read a"}, 124, "waits for input"},
	} {
		r := spawnxRun(t, nil, append([]string{"run"}, tt.args...)...)
		if r.status != tt.status || !strings.Contains(r.err, tt.err) {
			t.Errorf("%q: %+v", tt.args, r)
		}
	}
}

// A job that a shell starts in the background runs, and is not stopped for its terminal.
func TestABackgroundJob(t *testing.T) {
	c := shell(t)
	types(t, c, "spawnx run sh -c 'echo runs in the back''ground' & wait $!; echo status=$?")
	sees(t, c, expect.Text("runs in the background"))
	sees(t, c, expect.Text("status=0"))
	sees(t, c, prompt)
}

// A terminal that reads by lines would cut a long one: nothing of it is passed on.
func TestLongLineOfOurInput(t *testing.T) {
	long := strings.Repeat("x", 5000)
	r := spawnxRun(t, strings.NewReader("short\n"+long+"\n"), "run", "--stdio", "pty", "cat")
	if r.status != 1 || !strings.Contains(r.err, "more than 4095 bytes") || !strings.Contains(r.err, "hint: --stdio pipes") || strings.Contains(r.out, "xx") {
		t.Errorf("%+v", r)
	}
	r = spawnxRun(t, strings.NewReader(long+"\n"), "run", "--stdio", "pipes", "cat")
	if r.status != 0 || r.out != long+"\n" {
		t.Errorf("on pipes: status %d, %d bytes", r.status, len(r.out))
	}
	r = spawnxRun(t, strings.NewReader(strings.Repeat(long[:100]+"\n", 200)), "run", "--stdio", "pty", "wc", "-l")
	if r.status != 0 || strings.TrimSpace(r.out) != "200" {
		t.Errorf("many short lines: %+v", r)
	}
}

func TestDialogWithoutInput(t *testing.T) {
	got := spawnxRun(t, nil, "run", "--on", "two? => b", "sh", "-c", "printf 'one? '; (sleep 0.2; kill -USR1 $$) & trap 'printf two?' USR1; read a; read a; echo got $a")
	if !strings.HasSuffix(got.out, "got b\r\n") || got.status != 0 {
		t.Errorf("%+v", got)
	}
}

func TestStderrStaysApart(t *testing.T) {
	for _, kind := range []string{"pipes", "pty-stderr"} {
		got := spawnxRun(t, nil, "run", "--stdio", kind, "sh", "-c", "echo out; echo err >&2")
		if strings.TrimSpace(got.out) != "out" || strings.TrimSpace(got.err) != "err" {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// The last byte arrives, whatever the exit status, and however much it was.
func TestNothingIsLost(t *testing.T) {
	for _, kind := range []string{"pipes", "pty"} {
		for _, n := range []int{1, 4096, 300_000} {
			got := spawnxRun(t, nil, "run", "--stdio", kind, "sh", "-c", fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x; exit 9", n))
			if len(got.out) != n || got.status != 9 {
				t.Errorf("%s: %d of %d bytes, status %d", kind, len(got.out), n, got.status)
			}
		}
	}
}

// Somebody who reads one line only ends the program as a pipe without us between would.
func TestOutputThatNobodyReads(t *testing.T) {
	for _, kind := range []string{"pipes", "pty"} {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", "spawnx run --stdio "+kind+" yes | head -n 1; echo ${PIPESTATUS[0]}").CombinedOutput()
		if got := strings.ReplaceAll(string(out), "\r", ""); err != nil || got != "y\n141\n" {
			t.Errorf("%s: %q, %v; want y and 141", kind, got, err)
		}
	}
}

const counter = `
for s in HUP INT QUIT TERM USR1; do trap "echo got $s" $s; done
trap 'echo bye; exit 4' USR2
echo ready
while :; do sleep 0.02; done`

// A signal that is sent to spawnx reaches the program, and once.
func TestSignalsReachTheProgramOnce(t *testing.T) {
	for _, kind := range []string{"pipes", "pty"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			spec := proc.Command("spawnx", "run", "--stdio", kind, "bash", "-c", counter)
			spec.Stdio = proc.Pipes
			c := person(t, spec)
			sees(t, c, expect.Text("ready"))
			var all string
			for _, s := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1} {
				if err := c.Bridge().Signal(s); err != nil {
					t.Fatal(err)
				}
				name := strings.TrimPrefix(unix.SignalName(s), "SIG")
				m := sees(t, c, expect.Text("got "+name))
				all += m.Before + m.Text
			}
			if err := c.Bridge().Signal(unix.SIGUSR2); err != nil {
				t.Fatal(err)
			}
			all += sees(t, c, expect.Text("bye")).Before
			if n := strings.Count(all, "got"); n != 5 {
				t.Errorf("%d signals arrived, want 5: %q", n, all)
			}
			ends(t, c, 4)
		})
	}
}

// ctrl-c at a terminal is one SIGINT for the program, on a terminal of its own and on pipes.
func TestInterruptKey(t *testing.T) {
	for _, kind := range []string{"pipes", "pty"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := shell(t, "COUNTER="+counter)
			types(t, c, "spawnx run --stdio "+kind+` bash -c "$COUNTER"`)
			sees(t, c, expect.Text("ready\n"))
			presses(t, c, "ctrl-c")
			m := sees(t, c, expect.Regexp(`got INT\n`))
			types(t, c, "x") // more output than a second one could be late
			presses(t, c, "ctrl-\\")
			m = sees(t, c, expect.Regexp(`got QUIT\n`))
			if strings.Contains(m.Before, "got") {
				t.Errorf("more than one SIGINT: %q", m.Before)
			}
		})
	}
}

// The suspend key stops the program and spawnx, fg continues both, on a terminal and on pipes.
func TestSuspendKey(t *testing.T) {
	for _, kind := range []string{"pty", "pipes"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := shell(t)
			types(t, c, "spawnx run --stdio "+kind+" sh -c 'echo pid $$; exec cat'")
			pid := sees(t, c, expect.Regexp(`pid (\d+)\n`)).Groups[1]
			types(t, c, "before")
			sees(t, c, expect.Text("before\n"))
			if kind == "pty" {
				sees(t, c, expect.Text("before\n")) // echo and cat
			}

			presses(t, c, "ctrl-z")
			sees(t, c, expect.Text("Stopped"))
			sees(t, c, prompt)
			types(t, c, "until grep 'State:.T' /proc/"+pid+"/status; do :; done; jobs")
			sees(t, c, expect.Text("(stopped)"))
			sees(t, c, expect.Text("Stopped"))
			sees(t, c, prompt)

			types(t, c, "fg")
			sees(t, c, expect.Text("cat'\n"))
			types(t, c, "after")
			sees(t, c, expect.Text("after\n"))
			presses(t, c, "ctrl-d")
			sees(t, c, prompt)
			types(t, c, "echo status $?")
			sees(t, c, expect.Text("status 0\n"))
		})
	}
}

// A program that takes ctrl-z as a key gets it.
func TestSuspendKeyInRawMode(t *testing.T) {
	c := shell(t)
	types(t, c, `spawnx run sh -c 'stty raw -echo; echo re""ady; k=$(head -c 1 | od -An -tu1); stty sane; echo key $k'`)
	sees(t, c, expect.Text("ready"))
	presses(t, c, "ctrl-z")
	sees(t, c, expect.Text("key 26"))
}

// What a program asks its terminal is answered once, by the person's, also in a dialog.
func TestTerminalQuestions(t *testing.T) {
	for _, flags := range []string{"", "--on zzz=>x"} {
		args := append(append([]string{"run"}, strings.Fields(flags)...), "sh", "-c",
			`stty raw -echo; printf '\033[6nnow'; a=$(head -c 7 | tr '\033' E); stty sane; echo got $a`)
		c := person(t, proc.Command("spawnx", args...))
		sees(t, c, expect.Text("now"))
		presses(t, c, "x") // behind all answers
		sees(t, c, expect.Text("got E[1;1Rx"))
	}
}

// A program that has ended before anybody could sit down at it is no less over.
func TestShortProgramsAtATerminal(t *testing.T) {
	c := shell(t)
	types(t, c, "for i in {1..40}; do spawnx run echo $i || break; done; echo fin''ished")
	for i := 1; i <= 40; i++ {
		sees(t, c, expect.Text(fmt.Sprintf("%d\n", i)))
	}
	sees(t, c, expect.Text("finished\n"))
}

// After the end, however it came, the person's terminal is as it was.
func TestTerminalIsGivenBack(t *testing.T) {
	tests := []struct{ name, command, ready string }{
		{"end", "spawnx run true", ""},
		{"the program leaves its own in raw mode", "spawnx run sh -c 'stty raw -echo; exit 3'", ""},
		{"start fails", "spawnx run /no/such/program", ""},
		{"dialog fails", "spawnx run --on '? => <fail no>' sh -c 'echo why?; sleep 100'", ""},
		{"killed", "spawnx run sh -c 'kill -KILL $PPID; sleep 1000'", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := shell(t)
			types(t, c, "a=$(stty -g); echo saved; "+tt.command+"; for i in {1..200}; do b=$(stty -g); [ $a = $b ] && break; sleep 0.02; done; [ $a = $b ] && echo sa''me || echo diff''ers")
			if m := sees(t, c, expect.Text("same\n"), expect.Text("differs\n")); m.Index != 0 {
				t.Error("the terminal is not as it was")
			}
		})
	}
}

// By hand the program's terminal has and follows the size of ours; with a dialog it is the same everywhere.
func TestSize(t *testing.T) {
	spec := proc.Command("spawnx", "run", "bash", "-c", "trap 'stty size </dev/tty' WINCH; stty size; echo ready; while :; do sleep 0.02; done")
	spec.Size = proc.Size{Rows: 30, Cols: 100}
	c := person(t, spec)
	sees(t, c, expect.Text("30 100\n"))
	sees(t, c, expect.Text("ready\n"))
	if err := c.Bridge().Resize(proc.Size{Rows: 31, Cols: 101}); err != nil {
		t.Fatal(err)
	}
	sees(t, c, expect.Text("31 101\n"))

	spec.Args = []string{"spawnx", "run", "--on", "a => b", "stty", "size"}
	c = person(t, spec)
	sees(t, c, expect.Text("24 80\n"))
}

// A program that asks at /dev/tty, not on its streams, is driven, and its password shows nowhere.
func TestQuestionAtTheTerminal(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	t.Setenv("PW", "correct horse")
	got := spawnxRun(t, nil, "run", "--log", log, "--on", "Password: => <secret env:PW>", "bash", "-c",
		`read -rsp "Password: " p </dev/tty; echo; [ "$p" = "correct horse" ] && echo welcome, $p`)
	if got.status != 0 || !strings.Contains(got.out, "welcome") {
		t.Errorf("%+v", got)
	}
	text, err := os.ReadFile(log)
	if err != nil || strings.Contains(string(text), "horse") || !strings.Contains(string(text), "welcome, [secret]") {
		t.Errorf("log %q, %v", text, err)
	}
	if info, err := os.Stat(log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("log: %v, %v", info.Mode(), err)
	}
}

// Asked for a second time, a secret that was wrong is not given again.
func TestSecretOnce(t *testing.T) {
	t.Setenv("PW", "tr0ub4dor")
	got := spawnxRun(t, nil, "run", "--on", "Password: => <secret env:PW>", "bash", "-c", `for i in 1 2 3; do read -rsp "Password: " p; echo; done`)
	if got.status != 1 || !strings.Contains(got.err, "asked again") || strings.Contains(got.err+got.out, "tr0ub4dor") ||
		!strings.Contains(got.err, "hint: wrong password? A secret is given once; <secret 2 env:NAME> gives it twice") {
		t.Errorf("%+v", got)
	}
}

// A secret that could not be given is told, with what to do, also when the time is over first.
func TestSecretHeld(t *testing.T) {
	t.Setenv("PW", "tr0ub4dor")
	const hint = "hint: <secret unproved env:NAME> types it all the same\n"
	for _, tt := range []struct {
		stdio, program, says string
	}{
		{"pty", "printf 'Password: '; read x", "  secret   not given: its rule matched, and the terminal still shows what is typed\n" + hint},
		{"pty", "stty raw -echo; printf 'Password: '; read x", "  secret   not given: the terminal is in raw mode\n" + hint},
		{"pipes", "printf 'Password: '; read x", hint},
	} {
		got := spawnxRun(t, nil, "run", "--timeout", "1s", "--stdio", tt.stdio, "--on", "Password: => <secret env:PW>", "sh", "-c", tt.program)
		if !strings.HasSuffix(got.err, tt.says) {
			t.Errorf("%s: %+v", tt.program, got)
		}
	}
}

// A child on pipes that opens /dev/tty is not stopped, whatever it gets there.
func TestChildOnPipesOpensTheTerminal(t *testing.T) {
	c := shell(t)
	types(t, c, "spawnx run sh -c '(echo hello >/dev/tty) 2>/dev/null; echo fini''shed' | cat")
	sees(t, c, expect.Text("finished\n"))
	sees(t, c, prompt)
}

// The person answers what is left to the person: at the keyboard, or where our input is something else at
// the terminal that we were started from.
func TestAsk(t *testing.T) {
	const asks = `sh -c 'printf "Wh""o? "; read n; echo "hel""lo $n"'`
	for _, redirect := range []string{"", "</dev/null", "</dev/null | cat"} {
		t.Run(redirect, func(t *testing.T) {
			t.Parallel()
			c := shell(t)
			types(t, c, "spawnx run --on '? => <ask>' "+asks+redirect)
			sees(t, c, expect.Text("Who? "))
			types(t, c, "Ada")
			sees(t, c, expect.Text("hello Ada\n"))
			sees(t, c, prompt)
		})
	}
}

// The person's password is asked for at the terminal, and the program's keys do not get it.
func TestAskForASecret(t *testing.T) {
	c := shell(t)
	types(t, c, `spawnx run --on 'Password: => <secret ask:Yours>' bash -c 'read -rsp "Password: " p; echo; echo len''gth ${#p}; read x; echo $x'`)
	sees(t, c, expect.Text("Yours: "))
	types(t, c, "hunter2")
	sees(t, c, expect.Text("length 7\n"))
	types(t, c, "next")
	sees(t, c, expect.Text("next\n"))
	sees(t, c, expect.Text("next\n"))
	sees(t, c, prompt)
}

func TestLog(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	got := spawnxRun(t, nil, "run", "-q", "--log", log, "--log-size", "1K", "--log-keep", "2",
		"sh", "-c", "i=0; while [ $i -lt 100 ]; do echo line $i of one hundred; i=$((i+1)); done; echo error >&2")
	if got.status != 0 || got.out != "" || got.err != "" {
		t.Errorf("%+v", got)
	}
	names, err := filepath.Glob(log + "*")
	if err != nil || !slices.Equal(names, []string{log, log + ".1", log + ".2"}) && !slices.Equal(names, []string{log, log + ".1"}) {
		t.Errorf("logs %q, %v", names, err)
	}
	all := ""
	for _, name := range slices.Backward(names) {
		text, _ := os.ReadFile(name)
		all += string(text)
		if n := len(text); n > 0 && text[n-1] != '\n' {
			t.Errorf("%s ends within a line", name)
		}
	}
	if !strings.Contains(all, "line 99 of one hundred\n") || !strings.Contains(all, "error\n") {
		t.Errorf("the logs hold %q", all)
	}
}

// A log that cannot be written ends nothing.
func TestLogFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	got := spawnxRun(t, nil, "run", "--log", "/dev/full", "sh", "-c", "echo a; exit 3")
	if got.status != 3 || got.out != "a\n" || got.err != "spawnx: log: 2 bytes of the output are not in it: write /dev/full: no space left on device\n" {
		t.Errorf("%+v", got)
	}
}

func TestHelpCompletionManVersion(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "spawnx run --on"},
		{[]string{"help"}, "completion"},
		{[]string{"help", "run"}, "--idle-timeout"},
		{[]string{"run", "--help"}, "--idle-timeout"},
		{[]string{"--version"}, "spawnx version "},
		{[]string{"completion", "bash"}, "spawnx"},
		{[]string{"completion", "zsh"}, "spawnx"},
		{[]string{"__complete", "run", "--stdio", ""}, "pty-stdout"},
		{[]string{"__complete", "help", ""}, "run"},
		{[]string{"__complete", "run", "--on", "a => b", "pytho"}, "python3\n"},
	} {
		got := spawnxRun(t, nil, tt.args...)
		if got.status != 0 || !strings.Contains(got.out, tt.want) {
			t.Errorf("spawnx %q: %+v", tt.args, got)
		}
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "run", "-tags", "man", ".", "man", dir).CombinedOutput(); err != nil {
		t.Errorf("man: %v: %s", err, out)
	}
	if page, err := os.ReadFile(filepath.Join(dir, "spawnx-run.1")); err != nil || !strings.Contains(string(page), "idle-timeout") {
		t.Errorf("spawnx-run.1: %v", err)
	}
}
