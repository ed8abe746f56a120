//go:build linux

package diag

import (
	"os/exec"
	"strings"
	"testing"
)

// finding waits until Explain says something of this kind about a program.
func (r *rig) finding(kind Kind, who string) Finding {
	r.t.Helper()
	return until(r.t, "finding "+string(kind), func() (Finding, bool) {
		_, _ = r.flush() // an end shows in the findings
		s, _ := Take(r.lanes())
		all := Explain(s)
		for _, f := range all {
			if f.Kind == kind && strings.HasPrefix(f.Who, who) {
				return f, true
			}
		}
		if len(all) == 0 {
			return Finding{}, false
		}
		return all[0], false
	})
}

const (
	cPrompt   = `#include <stdio.h>` + "\n" + `int main() { char b[80]; printf("Enter value: "); while (fgets(b, sizeof b, stdin)) printf("got %s", b); }`
	cppPrompt = `#include <iostream>` + "\n" + `int main() { std::string s; std::cout << "Enter value: "; std::cin.tie(0); while (std::getline(std::cin, s)) std::cout << "got " << s << "\n"; }`
	cHalfLine = `#include <stdio.h>` + "\n" + `#include <unistd.h>` + "\n" + `int main() { char b; printf("Working"); return read(0, &b, 1); }`
	cTwoFiles = `#include <stdio.h>` + "\n" + `int main(int c, char **v) { FILE *f = fopen(v[1], "w"); fprintf(f, "log\n"); getchar(); }`
)

// What C programs hold back is shown exactly, bytes and text.
func TestHeldTextIsExact(t *testing.T) {
	tests := []struct {
		name  string
		start func(testing.TB) *rig
		send  string
		held  string
		cure  string
	}{
		{"C prompt", pipedProgram(cPrompt), "", "Enter value: ", "--unbuffered"},
		{"C answers", pipedProgram(cPrompt), "a\nb\n", "Enter value: got a\ngot b\n", "--stdio pty-stdout"},
		{"C, static", pipedProgram(cPrompt, "-static"), "", "Enter value: ", "--stdio pty-stdout"},
		{"C, not relocatable", pipedProgram(cPrompt, "-no-pie"), "", "Enter value: ", "--stdio pty-stdout"},
		{"C++ cout", pipedProgram(cppPrompt), "x\n", "Enter value: got x\n", "--stdio pty-stdout"},
		{"sed", piped("sed", "sed", "s/a/b/"), "a line\n", "b line\n", "sed -u"},
		{"grep", piped("grep", "grep", "a"), "aaa\n", "aaa\n", "grep --line-buffered"},
		{"gawk", piped("gawk", "gawk", `{print "got", $1}`), "x\n", "got x\n", "fflush()"},
		{"mawk", piped("mawk", "mawk", "-W", "interactive", `{printf "got %s ", $1}`), "x\n", "", ""},
		{"half a line on a terminal", compiled("cc", "gcc", cHalfLine), "", "Working", "--unbuffered, or fflush()"},
		{"another file", func(t testing.TB) *rig {
			return onPipes(t, compile(t, "cc", "gcc", cTwoFiles), "/dev/null")
		}, "", "log\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := test.start(t)
			r.proved()
			if test.send != "" {
				r.send(test.send)
				r.proved()
			}
			s, err := Take(r.lanes())
			check(t, err)
			for _, f := range Explain(s) {
				if f.Kind == KindHeld && f.Grade == Kernel {
					if f.Held != test.held || f.HeldSize != len(test.held) {
						t.Errorf("held %q (%d bytes), want %q", f.Held, f.HeldSize, test.held)
					}
					if !strings.Contains(f.Cure, test.cure) {
						t.Errorf("cure %q, want %q in it", f.Cure, test.cure)
					}
					t.Log(f)
					return
				}
			}
			if test.held != "" {
				t.Errorf("nothing held: %+v", Explain(s))
			}
		})
	}
}

func pipedProgram(source string, flags ...string) func(testing.TB) *rig {
	return func(t testing.TB) *rig {
		compiler, pkg := "cc", "gcc"
		if strings.Contains(source, "iostream") {
			compiler, pkg = "c++", "g++"
		}
		return onPipes(t, compile(t, compiler, pkg, source, flags...))
	}
}

// Programs with buffers of their own are named by what they do as a rule.
func TestHeldOutputIsGuessed(t *testing.T) {
	tests := []struct {
		name  string
		start func(testing.TB) *rig
		cure  string
	}{
		{"python", piped("python3", python, "-c", "print('Name? ', end=''); __import__('os').read(0, 1)"), "PYTHONUNBUFFERED"},
		{"perl", piped("perl", "perl", "-e", "print 'Name? '; $x = <STDIN>"), "$| = 1"},
		{"ruby", piped("ruby", "ruby", "-e", "print 'Name? '; $stdin.gets"), "$stdout.sync"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := test.start(t).finding(KindHeld, "")
			if f.Grade != Pattern || !strings.Contains(f.Cure, test.cure) {
				t.Errorf("%v, cure %q", f, f.Cure)
			}
		})
	}
}

// What was flushed is not called held.
func TestNothingIsHeldAfterAFlush(t *testing.T) {
	for _, args := range [][]string{
		{"sed", "-u", "s/a/b/"},
		{"cat"},
		{"stdbuf", "-o0", "grep", "a"},
	} {
		r := onPipes(t, args...)
		r.proved()
		r.send("a\n")
		until(t, "the answer", func() (string, bool) {
			_, err := r.flush()
			check(t, err)
			return r.seen.String(), r.seen.Len() == 2
		})
		r.proved()
		s, err := Take(r.lanes())
		check(t, err)
		for _, f := range Explain(s) {
			if f.Kind == KindHeld {
				t.Errorf("%v: %v", args, f)
			}
		}
	}
}

// The environment of Unbuffered makes a prompt without newline come.
func TestUnbufferedMakesProgramsWriteAtOnce(t *testing.T) {
	need(t, "stdbuf", "coreutils")
	env, err := Unbuffered(environment(t))
	check(t, err)
	exe := compile(t, "cc", "gcc", cPrompt)
	for _, test := range []struct{ args, want []string }{
		{[]string{exe}, []string{"Enter value: "}},
		{[]string{python, "-c", "print('Name? ', end=''); __import__('os').read(0, 1)"}, []string{"Name? "}},
	} {
		cmd := exec.Command(test.args[0], test.args[1:]...)
		cmd.Env = env
		r := pipesOfCommand(t, cmd)
		until(t, "the prompt", func() (string, bool) {
			_, err := r.flush()
			check(t, err)
			return r.seen.String(), r.seen.String() == test.want[0]
		})
	}
}
