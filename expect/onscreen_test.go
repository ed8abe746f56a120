//go:build unix

package expect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

// A page is a Renderer that knows little: \r, \n, cursor to row and column,
// clear, and synchronized updates. It keeps all that it was given.
type page struct {
	rows, cols int
	row, col   int
	cells      map[[2]int]byte
	given      strings.Builder
	pending    string
	sync       bool
	answers    string
}

func newPage() *page { return &page{cells: map[[2]int]byte{}} }

var sequence = regexp.MustCompile(`^\x1b\[(\??[0-9;]*)([A-Za-z])`)

func (p *page) Write(b []byte) (int, error) {
	p.given.Write(b)
	p.pending += string(b)
	for p.pending != "" {
		c := p.pending[0]
		if c == 0x1b {
			m := sequence.FindStringSubmatch(p.pending)
			if m == nil {
				break // the rest has not come
			}
			p.pending = p.pending[len(m[0]):]
			switch m[2] {
			case "H":
				p.row, p.col = 0, 0
				if _, err := fmt.Sscanf(m[1], "%d;%d", &p.row, &p.col); err == nil {
					p.row, p.col = p.row-1, p.col-1
				}
			case "J":
				clear(p.cells)
			case "h", "l":
				p.sync = m[2] == "h"
			case "n":
				p.answers += fmt.Sprintf("\x1b[%d;%dR", p.row+1, p.col+1)
			}
			continue
		}
		p.pending = p.pending[1:]
		switch c {
		case '\r':
			p.col = 0
		case '\n':
			p.row++
		default:
			p.cells[[2]int{p.row, p.col}] = c
			p.col++
		}
	}
	return len(b), nil
}

func (p *page) Text() string {
	var lines []string
	for at, c := range p.cells {
		for len(lines) <= at[0] {
			lines = append(lines, "")
		}
		line := []byte(fmt.Sprintf("%-*s", at[1]+1, lines[at[0]]))
		line[at[1]] = c
		lines[at[0]] = string(line)
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func (p *page) Settled() bool { return !p.sync && p.pending == "" }

func (p *page) Answers() []byte {
	a := p.answers
	p.answers = ""
	return []byte(a)
}

func (p *page) Resize(rows, cols int) { p.rows, p.cols = rows, cols }

// on is the conversation with a page.
func on(c *expect.Console) (*expect.Console, *page) {
	p := newPage()
	return c.With(expect.Options{Screen: p, View: expect.Plain}), p
}

// What stands on the screen is found, however it came to stand there and however
// its bytes came.
func TestOnScreenSeesWhatIsShown(t *testing.T) {
	tests := []struct {
		name, output string
		cases        []expect.Pattern
		index        int
		text         string
		groups       int
	}{
		{"text", "hello\r\n", []expect.Pattern{expect.Text("hello")}, 0, "hello", 0},
		{"drawn backwards", "\x1b[1;4Hlo\x1b[1;1Hhel", []expect.Pattern{expect.Text("hello")}, 0, "hello", 0},
		{"drawn over", "Loading...\rReady     ", []expect.Pattern{expect.Text("Loading"), expect.Text("Ready")}, 1, "Ready", 0},
		{"cleared", "error\x1b[2J\x1b[Hfine", []expect.Pattern{expect.Text("error"), expect.Text("fine")}, 1, "fine", 0},
		{"expression", "\x1b[2;1Hcpu 42%", []expect.Pattern{expect.Regexp(`(?m)^cpu (\d+)%$`)}, 0, "cpu 42%", 2},
		{"blanks at the end of a row", "Name: \r\nAge: ", []expect.Pattern{expect.Text("Name: ")}, 0, "Name:", 0},
		{"blanks within a row", "x x: y", []expect.Pattern{expect.Text("x: ")}, 0, "x: ", 0},
		{"nothing is too little", "abc", []expect.Pattern{expect.Text("")}, 0, "", 0},
		{"the first that is there", "ab", []expect.Pattern{expect.Text("b"), expect.Text("a")}, 0, "b", 0},
	}
	for _, tt := range tests {
		for how, parts := range cuts(tt.output) {
			synctest.Test(t, func(t *testing.T) {
				c, far := talk(t)
				c, p := on(c)
				go func() {
					for _, part := range parts {
						far.say(part)
					}
				}()
				var cases []expect.Pattern
				for _, pattern := range tt.cases {
					cases = append(cases, expect.OnScreen(pattern))
				}
				m, err := c.Expect(t.Context(), cases...)
				if err != nil || m.Index != tt.index || m.Text != tt.text || len(m.Groups) != tt.groups || m.Pattern != cases[tt.index] {
					t.Errorf("%s, %s: got %+v, %v", tt.name, how, m, err)
				}
				if p.given.String() != tt.output || m.End != int64(len(tt.output)) {
					t.Errorf("%s, %s: the screen got %q, the match ends at %d", tt.name, how, p.given.String(), m.End)
				}
			})
		}
	}
}

// An update that is to be seen as a whole is not looked at before its end.
func TestOnScreenWaitsForTheScreenToSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := talk(t)
		c, _ = on(c)
		go func() {
			far.say("\x1b[?2026hold")
			time.Sleep(10 * time.Second)
			far.say("\rnew\x1b[?2026l")
		}()
		m, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("old")), expect.OnScreen(expect.Text("new")))
		if err != nil || m.Index != 1 {
			t.Errorf("got %+v, %v", m, err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // what moves for ever is taken at last
		c, far := talk(t)
		c, _ = on(c.With(expect.Options{MaxDelay: time.Second}))
		enough := make(chan struct{})
		defer close(enough)
		go func() {
			for tick := time.Tick(10 * time.Millisecond); ; {
				select {
				case <-tick:
					far.say("\rbusy -")
				case <-enough:
					return
				}
			}
		}()
		began := time.Now()
		m, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("busy")))
		if d := time.Since(began); err != nil || d < time.Second || d > 1100*time.Millisecond {
			t.Errorf("got %+v after %s, %v", m, d, err)
		}
	})
}

// An update that never ends is taken when the program waits, and else when the time is over.
func TestOnScreenTakesAnUpdateThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := talk(t)
		c, _ = on(c.With(expect.Options{Timeout: 5 * time.Second}))
		go far.say("\x1b[?2026hhalf")
		began := time.Now()
		m, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("half")))
		if d := time.Since(began); err != nil || m.Text != "half" || d != 5*time.Second {
			t.Errorf("got %+v after %s, %v", m, d, err)
		}
	})
	d := drive(t, proc.Command("sh", "-c", `printf '\033[?2026hhalf'; read a`))
	c, _ := on(d.Console.With(expect.Options{Timeout: time.Hour}))
	if m, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("half"))); err != nil || m.Text != "half" {
		t.Errorf("got %+v, %v", m, err)
	}
}

// Every call feeds the screen, and no byte comes twice.
func TestTheScreenGetsEveryByteOnce(t *testing.T) {
	d := drive(t, proc.Command("sh", "-c", `
		stty -echo; printf 'one\n'; read a; printf 'two\nthree\n'; read a; printf 'four\n'; read a; printf 'five\nsix\n'; read a
		printf 'seven\n'; exec sleep 0`))
	early := d.Console
	first, p := on(early)
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := first.Expect(t.Context(), expect.Text("one"))
	step(err)
	second := first.With(expect.Options{Screen: p, Settle: time.Millisecond})
	step(second.SendLine(""))
	_, err = second.Expect(t.Context(), expect.OnScreen(expect.Text("three")))
	step(err)
	late := newPage()
	third := early.With(expect.Options{Screen: late})
	step(early.SendLine(""))
	_, _, err = expect.Select(t.Context(), early.When(expect.Text("four")))
	step(err)
	text, err := early.With(expect.Options{Prompt: expect.Text("six\n")}).Command(t.Context(), "")
	step(err)
	if text != "five\n" {
		t.Errorf("the answer is %q", text)
	}
	step(early.SendLine(""))
	m, err := third.Expect(t.Context(), expect.OnScreen(expect.Regexp("s(eve)n")))
	step(err)
	if m.Groups[1] != "eve" || !strings.Contains(m.Before, "seven") {
		t.Errorf("got %+v", m)
	}
	_, err = early.Wait(t.Context())
	step(err)
	const all = "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\nseven\r\n"
	if p.given.String() != all || late.given.String() != all {
		t.Errorf("the screens got %q and, the late one, %q", p.given.String(), late.given.String())
	}
}

// A rule about the screen is answered once for what came, and again when more did.
func TestRulesLookAtTheScreen(t *testing.T) {
	d := drive(t, proc.Command("sh", "-c", `
		stty -echo -icanon
		for i in 1 2 3; do printf '\033[2J\033[Hpage %s\r\n--More--' $i; dd bs=1 count=1 >/dev/null 2>&1; done
		printf '\033[2J\033[Hthe end'; read a`))
	c, p := on(d.Console)
	fired := 0
	more := expect.On(expect.OnScreen(expect.Text("--More--")), func(_ context.Context, c *expect.Console, m expect.Match) error {
		fired++
		return c.Send(" ")
	})
	m, err := c.Expect(t.Context(), more, expect.OnScreen(expect.Text("the end")))
	if err != nil || m.Index != 1 || fired != 3 {
		t.Errorf("got %+v, %v, after %d pages:\n%s", m, err, fired, p.Text())
	}
}

// The screen answers the terminal's questions, where they would not become a line
// of input.
func TestTheScreenAnswersQuestions(t *testing.T) {
	d := drive(t, proc.Command("sh", "-c", `
		stty -echo -icanon min 1; printf 'abc\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c | tr -d ' '
		stty icanon; printf 'abc\033[6n\ndone\n'; read a; echo "<$a>"`))
	c, _ := on(d.Console)
	if m, err := c.Expect(t.Context(), expect.Text("033[1;4R")); err != nil {
		t.Fatalf("got %+v, %v", m, err)
	}
	if _, err := c.Expect(t.Context(), expect.Text("done\n")); err != nil {
		t.Fatal(err)
	}
	if err := c.SendLine("x"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Expect(t.Context(), expect.Text("<x>")); err != nil {
		t.Fatal(err)
	}
}

func TestTheScreenFollowsTheSize(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do read a; done"}, Size: proc.Size{Rows: 10, Cols: 40}})
	c, p := on(d.Console)
	if p.rows != 10 || p.cols != 40 {
		t.Errorf("at the start it is %dx%d", p.rows, p.cols)
	}
	if _, err := c.Expect(t.Context(), expect.Text("ready")); err != nil {
		t.Fatal(err)
	}
	if err := c.Bridge().Resize(proc.Size{Rows: 30, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("ready"))); err != nil {
		t.Fatal(err)
	}
	if p.rows != 30 || p.cols != 100 {
		t.Errorf("it is %dx%d", p.rows, p.cols)
	}
}

func TestTheEndOfTheOutputShowsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := talk(t)
		c, _ = on(c)
		go func() {
			far.say("\x1b[?2026hbye")
			far.Close()
		}()
		if m, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("bye")), expect.EOF); err != nil || m.Index != 0 || m.Before != "bye" {
			t.Errorf("got %+v, %v", m, err)
		}
		if _, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("more"))); !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWrongUsesOfTheScreen(t *testing.T) {
	c, _ := talk(t)
	if _, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("x"))); !errors.Is(err, expect.ErrPattern) || !strings.Contains(err.Error(), "set Options.Screen") {
		t.Errorf("got %v", err)
	}
	c, _ = on(c)
	for _, p := range []expect.Pattern{nil, expect.EOF, expect.Waiting, expect.Regexp("("), expect.OnScreen(expect.Text("x"))} {
		if _, err := c.Expect(t.Context(), expect.OnScreen(p)); !errors.Is(err, expect.ErrPattern) {
			t.Errorf("%v: got %v", p, err)
		}
	}
}

func TestAnErrorShowsTheScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := talk(t)
		c, _ = on(c)
		go far.say("\x1b[2;1Hhere\x1b[1;1Hthere")
		_, err := c.Expect(t.Context(), expect.OnScreen(expect.Text("nowhere")))
		const want = "expect: nothing matched in 30s\n  wanted   <screen \"nowhere\">\n  unread   \"herethere\"\n  screen   |there\n           |here"
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	})
}

// A real screen beside a real full-screen program.
func TestVimOnAScreen(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"vim", "-u", "NONE", "-i", "NONE", "--cmd", "set nocp noswapfile", t.TempDir() + "/notes"}, Env: env("TERM=xterm-256color")})
	s := screen.New(24, 80)
	c := dialog{t, d.With(expect.Options{Screen: s})}
	c.expect(expect.OnScreen(expect.Text("[New]")))
	c.keys("i")
	c.expect(expect.OnScreen(expect.Text("-- INSERT --")))
	if err := c.Send("hello"); err != nil {
		t.Fatal(err)
	}
	c.expect(expect.OnScreen(expect.Regexp(`(?m)^hello$`)))
	if cur := s.Cursor(); cur.Row != 1 || cur.Col != 6 {
		t.Errorf("the cursor is at %+v", cur)
	}
	if err := c.Bridge().Resize(proc.Size{Rows: 10, Cols: 40}); err != nil {
		t.Fatal(err)
	}
	c.keys("esc")
	c.expect(expect.OnScreen(expect.Regexp(`^hello(\n~){8}$`)))
	if rows, cols := s.Size(); rows != 10 || cols != 40 {
		t.Errorf("it is %dx%d", rows, cols)
	}
	c.line(":q!")
	c.ends(0)
}
