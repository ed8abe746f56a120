//go:build linux

package screen_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

// tape is a screen that keeps what it was shown.
type tape struct {
	*screen.Screen
	story []scene
}

// scene is output, then perhaps a new size.
type scene struct {
	text       []byte
	rows, cols int
}

func (t *tape) Write(p []byte) (int, error) {
	if n := len(t.story); n == 0 || t.story[n-1].rows > 0 {
		t.story = append(t.story, scene{})
	}
	last := &t.story[len(t.story)-1]
	last.text = append(last.text, p...)
	return t.Screen.Write(p)
}

func (t *tape) Resize(rows, cols int) {
	if r, c := t.Size(); r == rows && c == cols {
		return
	}
	if n := len(t.story); n == 0 || t.story[n-1].rows > 0 {
		t.story = append(t.story, scene{})
	}
	last := &t.story[len(t.story)-1]
	last.rows, last.cols = rows, cols
	t.Screen.Resize(rows, cols)
}

// act is what is done with a program: a text is awaited on the screen, then keys are pressed or text is sent.
type act struct {
	see   string
	keys  string // names, with blanks between them
	send  string
	size  [2]int
	again bool // of the last: send it until the program has ended, as top takes keys that come together for none
}

var programs = []struct {
	name string
	args []string
	size [2]int
	acts []act
}{
	{name: "vim", args: []string{"vim", "-u", "NONE", "-N", "-i", "NONE", "--cmd", "syntax on", "code.c"}, acts: []act{
		{see: "main", keys: "i", send: "/* new */"}, {see: "INSERT", keys: "enter esc"}, {send: ":split\r"}, {see: "code.c [+]", send: ":set number\r5dd"},
		{send: "GO last line\x1bgg/return\r"}, {see: "return", send: "VG>u"}, {send: ":vsplit\r\x17wjj\x05\x05"}, {send: ":qa!\r"}}},
	{name: "vim-wide", args: []string{"vim", "-u", "NONE", "-N", "-i", "NONE", "wide.txt"}, acts: []act{
		{see: "漢字", send: "Go日本語テキスト"}, {see: "INSERT", keys: "esc"}, {send: "ggdwx:s/字/kana/\r"}, {send: ":set list nowrap\r20zl"}, {send: ":q!\r"}}},
	{name: "vim-resize", args: []string{"vim", "-u", "NONE", "-N", "-i", "NONE", "code.c"}, acts: []act{
		{see: "main", size: [2]int{40, 120}}, {send: ":echo 'wide'\r"}, {see: "wide", size: [2]int{20, 60}}, {send: ":echo 'small'\r"}, {see: "small", send: ":q!\r"}}},
	{name: "less", args: []string{"less", "-R", "log.txt"}, acts: []act{
		{see: "log.txt", send: " "}, {send: "  bb"}, {send: "/error\r"}, {see: "error", send: "nnNG"}, {see: "END", send: "g-S\r"}, {send: "\x1b[C\x1b[C"}, {send: "q"}}},
	{name: "top", args: []string{"top", "-d", "0.3"}, acts: []act{
		{see: "PID", send: "1"}, {see: "Cpu0", send: "h"}, {see: "Help", send: "q"}, {see: "PID", send: "z"}, {send: "x"}, {send: "q", again: true}}},
	{name: "htop", args: []string{"htop", "-d", "5"}, acts: []act{
		{see: "F10Quit", keys: "down down f6"}, {see: "Sort by", keys: "down enter"}, {see: "F10Quit", send: "t"}, {see: "F5List", keys: "f5"}, {see: "F10Quit", send: "q"}}},
	{name: "mc", args: []string{"mc", "-u", "-X"}, acts: []act{
		{see: "10Quit", keys: "down down f9"}, {see: "Left", keys: "right down down"}, {keys: "esc esc"}, {keys: "f1"}, {see: "Help", keys: "esc esc"}, {see: "10Quit", keys: "f10"}}},
	{name: "nano", args: []string{"nano", "-I", "code.c"}, acts: []act{
		{see: "Help", send: "hello\r"}, {see: "hello", keys: "ctrl-w"}, {see: "Search", send: "return\r"}, {keys: "ctrl-k ctrl-u ctrl-u"}, {keys: "ctrl-g"}, {see: "help", keys: "ctrl-x"}, {keys: "ctrl-x"}, {see: "Save", send: "n"}}},
	{name: "tmux", args: []string{"tmux", "-f", "tmux.conf", "-S", "inner", "new-session", "sh"}, acts: []act{
		{see: "$", keys: "ctrl-b", send: "%"}, {send: "seq 50\r"}, {see: "50", keys: "ctrl-b", send: "\""}, {send: "echo hello; clear; ls -l\r"}, {keys: "ctrl-b", send: "["},
		{keys: "up up up"}, {send: "q"}, {keys: "ctrl-b", send: "z"}, {send: "exit\r"}, {send: "exit\r"}, {see: "$", send: "exit\r", again: true}}},
	{name: "curses", args: []string{"python3", "draw.py"}, acts: []act{{see: "ready", send: "a"}, {see: "step 2", send: "b"}, {see: "step 3", send: "q"}}},
	{name: "git", args: []string{"sh", "-c", `git init -q . && git add . && git commit -qm 'add: files' && sed -i s/argc/count/ code.c &&
		git commit -qam 'code.c: rename a variable' && git rm -q log.txt && git commit -qm 'Größe: weg damit' && git -c core.pager=cat -c color.ui=always log --graph --stat -p`}},
	{name: "dialog", args: []string{"dialog", "--colors", "--title", "Häuser", "--menu", "\\Z1Which?\\Zn", "15", "50", "5", "a", "first", "b", "second", "c", "ünïcode"}, acts: []act{
		{see: "second", keys: "down"}, {keys: "down up"}, {keys: "enter"}}},
	{name: "whiptail", args: []string{"whiptail", "--title", "Title", "--checklist", "Which ones?", "15", "50", "4", "a", "first", "on", "b", "second", "off"}, acts: []act{
		{see: "second", keys: "down", send: " "}, {keys: "tab"}, {keys: "enter"}}},
	{name: "bash", args: []string{"bash", "--norc", "-i"}, acts: []act{
		{see: "$", send: "for i in 1 2 3; do echo line $i of a text that is rather long, so that it fills more than one row of this screen; done\r"},
		{see: "line 3", size: [2]int{24, 50}}, {send: "echo narrow\r"}, {see: "narrow", size: [2]int{24, 100}}, {send: "\x1b[A\x1b[A\x1b[D\x1b[D\x7f\x15"}, {send: "ls --color=always\r"},
		{send: "exit\r"}}},
}

// record runs a program and returns what it wrote.
func record(t *testing.T, args []string, rows, cols int, acts []act) *tape {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	for name, text := range files() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spec := proc.Command(args[0], args[1:]...)
	spec.Dir = dir
	spec.Size = proc.Size{Rows: rows, Cols: cols}
	spec.Env = []string{"TERM=xterm-256color", "LC_ALL=C.UTF-8", "HOME=" + dir, "PATH=" + os.Getenv("PATH"), "SHELL=/bin/sh",
		"TMUX=", "PS1=$ ", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=a@example.org"}
	c, err := expect.Spawn(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tp := &tape{Screen: screen.New(rows, cols)}
	c = c.With(expect.Options{Screen: tp})
	for _, a := range acts {
		see := expect.Pattern(expect.Regexp(`\S`))
		if a.see != "" {
			see = expect.Text(a.see)
		}
		if _, err := c.Expect(ctx, expect.OnScreen(see)); err != nil {
			t.Fatalf("%s: %q: %v", args[0], a.see, err)
		}
		if a.keys != "" {
			if err := c.SendKey(strings.Fields(a.keys)...); err != nil {
				t.Fatalf("%s: %q: %v", args[0], a.keys, err)
			}
		}
		if a.send != "" {
			if _, err := c.Write([]byte(a.send)); err != nil {
				t.Fatalf("%s: %q: %v", args[0], a.send, err)
			}
		}
		if a.size[0] > 0 {
			if err := c.Bridge().Resize(proc.Size{Rows: a.size[0], Cols: a.size[1]}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for last := acts; len(last) > 0 && last[len(last)-1].again; { // nor does a pane of tmux that closes take any
		soon, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := c.Wait(soon)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			break
		}
		_, _ = c.Write([]byte(last[len(last)-1].send)) // it may have ended just now
	}
	var failed *proc.ExitError // some end so when they are left
	if _, err := c.Wait(ctx); err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s: %v", args[0], err)
	}
	return tp
}

func TestTmux(t *testing.T) {
	for _, prog := range programs {
		t.Run(prog.name, func(t *testing.T) {
			t.Parallel()
			rows, cols := 24, 80
			tp := record(t, prog.args, rows, cols, prog.acts)
			moments := 6
			if *heavy {
				moments = 100
			}
			compare(t, tp.story, rows, cols, moments)
		})
	}
}

// compare shows the same to us and to tmux, and looks at both at so many moments.
func compare(t *testing.T, story []scene, rows, cols, moments int) {
	t.Helper()
	for _, d := range differences(t, story, rows, cols, moments) {
		t.Errorf("look %d: %s", d.look, d.what)
	}
}

// difference is what is different at one look.
type difference struct {
	look int
	what string
	ours []string // the rows
}

// differences returns what is different, for each look that shows any.
func differences(t *testing.T, story []scene, rows, cols, moments int) (all []difference) {
	t.Helper()
	p, other := newPane(t, rows, cols), newPane(t, rows, cols)
	s := screen.New(rows, cols)
	size := 0
	for _, sc := range story {
		size += len(sc.text)
	}
	step, looked := max(size/moments, 1), 0
	see := func() {
		t.Helper()
		looked++
		h, w := s.Size()
		if d := differ(look(s), p.capture(h, w), true); d != "" {
			all = append(all, difference{looked, d, look(s).rows})
			return
		}
		if looked%3 == 0 { // a terminal that is painted anew shows the same
			other.write(s.Repaint())
			if d := differ(look(s), other.capture(h, w), true); d != "" {
				all = append(all, difference{looked, "repainted: " + d, look(s).rows})
			}
		}
	}
	for _, sc := range story {
		for text := sc.text; len(text) > 0; {
			n := min(step, len(text))
			s.Write(text[:n])
			for n < len(text) && !(s.Settled() || s.Modes().Sync && text[n-1] != 0x1b) {
				s.Write(text[n : n+1]) // not in the middle of a sequence
				n++
			}
			p.write(text[:n])
			text = text[n:]
			see()
		}
		if sc.rows > 0 {
			s.Resize(sc.rows, sc.cols)
			p.resize(sc.rows, sc.cols)
			other.resize(sc.rows, sc.cols)
			p.write(nil)
			see()
		}
	}
	return all
}

func files() map[string]string {
	var log strings.Builder
	for i := range 200 {
		log.WriteString("\x1b[90m2026-11-21 13:00:00\x1b[0m ")
		if i%17 == 5 {
			log.WriteString("\x1b[1;31merror\x1b[0m something failed, and the line that says so is long enough to fill more than a row of the screen\n")
		} else {
			log.WriteString("\x1b[32minfo\x1b[0m request " + strings.Repeat("x", i%60) + " done\n")
		}
	}
	return map[string]string{
		"code.c": "#include <stdio.h>\n\n/* A comment. */\nint main(int argc, char **argv)\n{\n" +
			strings.Repeat("\tif (argc > 1)\n\t\tprintf(\"%s\\n\", argv[1]); // print it\n", 20) + "\treturn 0;\n}\n",
		"wide.txt": strings.Repeat("漢字かな交じり文 mixed with ascii and 한국어 text\n", 12) + "combining: e\u0301 a\u0308 o\u0302\n",
		"log.txt":  log.String(),
		// Or it takes keys that come fast for pasted text, and stays in copy mode.
		"tmux.conf": "set -g assume-paste-time 0\n",
		"draw.py": `
import curses
def main(w):
    curses.start_color()
    curses.init_pair(1, curses.COLOR_RED, curses.COLOR_BLUE)
    w.border(); w.addstr(1, 2, "ready", curses.A_BOLD | curses.color_pair(1)); w.refresh(); w.getch()
    pad = curses.newwin(10, 30, 5, 20); pad.bkgd(' ', curses.color_pair(1)); pad.box()
    for i in range(30):
        pad.scrollok(True); pad.addstr("line %d\n" % i); pad.refresh()
    w.addstr(2, 2, "step 2", curses.A_REVERSE); w.insertln(); w.refresh(); w.getch()
    w.move(8, 0); w.deleteln(); w.addstr(3, 2, "step 3 \u00e9\u4e2d"); w.insch(3, 2, ord('>')); w.delch(4, 4); w.refresh(); w.getch()
curses.wrapper(main)
`,
	}
}
