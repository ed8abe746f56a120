package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/proc"
)

// planOf plans what the words of a command line say.
func planOf(words []string, here surroundings) (plan, error) {
	var flags runFlags
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	set.SetInterspersed(false)
	flags.register(set)
	if err := set.Parse(words); err != nil {
		return plan{}, err
	}
	return flags.plan(set.Args(), here, grammar.World{})
}

// What a program gets follows from the flags and from what our own streams are: the table of FACE's rules
// about terminals, input, echo and size.
func TestPlan(t *testing.T) {
	byHand := surroundings{stdinTerminal: true, stdoutTerminal: true}
	piped := surroundings{stdinTerminal: true}
	fed := surroundings{stdoutTerminal: true}
	cron := surroundings{}
	const dialog = "--on a=>b"
	type what struct {
		kind                           proc.Stdio
		passInput, raw, follow, noEcho bool
	}
	tests := []struct {
		name  string
		flags string
		here  surroundings
		want  what
	}{
		{"by hand", "", byHand, what{kind: proc.PTY, passInput: true, raw: true, follow: true}},
		{"into a pipe", "", piped, what{kind: proc.Pipes, passInput: true}},
		{"from a pipe", "", fed, what{kind: proc.PTY, passInput: true, follow: true, noEcho: true}},
		{"cron", "", cron, what{kind: proc.Pipes, passInput: true}},

		{"dialog by hand", dialog, byHand, what{kind: proc.PTY, passInput: true, raw: true}},
		{"dialog into a pipe", dialog, piped, what{kind: proc.PTY, passInput: true, raw: true}},
		{"dialog from a pipe", dialog, fed, what{kind: proc.PTY}},
		{"dialog under cron", dialog, cron, what{kind: proc.PTY}},
		{"dialog under cron, input passed on", dialog + " -i", cron, what{kind: proc.PTY, passInput: true, noEcho: true}},
		{"dialog on pipes", dialog + " --stdio pipes", byHand, what{kind: proc.Pipes, passInput: true}},

		{"terminal under cron", "--stdio pty", cron, what{kind: proc.PTY, passInput: true, noEcho: true}},
		{"terminal, told so", "--stdio pty", byHand, what{kind: proc.PTY, passInput: true, raw: true}},
		{"pipes by hand", "--stdio pipes", byHand, what{kind: proc.Pipes, passInput: true}},
		{"terminal for the output", "--stdio pty-stdout", byHand, what{kind: proc.PTYStdout, passInput: true}},
		{"errors apart", "--stdio pty-stderr", byHand, what{kind: proc.PTYStderr, passInput: true, raw: true}},
		{"a size of its own", "--size 30x100", byHand, what{kind: proc.PTY, passInput: true, raw: true}},
	}
	for _, tt := range tests {
		p, err := planOf(append(strings.Fields(tt.flags), "true"), tt.here)
		got := what{p.spec.Stdio, p.passInput, p.raw, p.follow, p.spec.NoEcho}
		if err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestPlanOfTheEnvironment(t *testing.T) {
	here := surroundings{environ: []string{"A=1", "B=2"}}
	tests := []struct {
		flags string
		want  []string
	}{
		{"", nil}, // ours
		{"--env A=3", []string{"A=1", "B=2", "A=3"}},
		{"--env A=3 --env A=", []string{"A=1", "B=2", "A=3", "A="}},
		{"--clear-env", []string{}},
		{"--clear-env --env C=4", []string{"C=4"}},
		{"--unbuffered --stdio pty", nil},
	}
	for _, tt := range tests {
		p, err := planOf(append(strings.Fields(tt.flags), "python3"), here)
		if err != nil || (p.spec.Env == nil) != (tt.want == nil) || !slices.Equal(p.spec.Env, tt.want) {
			t.Errorf("%q: %q, %v; want %q", tt.flags, p.spec.Env, err, tt.want)
		}
	}
}

func TestPlanOfTheEnd(t *testing.T) {
	tests := []struct {
		flags string
		grace time.Duration
		when  proc.When
	}{
		{"", 0, proc.Never},
		{"--grace 0s", -1, proc.Never},
		{"--grace 1m30s --restart always", 90 * time.Second, proc.Always},
	}
	for _, tt := range tests {
		p, err := planOf(append(strings.Fields(tt.flags), "true"), surroundings{})
		if err != nil || p.spec.Grace != tt.grace || p.spec.Restart.When != tt.when {
			t.Errorf("%q: %v, %v, %v", tt.flags, p.spec.Grace, p.spec.Restart, err)
		}
	}
}

func TestUnbuffered(t *testing.T) {
	library := func() string { return "/lib/libstdbuf.so" }
	none := func() string { return "" }
	tests := []struct {
		program string
		kind    proc.Stdio
		stdbuf  func() string
		want    string
		fails   bool
	}{
		{"/usr/bin/python3", proc.Pipes, library, "PYTHONUNBUFFERED=1", false},
		{"sed", proc.Pipes, library, "PYTHONUNBUFFERED=1 LD_PRELOAD=/lib/libstdbuf.so _STDBUF_O=L _STDBUF_I=L", false},
		{"sed", proc.Pipes, none, "PYTHONUNBUFFERED=1", false},
		{"sed", proc.PTY, library, "", false},
		{"perl", proc.Pipes, library, "", true},
		{"perl", proc.PTYStdout, library, "", false},
	}
	for _, tt := range tests {
		got, err := unbuffered([]string{tt.program}, tt.kind, tt.stdbuf)
		if strings.Join(got, " ") != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s on %v: %q, %v; want %q", tt.program, tt.kind, got, err, tt.want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{
		"1": 1, "500K": 500 << 10, "10M": 10 << 20, "1G": 1 << 30,
		"": 0, "0": 0, "-1": 0, "M": 0, "1MB": 0, "1.5M": 0, "9999999999G": 0, "K1": 0,
	} {
		if got, err := parseBytes(s); (err != nil) != (want == 0) || err == nil && got != want {
			t.Errorf("parseBytes(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
}

func FuzzFlags(f *testing.F) {
	f.Add("10M", "1m30s", "24x80")
	f.Add("-1", "1", "x")
	f.Fuzz(func(t *testing.T, bytes, duration, size string) {
		if n, err := parseBytes(bytes); err == nil && n <= 0 {
			t.Errorf("%q is %d bytes", bytes, n)
		}
		if d, err := parseDuration(duration); err == nil && d <= 0 {
			t.Errorf("%q is %v", duration, d)
		}
		if p, err := planOf([]string{"--size", size, "--stdio", "pty", "true"}, surroundings{}); err == nil && (p.spec.Size.Rows <= 0 || p.spec.Size.Cols <= 0) {
			t.Errorf("%q is %v", size, p.spec.Size)
		}
	})
}
