package debugger

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/proc"
)

// A console is a debugger that is spoken to as a person does: what it shows is
// read, and a command is a line behind its prompt.
type console struct {
	d    *Debugger
	turn chan struct{} // who gives a command
	dirs []string      // where source files may be

	// guarded by d.mu
	reader   consoleReader
	answered chan Reply        // who waits for the answer to its command; nil: nobody
	found    map[string]string // the paths of files by the names that the debugger has for them
}

func startConsole(d *Debugger, p Profile, program proc.Spec) error {
	patterns, err := p.compile()
	if err != nil {
		return err
	}
	c := &console{
		d: d, turn: make(chan struct{}, 1), dirs: sourceDirs(program), found: map[string]string{},
		reader: consoleReader{patterns: patterns, async: p.Async, shared: !p.hasTTY(), stopsSoon: p.StopsFirst, starting: true},
	}
	terminals := map[string]string{}
	if p.hasTTY() {
		if d.tty, err = d.openTTY(program.Size, true); err != nil {
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
	events, answer := c.reader.feed(text)
	for _, e := range events {
		c.locate(e.File, &e.Path)
		if b := e.Breakpoint; b != nil {
			c.locate(b.File, &b.Path)
		}
		c.d.happen(e)
	}
	if answer != nil && c.answered != nil {
		c.answered <- *answer
		c.answered = nil
		if !c.reader.prompting { // nobody gives the other lines
			c.d.later(func() { _, _ = c.d.console.Input().Write([]byte{0x03}) }) // its end tells
		}
	}
}

// locate finds the path of a source file that the debugger calls by another name.
// Called with d.mu held.
func (c *console) locate(file string, path *string) {
	if file == "" || *path != "" {
		return
	}
	known, ok := c.found[file]
	if !ok {
		if len(c.found) > maxFound { // a program on the same terminal may name any number
			clear(c.found)
		}
		known = findSource(file, c.dirs)
		c.found[file] = known
		if base := filepath.Base(known); known != "" && c.found[base] == "" { // some debuggers say it so elsewhere
			c.found[base] = known
		}
	}
	*path = known
}

const maxFound = 10000

// sourceDirs are the folders in which the sources of a program are looked for:
// where its debugger runs, and where it lies itself.
func sourceDirs(program proc.Spec) (dirs []string) {
	here, err := filepath.Abs(program.Dir)
	if err != nil {
		return nil // a file has no path then
	}
	dirs = append(dirs, here)
	if len(program.Args) > 0 {
		beside := filepath.Dir(program.Args[0])
		if !filepath.IsAbs(beside) {
			beside = filepath.Join(here, beside)
		}
		dirs = append(dirs, beside)
	}
	return dirs
}

func findSource(file string, dirs []string) string {
	candidates := []string{strings.TrimPrefix(file, "file://")}
	if !filepath.IsAbs(candidates[0]) {
		candidates = nil
		for _, dir := range dirs {
			candidates = append(candidates, filepath.Join(dir, file))
		}
	}
	for _, path := range candidates {
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() {
			return path
		}
	}
	return ""
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

	answered := make(chan Reply, 1)
	c.d.mu.Lock()
	switch {
	case c.d.state.Phase == Ended:
		c.d.mu.Unlock()
		return Reply{}, ErrEnded
	case !c.reader.prompting && !c.reader.async || c.reader.given: // the program would read it
		c.d.mu.Unlock()
		return Reply{}, &BusyError{Why: c.d.profile.Name + " is not at its prompt", Hint: "interrupt the program first, or answer at the console"}
	case c.reader.begun(): // it would become one line
		c.d.mu.Unlock()
		return Reply{}, &BusyError{Why: "somebody has begun a line at the console", Hint: "end it there, or erase it"}
	}
	c.reader.given, c.reader.sent = true, command
	c.answered = answered
	if match(c.reader.run, command) != nil { // known before what the program shows is seen
		c.reader.running = true
		c.d.happen(Event{Kind: KindRunning})
	}
	c.d.mu.Unlock()
	if _, err := io.WriteString(c.d.console.Input(), command+"\r"); err != nil {
		return Reply{}, err
	}
	select {
	case reply, ok := <-answered:
		if !ok {
			return Reply{}, ErrEnded
		}
		return reply, nil
	case <-ctx.Done():
		c.d.mu.Lock()
		defer c.d.mu.Unlock()
		c.answered = nil // it is given to nobody then
		return Reply{}, context.Cause(ctx)
	}
}

func (c *console) interrupt(ctx context.Context) error {
	if command := c.d.profile.Interrupt; command != "" {
		_, err := c.do(ctx, command)
		return err
	}
	// The key throws away what has not been read yet: the command that lets the program run, too.
	for range 1000 {
		if c.taken() {
			break
		}
		select {
		case <-time.After(time.Millisecond): // it cannot be waited for
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for range 10 {
		if _, err := c.d.console.Input().Write([]byte{0x03}); err != nil {
			return err
		}
		if swallowed, err := c.swallowed(ctx); !swallowed || err != nil {
			return err
		}
	}
	return nil // what comes of it is seen
}

// swallowed reports whether a ^C did not reach the program: it runs on, and the debugger is at its prompt. lldb sits in
// its line editor for some milliseconds more when it has let the program go.
func (c *console) swallowed(ctx context.Context) (bool, error) {
	for range 100 {
		c.d.mu.Lock()
		running := c.reader.running
		c.d.mu.Unlock()
		if !running {
			return false, nil
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	return c.reader.running && c.reader.prompting, nil
}

// taken reports whether the debugger has read the last command.
func (c *console) taken() bool {
	c.d.mu.Lock()
	given := c.reader.given
	c.d.mu.Unlock()
	return !given && c.d.console.Taken()
}

func (c *console) ready() bool { return c.reader.prompting }

// A consoleReader turns what a console shows into events: a function of the text
// alone. A location counts when the program ran before: the same line is shown in
// backtraces.
type consoleReader struct {
	patterns
	async     bool // it shows its prompt also while the program runs
	shared    bool // the program writes to the console, too
	stopsSoon bool // its first prompt comes before the program has stopped at its start
	starting  bool // it takes no commands yet
	running   bool
	prompting bool // its prompt is the last it showed
	given     bool // a command was sent, and is not shown yet
	sent      string
	asked     bool // the question at the end was told

	line    string // begun, without its end
	behind  int    // how much of the line is the prompt
	command string // the last that stood behind the prompt
	said    strings.Builder
	lines   int    // in said
	failed  bool   // one of them was a complaint
	place   *Event // seen since the program runs
	over    *Event // it has ended
	file    string // of the last place
}

// feed takes text and says what happened. answer is not nil when it takes the next
// command: what it showed since the last one.
func (r *consoleReader) feed(text string) (events []Event, answer *Reply) {
	r.line += text
	for {
		line, rest, ended := strings.Cut(r.line, "\n")
		if !ended {
			break
		}
		r.line = rest
		if n := r.promptBefore(line); n > 0 {
			prompted, a := r.atPrompt(n)
			events = append(events, prompted...)
			if answer == nil {
				answer = a
			}
		}
		events = append(events, r.ended(strings.TrimRight(line, "\r"))...)
	}
	const longest = 64 << 10 // no prompt, and no line that a pattern is for
	if len(r.line) > longest {
		r.say(r.line)
		r.line, r.behind = "", 0
	}
	n := r.promptBefore(r.line)
	if match(r.prompt, r.line) != nil {
		n = len(r.line)
	}
	switch {
	case r.line == "" || r.behind > 0:
	case n > 0:
		prompted, a := r.atPrompt(n)
		if answer == nil {
			answer = a
		}
		return append(events, prompted...), answer
	case match(r.question, r.line) != nil && !r.asked:
		r.asked = true
		events = append(events, Event{Kind: KindQuestion, Text: r.line})
	case match(r.continuation, r.line) != nil:
		r.line = ""
		return events, &Reply{Text: r.said.String() + errMore}
	}
	return events, answer
}

// promptBefore is how much of a line is the prompt that ends the answer to a
// command, with something of the program behind it.
func (r *consoleReader) promptBefore(line string) int {
	if r.begins == nil || r.behind > 0 || r.prompting || r.command == "" {
		return 0
	}
	if m := r.begins.FindStringIndex(line); m != nil && m[0] == 0 {
		return m[1]
	}
	return 0
}

// atPrompt takes the prompt, the first n bytes of the line.
func (r *consoleReader) atPrompt(n int) (events []Event, answer *Reply) {
	r.behind = n
	if r.starting && r.stopsSoon {
		return nil, nil
	}
	r.prompting = true
	answer = &Reply{OK: !r.failed, Text: r.said.String()}
	events = r.prompted()
	r.said.Reset()
	r.lines, r.failed, r.command = 0, false, ""
	return events, answer
}

// say keeps what was shown, for the answer: the beginning of it, where a program
// on the same terminal writes without end.
func (r *consoleReader) say(text string) {
	r.said.WriteString(text[:min(len(text), maxSaid-r.said.Len())])
}

const errMore = "the command is to go on in more lines: give it at the console"

// begun reports whether somebody is typing behind the prompt. What they have
// erased again does not count.
func (r *consoleReader) begun() bool {
	if r.behind == 0 || r.async { // there the debugger speaks behind its prompt, too
		return false
	}
	var line []rune
	at := 0
	for _, c := range r.line[r.behind:] {
		switch {
		case c == '\b':
			at = max(0, at-1)
		case at < len(line):
			line[at] = c
			at++
		default:
			line = append(line, c)
			at++
		}
	}
	return strings.TrimSpace(string(line)) != ""
}

// prompted says what the prompt means: whatever ran has stopped, unless the
// debugger shows it in any case.
func (r *consoleReader) prompted() (events []Event) {
	if !r.failed {
		events = r.changed()
	}
	if r.async {
		r.starting = false
		return append(events, Event{Kind: KindPrompt})
	}
	switch {
	case r.over != nil:
		events = append(events, *r.over)
	case (r.running || r.starting) && r.place != nil:
		events = append(events, *r.place)
	case r.running && r.failed:
		events = append(events, Event{Kind: KindState})
	case r.running:
		events = append(events, Event{Kind: KindStopped})
	}
	r.starting, r.running, r.place, r.over = false, false, nil, nil
	return append(events, Event{Kind: KindPrompt})
}

// changed says which breakpoint the command has made or deleted, of a debugger
// that does not say so itself.
func (r *consoleReader) changed() []Event {
	m, deleted := match(r.sets, r.command), false
	if m == nil {
		m, deleted = match(r.clears, r.command), true
	}
	if m == nil {
		return nil
	}
	b := &Breakpoint{ID: m["id"], File: m["file"], Line: number(m["line"]), Func: m["func"], Enabled: true}
	if b.File == "" && b.Line > 0 {
		b.File = r.file
	}
	switch {
	case b.ID != "":
	case b.Line > 0:
		b.ID = fmt.Sprintf("%s:%d", b.File, b.Line)
	default:
		b.ID = b.Func
	}
	return []Event{{Kind: KindBreakpoint, Breakpoint: b, Deleted: deleted}}
}

// ended takes a whole line.
func (r *consoleReader) ended(line string) (events []Event) {
	r.asked = false
	line, typed := r.behindPrompt(line)
	if typed {
		r.prompting, r.given, r.command = false, false, line
		if match(r.run, line) != nil {
			r.running = true
			return []Event{{Kind: KindRunning}}
		}
		return nil
	}
	r.say(line + "\n")
	r.lines++
	events = append(events, Event{Kind: KindOutput, Text: line + "\n"})
	if match(r.patterns.failed, line) != nil {
		r.failed = true
		if r.async && r.running && r.lines == 1 { // of the command that was to let it run
			r.running = false
			events = append(events, Event{Kind: KindState})
		}
	}
	if m := match(r.location, line); m != nil && (r.running || r.starting) {
		r.place = &Event{
			Kind: KindStopped, Reason: reasonOf(m), File: fileOf(m), Path: m["path"], Line: number(m["line"]), Func: m["func"], Thread: number(m["thread"]),
		}
		r.file = r.place.File
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
			ID: m["id"], File: fileOf(m), Path: m["path"], Line: number(m["line"]), Func: m["func"], Enabled: true,
		}})
	}
	if m := match(r.deleted, line); m != nil {
		events = append(events, Event{Kind: KindBreakpoint, Breakpoint: &Breakpoint{ID: m["id"]}, Deleted: true})
	}
	return events
}

// behindPrompt cuts the prompt off a whole line, and says whether the rest is a
// command, which a person or a front end has typed. A debugger that shows its
// prompt while the program runs may say something behind it; and where the program
// writes to the console too, only the command that was sent is known for certain.
func (r *consoleReader) behindPrompt(line string) (rest string, typed bool) {
	prompted := r.behind > 0
	if prompted {
		line = strings.TrimSpace(line[min(r.behind, len(line)):])
		r.behind = 0
	}
	switch {
	case !r.async:
		return line, prompted
	case r.shared && r.given:
		return line, strings.TrimSpace(line) == r.sent
	}
	return line, prompted && match(r.location, line) == nil && match(r.exited, line) == nil
}

// reasonOf is the reason that groups name, in the words of all debuggers.
func reasonOf(m map[string]string) string {
	word := strings.ToLower(m["reason"])
	if known, ok := reasons()[word]; ok {
		return known
	}
	return word
}

// fileOf is the file that groups name. That of a Java class is called after the
// outermost one.
func fileOf(m map[string]string) string {
	if class := m["class"]; class != "" {
		class, _, _ = strings.Cut(class, "$")
		return strings.ReplaceAll(class, ".", "/") + ".java"
	}
	return m["file"]
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
