package clitest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/internal/keys"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

// The commands that look at the screen, or depend on what the program has told its terminal.
func screenCommands() []command {
	return []command{
		{name: "screen", args: "[-styles] NAME", about: "wait until the screen equals the file NAME.screen of the archive",
			dialog: true, min: 1, max: 2, check: checkScreen, run: (*state).cmdScreen},
		{name: "paste", args: "TEXT", about: "paste a text, in brackets where the program asked for them", dialog: true, min: 1, max: 1, run: (*state).cmdPaste},
		{name: "mouse", args: "click|press|release|move|scrollup|scrolldown [left|middle|right] ROW,COL", about: "use the mouse",
			dialog: true, min: 2, max: 3, check: checkMouse, run: (*state).cmdMouse},
	}
}

// A display is what a program's terminal shows. To the conversation it can pretend to show nothing but whether
// it looks as it should: so screen waits as expect -screen does. The screen itself is fed by the artifact.Watch.
type display struct {
	*screen.Screen

	comparing bool
	want      string // a screen file
	styles    bool
	differs   error // as it was compared last
}

const asItShould = "as it should"

func (d *display) Write(p []byte) (int, error) { return len(p), nil }
func (d *display) Answers() []byte             { return nil }
func (d *display) Resize(rows, cols int)       {}

func (d *display) Text() string {
	if !d.comparing {
		return d.Screen.Text()
	}
	if d.differs = golden.Compare(d.want, d.Screen, d.styles); d.differs == nil {
		return asItShould
	}
	return ""
}

func parseScreen(args []string) (name string, styles bool, err error) {
	set, rest, err := flags(args, nil, []string{"-styles"})
	if err != nil {
		return "", false, err
	}
	if len(rest) != 1 {
		return "", false, usageOf("screen [-styles] NAME")
	}
	_, styles = set["-styles"]
	name = rest[0]
	if strings.HasSuffix(name, screenSuffix) {
		return "", false, hinted("write screen "+strings.TrimSuffix(name, screenSuffix), "%s: the name is written without %s", escape.Visible(name), screenSuffix)
	}
	if strings.ContainsAny(name, "\n\r") || strings.TrimSpace(name) != name || name == "" {
		return "", false, failed("%s is no name of a file", escape.Quote(name))
	}
	return name, styles, nil
}

func checkScreen(c call) error {
	_, _, err := parseScreen(c.args)
	return err
}

func (s *state) cmdScreen(c call) error {
	name, styles, err := parseScreen(c.args)
	if err != nil {
		return err
	}
	p := s.ended[c.who] // a screen stays when its program has ended
	if s.programs[c.who] != nil || p == nil {
		if p, err = s.program(c); err != nil {
			return err
		}
	}
	if p.display == nil {
		return failed("%s has no terminal, so there is no screen", p.command())
	}
	file := s.test.file(name + screenSuffix)
	switch {
	case s.opts.Update:
		return s.updateScreen(p, name+screenSuffix, styles)
	case file == nil:
		if s.programs[c.who] == p {
			if err := s.awaitRest(p, "", false); err != nil {
				return err
			}
		}
		return hinted("spawnx test -u "+s.test.Name+" writes it", "there is no %s in this file", escape.Visible(name+screenSuffix)).
			with("screen", s.veil.output(golden.Format(p.display.Screen, styles)))
	}
	d := p.display
	d.comparing, d.want, d.styles = true, string(file.data), styles
	defer func() { d.comparing = false }()
	if s.programs[c.who] == nil {
		if d.Text() == asItShould {
			return nil
		}
		return s.differs(name, p, nil)
	}
	p.watch.Waits("the screen " + name)
	m, err := p.c.Expect(s.ctx, expect.OnScreen(expect.Text(asItShould)), expect.EOF)
	if err == nil && m.Pattern == expect.EOF && d.Text() != asItShould {
		return s.differs(name, p, nil)
	}
	if err != nil {
		return s.differs(name, p, err)
	}
	return nil
}

// differs says in what the screen is not as it should be, and what the program does instead of making it so.
func (s *state) differs(name string, of *program, err error) error {
	p := hinted("if it should look like this: spawnx test -u "+s.test.Name, "")
	var dialog *expect.Error
	switch {
	case err == nil:
		how := ""
		if exit := of.exit(); exit.Status() != 0 {
			how, p.hint = " with "+exit.String(), "" // it should not look like this
		}
		p.what = fmt.Sprintf("%s differs, and the program has ended%s (- expected, + shown)", escape.Visible(name), how)
	case errors.As(err, &dialog) && dialog.Timeout() && restless(of.out.quiet(), dialog.Elapsed):
		p.what = fmt.Sprintf("%s still differs after %s, and the screen does not come to rest (- expected, + shown)", escape.Visible(name), brief(dialog.Elapsed))
		p.hint = "what changes all the time is masked with [..] in a row, or a line ..."
	case errors.As(err, &dialog) && dialog.Timeout():
		p.what = fmt.Sprintf("%s still differs after %s (- expected, + shown)", escape.Visible(name), brief(dialog.Elapsed))
	default:
		p.what = fmt.Sprintf("%s: %v", escape.Visible(name), firstLine(err))
	}
	p.err = err
	label := "screen"
	if difference := of.display.differs; difference != nil {
		for _, row := range strings.Split(s.veil.output(difference.Error()), "\n")[1:] {
			p.details = append(p.details, detail{label, escape.Visible(strings.TrimPrefix(row, "  "))})
			label = ""
		}
	}
	if dialog != nil {
		p.tail = stateOf(dialog)
	}
	return p
}

// restless reports whether a screen changes all the time: it was written to shortly before it was given up.
func restless(quiet, waited time.Duration) bool { return quiet < min(500*time.Millisecond, waited/4) }

// exit is how the program ended, whose output is over; zero where it still runs.
func (p *program) exit() proc.Exit {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	exit, _ := p.c.Bridge().Wait(ctx)
	return exit
}

// stateOf are the lines of a failed wait about the program, not about what was awaited.
func stateOf(err error) string {
	var b strings.Builder
	keep := false
	for _, text := range strings.Split(err.Error(), "\n")[1:] {
		switch {
		case strings.HasPrefix(text, "  sent "), strings.HasPrefix(text, "  program "):
			keep = true
		case !strings.HasPrefix(text, "          "): // not a continued one
			keep = false
		}
		if keep {
			b.WriteString("\n" + text)
		}
	}
	return b.String()
}

func firstLine(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// updateScreen writes what the settled screen shows, unless the file already says so.
func (s *state) updateScreen(p *program, name string, styles bool) error {
	old := ""
	if f := s.test.file(name); f != nil {
		old = string(f.data)
	}
	data, twice := s.updates[name]
	if twice { // the same screen is looked at again
		old = string(data)
	}
	if s.programs[p.name] == p {
		if err := s.awaitRest(p, old, styles); err != nil {
			return err
		}
	}
	if old != "" && golden.Compare(old, p.display.Screen, styles) == nil {
		return nil
	}
	if twice {
		return hinted("give each screen a name of its own", "-u has written %s in this test already, and now the screen is another", name)
	}
	now := golden.Update(old, p.display.Screen, styles)
	if err := s.public(name, now); err != nil {
		return err
	}
	if now != old {
		s.updates[name] = []byte(now)
	}
	return nil
}

// awaitRest waits until the screen is as old says or nothing more seems to come: the program waits for input, or
// is silent for a while.
func (s *state) awaitRest(p *program, old string, styles bool) error {
	silence := time.Second
	if p.escaped {
		silence = escSilence
	}
	d := p.display
	cases := []expect.Pattern{expect.Waiting, expect.Idle(silence), expect.EOF}
	if old != "" {
		d.comparing, d.want, d.styles = true, old, styles
		defer func() { d.comparing = false }()
		cases = append(cases, expect.OnScreen(expect.Text(asItShould)))
	}
	for range mostSilences {
		m, err := p.c.Expect(s.ctx, cases...)
		if err != nil || m.Pattern != expect.Idle(silence) || d.Settled() {
			return err
		}
	}
	return nil
}

// mostSilences bounds how long a program may take for an update that is to be seen as a whole: it may never end it.
const mostSilences = 10

// escSilence is longer than programs hold an esc back, as it may begin another key: vim does so for a second.
const escSilence = 2 * time.Second

func (s *state) cmdPaste(c call) error {
	p, err := s.program(c)
	if err != nil {
		return err
	}
	return p.c.Send(keys.Paste(c.args[0], p.display != nil && p.display.Modes().BracketedPaste))
}

// A click is what mouse is asked to do.
type click struct {
	action   string
	button   int // 0 left, 1 middle, 2 right
	row, col int
}

var (
	mouseActions = []string{"click", "press", "release", "move", "scrollup", "scrolldown"}
	mouseButtons = []string{"left", "middle", "right"}
)

func parseMouse(args []string) (k click, err error) {
	k.action = args[0]
	place := args[len(args)-1]
	if at(mouseActions, k.action) < 0 {
		return k, hinted("write "+strings.Join(mouseActions, ", "), "the mouse cannot %s", escape.Quote(k.action))
	}
	if len(args) == 3 {
		if k.button = at(mouseButtons, args[1]); k.button < 0 {
			return k, hinted("write left, middle or right", "%s is no button", escape.Quote(args[1]))
		}
	}
	row, col, ok := strings.Cut(place, ",")
	var err1, err2 error
	k.row, err1 = strconv.Atoi(row)
	k.col, err2 = strconv.Atoi(col)
	if !ok || err1 != nil || err2 != nil || k.row < 1 || k.col < 1 {
		return k, hinted("write ROW,COLUMN, counted from 1: 3,10", "%s is no place on the screen", escape.Quote(place))
	}
	return k, nil
}

func at(list []string, s string) int {
	for i, other := range list {
		if other == s {
			return i
		}
	}
	return -1
}

func checkMouse(c call) error {
	_, err := parseMouse(c.args)
	return err
}

func (s *state) cmdMouse(c call) error {
	k, err := parseMouse(c.args)
	if err != nil {
		return err
	}
	p, err := s.program(c)
	if err != nil {
		return err
	}
	if p.display == nil || p.display.Modes().Mouse == screen.NoMouse {
		return hinted("wait until it has: expect or screen before", "%s has not asked for the mouse", p.command())
	}
	if rows, cols := p.display.Size(); k.row > rows || k.col > cols {
		return failed("%d,%d is not on the screen of %dx%d", k.row, k.col, rows, cols)
	}
	return p.c.Send(k.bytes(p.display.Modes()))
}

// bytes is what a terminal sends, in the encoding that the program asked for. What the program did not ask to
// be told, such as moves, it is not.
func (k click) bytes(m screen.Modes) string {
	const motion, wheel = 32, 64
	told := func(action string) bool {
		switch m.Mouse {
		case screen.MousePress:
			return action == "press"
		case screen.MouseClick:
			return action != "move"
		}
		return true
	}
	one := func(action string) string {
		if !told(action) {
			return ""
		}
		code := k.button
		switch action {
		case "move":
			code += motion
			if m.Mouse == screen.MouseAnyMove {
				code = 3 + motion // no button is down
			}
		case "scrollup":
			code = wheel
		case "scrolldown":
			code = wheel + 1
		}
		return encodeMouse(m.MouseEncoding, code, k.row, k.col, action == "release")
	}
	if k.action == "click" {
		return one("press") + one("release")
	}
	return one(k.action)
}

func encodeMouse(e screen.Encoding, code, row, col int, release bool) string {
	switch e {
	case screen.MouseSGR, screen.MousePixels:
		final := "M"
		if release {
			final = "m"
		}
		return fmt.Sprintf("\x1b[<%d;%d;%d%s", code, col, row, final)
	}
	if release {
		code = 3 // which one cannot be told
	}
	switch e {
	case screen.MouseURXVT:
		return fmt.Sprintf("\x1b[%d;%d;%dM", code+32, col, row)
	case screen.MouseUTF8:
		return "\x1b[M" + string([]rune{rune(code + 32), rune(min(col, 2015) + 32), rune(min(row, 2015) + 32)})
	}
	return "\x1b[M" + string([]byte{byte(code + 32), byte(min(col, 223) + 32), byte(min(row, 223) + 32)})
}
