package debugger

import (
	"context"
	"io"
	"regexp"
	"strings"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/proc"
)

// A console is a debugger that is spoken to as a person does: what it shows is
// read, and a command is a line behind its prompt.
type console struct {
	d    *Debugger
	turn chan struct{} // who gives a command

	// guarded by d.mu
	reader   consoleReader
	answered chan string // who waits for the answer to its command; nil: nobody
}

func startConsole(d *Debugger, p Profile, program proc.Spec) error {
	patterns, err := p.compile()
	if err != nil {
		return err
	}
	c := &console{d: d, turn: make(chan struct{}, 1), reader: consoleReader{patterns: patterns, async: p.Async, stopsSoon: p.StopsFirst, starting: true}}
	terminals := map[string]string{}
	if p.hasTTY() {
		if d.tty, err = openTerminal(program.Size, false); err != nil {
			return err
		}
		terminals["tty"] = terminalName(d.tty)
	}
	spec := p.spec(program, terminals)
	spec.Stdio = proc.PTY
	if d.console, err = bridge.Start(context.Background(), spec); err != nil {
		if d.tty != nil {
			_ = d.tty.Close() // the reason counts
		}
		return err
	}
	d.engine = c
	return nil
}

func (c *console) run(context.Context) {
	r := c.d.console.Output().Reader("debugger", bridge.Block)
	defer r.Close()
	var plain escape.Filter
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		c.d.mu.Lock()
		for raw := buf[:n]; len(raw) > 0; {
			text, used := plain.Next(raw)
			c.show(string(text))
			raw = raw[used:]
		}
		c.d.mu.Unlock()
		if err != nil && !bridge.IsLost(err) {
			break
		}
	}
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	if c.answered != nil {
		close(c.answered)
		c.answered = nil
	}
}

// show takes what the console shows. Called with d.mu held.
func (c *console) show(text string) {
	events, said, prompt := c.reader.feed(text)
	for _, e := range events {
		c.d.happen(e)
	}
	if prompt && c.answered != nil {
		c.answered <- said
		c.answered = nil
	}
}

func (c *console) do(ctx context.Context, command string) (Reply, error) {
	command = strings.TrimSpace(command)
	if strings.ContainsAny(command, "\r\n") {
		return Reply{}, &BusyError{Why: "a command is one line", Hint: "give the lines one after another"}
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return Reply{}, context.Cause(ctx)
	}
	defer func() { <-c.turn }()

	answered := make(chan string, 1)
	c.d.mu.Lock()
	switch {
	case c.d.state.Phase == Ended:
		c.d.mu.Unlock()
		return Reply{}, ErrEnded
	case !c.reader.prompting || c.reader.given: // the program would read it
		c.d.mu.Unlock()
		return Reply{}, &BusyError{Why: c.d.profile.Name + " is not at its prompt", Hint: "interrupt the program first, or answer at the console"}
	}
	c.reader.given = true
	c.answered = answered
	c.d.mu.Unlock()
	if _, err := io.WriteString(c.d.console.Input(), command+"\r"); err != nil {
		return Reply{}, err
	}
	select {
	case said, ok := <-answered:
		if !ok {
			return Reply{}, ErrEnded
		}
		return Reply{OK: true, Text: said}, nil
	case <-ctx.Done():
		c.d.mu.Lock()
		defer c.d.mu.Unlock()
		c.answered = nil // it is given to nobody then
		return Reply{}, context.Cause(ctx)
	}
}

func (c *console) interrupt(context.Context) error {
	_, err := c.d.console.Input().Write([]byte{0x03})
	return err
}

// A consoleReader turns what a console shows into events: a function of the text
// alone. A location counts when the program ran before: the same line is shown in
// backtraces.
type consoleReader struct {
	patterns
	async     bool // it shows its prompt also while the program runs
	stopsSoon bool // its first prompt comes before the program has stopped at its start
	starting  bool // it takes no commands yet
	running   bool
	prompting bool // its prompt is the last it showed
	given     bool // a command was sent, and is not shown yet
	asked     bool // the question at the end was told

	line   string // begun, without its end
	behind int    // how much of the line is the prompt
	said   strings.Builder
	place  *Event // seen since the program runs
	over   *Event // it has ended
}

// feed takes text and says what happened. prompt: it takes the next command; said
// is what it showed since the last one.
func (r *consoleReader) feed(text string) (events []Event, said string, prompt bool) {
	r.line += text
	for {
		line, rest, ended := strings.Cut(r.line, "\n")
		if !ended {
			break
		}
		r.line = rest
		events = append(events, r.ended(strings.TrimRight(line, "\r"))...)
	}
	const longest = 64 << 10 // no prompt, and no line that a pattern is for
	if len(r.line) > longest {
		r.said.WriteString(r.line)
		r.line, r.behind = "", 0
	}
	switch {
	case r.line == "" || r.behind > 0:
	case match(r.prompt, r.line) != nil:
		r.behind = len(r.line)
		if r.starting && r.stopsSoon {
			return events, "", false
		}
		r.prompting = true
		said = r.said.String()
		r.said.Reset()
		return append(events, r.prompted()...), said, true
	case match(r.question, r.line) != nil && !r.asked:
		r.asked = true
		events = append(events, Event{Kind: KindQuestion, Text: r.line})
	}
	return events, "", false
}

// prompted says what the prompt means: whatever ran has stopped, unless the
// debugger shows it in any case.
func (r *consoleReader) prompted() (events []Event) {
	if r.async {
		r.starting = false
		return []Event{{Kind: KindPrompt}}
	}
	switch {
	case r.over != nil:
		events = append(events, *r.over)
	case (r.running || r.starting) && r.place != nil:
		events = append(events, *r.place)
	case r.running:
		events = append(events, Event{Kind: KindStopped})
	}
	r.starting, r.running, r.place, r.over = false, false, nil, nil
	return append(events, Event{Kind: KindPrompt})
}

// ended takes a whole line.
func (r *consoleReader) ended(line string) (events []Event) {
	r.asked = false
	if r.behind > 0 { // the prompt, and behind it what a person or a front end has typed
		command := strings.TrimSpace(line[min(r.behind, len(line)):])
		r.behind = 0
		if !r.async || match(r.location, command) == nil && match(r.exited, command) == nil {
			r.prompting, r.given = false, false
			if match(r.run, command) != nil {
				r.running = true
				return []Event{{Kind: KindRunning}}
			}
			return nil
		}
		line = command // it has spoken behind its own prompt
	}
	r.said.WriteString(line + "\n")
	events = append(events, Event{Kind: KindOutput, Text: line + "\n"})
	if m := match(r.location, line); m != nil && (r.running || r.starting) {
		r.place = &Event{
			Kind: KindStopped, Reason: m["reason"], File: m["file"], Path: m["path"], Line: number(m["line"]), Func: m["func"], Thread: number(m["thread"]),
		}
		if r.async { // nothing else will tell
			events = append(events, *r.place)
			r.place, r.running, r.starting = nil, false, false
		}
	}
	if m := match(r.exited, line); m != nil {
		e := Event{Kind: KindExited}
		if text := m["status"]; text != "" {
			n := number(strings.TrimPrefix(text, "-"))
			if strings.HasPrefix(text, "-") {
				n = -n
			}
			e.Status = &n
		}
		r.over = &e
		if r.async {
			events = append(events, e)
			r.over, r.running = nil, false
		}
	}
	if m := match(r.breakpoint, line); m != nil {
		events = append(events, Event{Kind: KindBreakpoint, Breakpoint: &Breakpoint{
			ID: m["id"], File: m["file"], Path: m["path"], Line: number(m["line"]), Func: m["func"], Enabled: true,
		}})
	}
	if m := match(r.deleted, line); m != nil {
		events = append(events, Event{Kind: KindBreakpoint, Breakpoint: &Breakpoint{ID: m["id"]}, Deleted: true})
	}
	return events
}

// match returns the named groups of a match in text, or nil.
func match(re *regexp.Regexp, text string) map[string]string {
	if re == nil {
		return nil
	}
	m := re.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	groups := map[string]string{}
	for i, name := range re.SubexpNames() {
		if name != "" && m[i] != "" { // of several groups of a name one has matched
			groups[name] = m[i]
		}
	}
	return groups
}
