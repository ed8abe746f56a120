package dialog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/keys"
	"github.com/spawnx/spawnx/internal/lazy"
	"github.com/spawnx/spawnx/record"
	"github.com/spawnx/spawnx/screen"
)

// A Pattern is what the program showed before an answer: text, or a regular
// expression. The zero Pattern is nothing.
type Pattern struct {
	Text     string
	Regexp   bool
	OnScreen bool // of a full-screen program
	Idle     bool // nothing was shown: it was quiet, and no more
}

// A Kind is how something was answered.
type Kind int

const (
	Line    Kind = iota // Text and Enter
	Text                // Text alone
	Keys                // Names
	EOF                 // the end of the input
	Hidden              // a secret and Enter
	Resized             // the terminal, to Rows and Cols: no answer
)

// A Step is one answer.
type Step struct {
	Wait  Pattern // what to wait for before; zero: it was typed at once
	Kind  Kind
	Text  string
	Names []string

	Rows, Cols int

	Unproved bool // of a secret: the terminal did not tell that it would not show
}

// A Session is what a script or a test is written from.
type Session struct {
	Args  []string
	Stdio string   // pipes and so on; "" is a terminal
	Dir   string   // "": anywhere
	Env   []string // what was added
	Rules []Rule   // that stood
	Dialog
}

// A Rule is what was answered whenever it came, both in the words of the command
// line.
type Rule struct{ Pattern, Reply string }

// A Dialog is a session as its person saw it.
type Dialog struct {
	Rows, Cols int
	Steps      []Step
	Last       Pattern // what the program wrote at its end
	Status     int
	Ended      bool // the recording holds the end of the program
}

// From turns a recording into a Dialog.
func From(h record.Header, events []record.Event) Dialog {
	d := Dialog{Rows: h.Rows, Cols: h.Cols}
	slices.SortStableFunc(events, func(a, b record.Event) int { return int(min(max(a.Time-b.Time, -1), 1)) })
	v := newView(h.Rows, h.Cols)
	for _, e := range events {
		switch e.Kind {
		case record.Output:
			v.write(e.Data)
		case record.Resize:
			v.screen.Resize(e.Rows, e.Cols)
			d.Steps = append(d.Steps, Step{Kind: Resized, Rows: e.Rows, Cols: e.Cols})
		case Secret, Unproved:
			d.Steps = append(d.Steps, Step{Wait: v.asked(), Kind: Hidden, Unproved: e.Kind == Unproved})
			v.before = v.screen.Clone()
			v.answered("")
		case record.Input:
			d.answer(v, e.Data)
		case Ruled:
			v.ruled = append(v.ruled, string(e.Data))
		case record.Exit:
			d.Status, d.Ended = e.Status, true
		}
	}
	d.Last = v.last()
	d.join()
	return d
}

// answer makes steps of what was typed.
func (d *Dialog) answer(v *view, p []byte) {
	var wait Pattern
	n := len(d.Steps)
	within := n > 0 && (d.Steps[n-1].Kind == Text || d.Steps[n-1].erases() && p[0] == 0x7f) && (p[0] >= ' ' || p[0] == '\r') // a line
	if within && p[0] != '\r' && v.redrawn() {                                                                               // keys that are commands, each
		if wait = v.news(); wait == (Pattern{}) || strings.Contains(v.before.Text(), wait.Text) {
			wait = Pattern{Idle: true}
		}
		v.before = v.screen.Clone()
	} else if !within {
		wait = v.asked()
		v.before = v.screen.Clone()
	}
	add := func(s Step) {
		s.Wait, wait = wait, Pattern{}
		if s.Wait == (Pattern{}) && len(d.Steps) == n && n > 0 && needsPause(d.Steps[n-1], s) {
			s.Wait.Idle = true
		}
		d.Steps = append(d.Steps, s)
	}
	drawn, begun := v.drawn(), n
	v.answered(echoOf(strings.TrimRight(string(p), "\r\n")))
	for len(p) > 0 {
		n := 0
		for n < len(p) && p[n] >= ' ' && p[n] != 0x7f {
			n++
		}
		switch {
		case n < len(p) && (p[n] == '\r' || p[n] == '\n'):
			add(Step{Kind: Line, Text: string(p[:n])})
			n++
		case n > 0:
			add(Step{Kind: Text, Text: string(p[:n])})
		case p[0] == 4 && len(p) == 1 && !v.screen.Modes().Alternate:
			add(Step{Kind: EOF})
			n = 1
		default:
			var name string
			name, n = keys.Parse(p)
			if n == 0 { // an esc at the end, or no key at all
				n = len(p)
			}
			last := len(d.Steps) - 1
			switch {
			case name == "backspace" && (within || last >= begun) && !drawn && d.Steps[last].Kind == Text && d.Steps[last].Text != "": // a slip
				_, size := utf8.DecodeLastRuneInString(d.Steps[last].Text)
				d.Steps[last].Text = d.Steps[last].Text[:len(d.Steps[last].Text)-size]
			case name != "":
				add(Step{Kind: Keys, Names: []string{name}})
			}
		}
		p = p[n:]
	}
}

// echoOf is how a terminal shows what is typed.
func echoOf(typed string) string {
	if len(typed) == 1 && typed[0] < ' ' {
		return "^" + string(rune(typed[0]+'@'))
	}
	return typed
}

// erases reports whether a step is backspaces alone.
func (s Step) erases() bool { return s.Kind == Keys && slices.Equal(s.Names, []string{"backspace"}) }

// needsPause reports whether a step must not come at once behind the one before. Keys that are signals throw away what
// the program has not read yet, and what comes right behind them; and an esc with more behind it is another key.
func needsPause(before, s Step) bool {
	return before.Kind == Keys && before.Names[len(before.Names)-1] == "esc" || before.signals() || s.signals()
}

func (s Step) signals() bool {
	return s.Kind == Keys && slices.ContainsFunc(s.Names, func(name string) bool {
		return name == "ctrl-c" || name == "ctrl-z" || name == `ctrl-\`
	})
}

// join makes one step of those that were one action: text and the Enter behind
// it, keys in a row.
func (d *Dialog) join() {
	var steps []Step
	for _, s := range d.Steps {
		if n := len(steps) - 1; n >= 0 && s.Wait == (Pattern{}) {
			last := &steps[n]
			switch {
			case last.Kind == Text && (s.Kind == Text || s.Kind == Line):
				last.Kind, last.Text = s.Kind, last.Text+s.Text
				continue
			case last.Kind == Keys && s.Kind == Keys:
				last.Names = append(slices.Clone(last.Names), s.Names...)
				continue
			}
		}
		steps = append(steps, s)
	}
	d.Steps = slices.DeleteFunc(steps, func(s Step) bool { return s.Kind == Text && s.Text == "" && s.Wait == (Pattern{}) })
}

// A view is what a person sees of the output: the text that came since the last
// answer, and the screen.
type view struct {
	filter escape.Filter
	text   []byte
	echo   string // of the last answer, which may come
	screen *screen.Screen
	before *screen.Screen // when it was answered last, a line when it was begun
	full   bool           // the alternate screen was shown since
	fresh  bool           // something came since
	ruled  []string       // what rules answered since
}

func newView(rows, cols int) *view {
	s := screen.New(rows, cols)
	return &view{screen: s, before: s.Clone()}
}

// mostText bounds what is looked at between two answers.
const mostText = 256 << 10

func (v *view) write(p []byte) {
	_, _ = v.screen.Write(p) // never fails
	v.fresh = v.fresh || len(p) > 0
	v.full = v.full || v.screen.Modes().Alternate
	for len(p) > 0 {
		text, n := v.filter.Next(p)
		v.text = append(v.text, text...)
		p = p[n:]
	}
	if len(v.text) > 2*mostText {
		v.text = append(v.text[:0], v.text[len(v.text)-mostText:]...)
	}
}

// answered begins anew behind an answer.
func (v *view) answered(echo string) {
	v.text, v.echo, v.ruled = v.text[:0], echo, nil
	v.full, v.fresh = v.screen.Modes().Alternate, false
}

// rest is the text since the last answer, without its echo and what rules have answered.
func (v *view) rest() string {
	text := string(v.text)
	if v.echo != "" {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(text, "\r"), v.echo); ok {
			text = rest
		}
	}
	for _, ruled := range v.ruled {
		match, sent, _ := strings.Cut(ruled, "\x00")
		if _, rest, ok := strings.Cut(text, match); ok && match != "" {
			text = rest
			if line, behind, _ := strings.Cut(text, "\n"); sent != "" && strings.TrimSpace(line) == sent { // its echo
				text = behind
			}
		}
	}
	return text
}

// asked is what the program showed before the answer that comes now.
func (v *view) asked() Pattern {
	switch {
	case v.drawn() && !v.fresh:
		return Pattern{} // typed ahead: what is shown is about to go
	case v.drawn():
		return v.news()
	}
	text := v.rest()
	line := strings.TrimRight(text[strings.LastIndexByte(text, '\n')+1:], "\x00\a")
	line = line[strings.LastIndexByte(line, '\r')+1:]
	switch {
	case !plain(line):
		return Pattern{} // a line editor draws
	case strings.TrimSpace(line) != "":
		return prompt(text, line)
	}
	return v.lastLine()
}

// drawn reports whether the program draws on the screen: also one that stays off the alternate screen hides the cursor,
// as top does, or has something below it, as dialog does.
func (v *view) drawn() bool {
	if v.screen.Modes().Alternate || v.screen.Cursor().Hidden {
		return true
	}
	rows, _ := v.screen.Size()
	for row := v.screen.Cursor().Row + 1; row < rows; row++ {
		if strings.TrimSpace(v.screen.Line(row).Text()) != "" {
			return true
		}
	}
	return false
}

// mostEchoed is how many rows of a full-screen program may change while a text is typed into it.
const mostEchoed = 4

// redrawn reports whether a full-screen program answered with more than the echo of a text.
func (v *view) redrawn() bool {
	return v.fresh && v.drawn() && len(v.screen.Changed(v.before)) > mostEchoed
}

// last is what the program wrote at its end.
func (v *view) last() Pattern {
	if v.full {
		return Pattern{}
	}
	return v.lastLine()
}

// lastLine is the last line with something in it, to be found again also with
// other numbers.
func (v *view) lastLine() Pattern {
	lines := strings.Split(v.rest(), "\n")
	for _, line := range slices.Backward(lines) {
		line = strings.TrimSpace(line[strings.LastIndexByte(strings.TrimRight(line, "\r"), '\r')+1:])
		if line == "" || !plain(line) {
			continue
		}
		if varies(line) {
			return Pattern{Text: anyOf(line), Regexp: true}
		}
		return Pattern{Text: line}
	}
	return Pattern{}
}

// varies reports whether a text has parts that are others the next time: numbers, and secrets, which were masked.
func varies(s string) bool {
	return strings.ContainsAny(s, "0123456789") || strings.Contains(s, masked)
}

const masked = "[secret]"

// anyOf is a regular expression for a text with any numbers and any secrets.
func anyOf(s string) string {
	s = digits.Get().ReplaceAllString(regexp.QuoteMeta(s), `\d+`)
	return strings.ReplaceAll(s, regexp.QuoteMeta(masked), `\S+`)
}

var digits = lazy.Regexp(`[0-9]+`)

// longestPrompt is how much of a line is waited for.
const longestPrompt = 40

// prompt is the pattern for the line that a program has begun at the end of
// text: the line, with any numbers; of a shell's prompt, which tells host and
// folder, only its end. Where that also stands before, it is wanted as a whole
// line at the end of the output.
func prompt(text, line string) Pattern {
	if m := shell.Get().FindStringSubmatch(line); m != nil {
		return Pattern{Text: regexp.QuoteMeta(m[1]) + `$`, Regexp: true}
	}
	short := line
	for len([]rune(short)) > longestPrompt {
		_, after, ok := strings.Cut(short[1:], " ")
		if !ok || strings.TrimSpace(after) == "" {
			break
		}
		short = after
	}
	p := Pattern{Text: short}
	if varies(short) {
		p = Pattern{Text: anyOf(short), Regexp: true}
	}
	if strings.TrimSpace(short) != "" && p.find(text) == len(text) {
		return p
	}
	return Pattern{Text: `(?:^|\n)` + anyOf(line) + `$`, Regexp: true}
}

// A shell's prompt names a host, a folder or a version.
var shell = lazy.Regexp(`[@:~/\\-][^ ]*([$#%>] *)$`)

// find returns where the first match in text ends, -1 without one.
func (p Pattern) find(text string) int {
	if p.Regexp {
		if at := regexp.MustCompile(p.Text).FindStringIndex(text); at != nil { // it is ours
			return at[1]
		}
		return -1
	}
	if at := strings.Index(text, p.Text); at >= 0 {
		return at + len(p.Text)
	}
	return -1
}

// plain reports whether s can be written down as it is.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd })
}

// word is what a row needs to be told from the passing remarks of an editor.
var word = lazy.Regexp(`\pL{3,}`)

// news is what is new on the screen of a full-screen program: the row with words
// next to the cursor that changed since the last answer.
func (v *view) news() Pattern {
	best, distance := "", 1<<20
	row := v.screen.Cursor().Row
	for _, changed := range v.screen.Changed(v.before) {
		text := strings.TrimSpace(v.screen.Line(changed).Text())
		if i := strings.IndexAny(text, "0123456789"); i >= 0 { // what stands before a number stays
			text = strings.TrimSpace(text[:i])
		}
		away := max(changed-row, row-changed)
		if len(word.Get().FindString(text)) >= 3 && plain(text) && away < distance {
			best, distance = text, away
		}
	}
	if best == "" {
		return Pattern{}
	}
	return Pattern{Text: best, OnScreen: true}
}

// SecretNames are the names of the variables in which n secrets are given.
func SecretNames(n int) []string {
	names := []string{"PASSWORD"}
	for i := 2; i <= n; i++ {
		names = append(names, fmt.Sprintf("PASSWORD%d", i))
	}
	return names[:n]
}
