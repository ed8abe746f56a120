package debugger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/debugger/mi"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/proc"
)

// gdb is spoken to through its machine interface on a terminal of its own, beside
// the console: gdb has both at once since 7.12 (new-ui). Everything it says there
// is read at once, whoever listens: gdb, and with it the console, would stand
// still as soon as the terminal is full.
type gdb struct {
	d      *Debugger
	ui     *bridge.Bridge // the machine interface
	joined bool           // it was not started here
	heard  []*outbox      // those who got lines of what run reads just now: its own
	unsent unsent

	// guarded by d.mu
	mux     mux
	fronts  map[int]*outbox
	next    int
	waiting map[string]func(mi.Record, string) // by our token: what to do with an answer
	record  *recorder                          // nil: it is not written down
	adopted bool                               // a gdb that was joined has answered
	letRun  bool                               // it was let run through the machine interface, and the console shows its prompt
}

func startGDB(d *Debugger, p Profile, program proc.Spec) error {
	g := &gdb{d: d, fronts: map[int]*outbox{}, waiting: map[string]func(mi.Record, string){}}
	var err error
	if g.ui, err = openRaw(); err != nil {
		return err
	}
	if d.tty, err = d.openTTY(program.Size, false); err != nil {
		_ = g.ui.Close() // the reason counts
		return err
	}
	spec := p.spec(program, map[string]string{"mi": terminalName(g.ui), "tty": terminalName(d.tty)})
	spec.Stdio = proc.PTY
	console, err := bridge.Start(context.Background(), spec)
	if err != nil {
		_ = g.ui.Close()
		_ = d.tty.Close()
		return err
	}
	in := bridge.NewInput(&consoleInput{inputSink{console.Input()}, g.consoleInterrupt}, console.Output())
	d.console = bridge.New(console.Peer(), console.Output(), nil, in, func() error {
		err := console.Close()
		_ = g.ui.Close() // ends the reading
		return err
	})
	d.engine = g
	return nil
}

func terminalName(b *bridge.Bridge) string { return b.Stats().Peer.Terminal }

// run reads the machine interface until gdb has ended.
func (g *gdb) run(ctx context.Context) {
	var beside sync.WaitGroup
	defer beside.Wait()
	if !g.joined {
		beside.Go(func() { // the terminal is ours and has no end of its own
			_, _ = g.d.console.Wait(ctx)
			_ = g.ui.Close()
		})
	}
	if !g.joined {
		beside.Go(func() { g.watchQuestions(ctx) })
	}
	r := g.ui.Output().Reader("debugger", bridge.Block)
	defer r.Close()
	var lines mi.Lines
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		lines.Feed(buf[:n], g.line)
		for _, o := range g.heard {
			o.flush()
		}
		g.heard = g.heard[:0]
		if err != nil {
			break
		}
	}
	g.d.mu.Lock()
	defer g.d.mu.Unlock()
	for _, o := range g.fronts {
		o.end()
	}
	for _, answer := range g.waiting {
		answer(mi.Record{}, "")
	}
	g.waiting = nil
}

// gdbAsks reports whether a line ends in a question at the console, which only
// the person there can answer; on the machine interface gdb takes every answer
// for yes.
func gdbAsks(line string) bool {
	return slices.ContainsFunc([]string{"(y or n) ", "([y] or n) ", "(y or [n]) "}, func(end string) bool { return strings.HasSuffix(line, end) })
}

const longestQuestion = 4 << 10

// watchQuestions tells of questions at the console.
func (g *gdb) watchQuestions(ctx context.Context) {
	r := g.d.console.Output().Reader("questions", bridge.Skip)
	defer r.Close()
	var plain escape.Filter
	var line string
	told := false
	buf := make([]byte, 4<<10)
	for {
		n, err := r.ReadContext(ctx, buf)
		for raw := buf[:n]; len(raw) > 0; {
			text, used := plain.Next(raw)
			line += string(text)
			raw = raw[used:]
		}
		if i := strings.LastIndexByte(line, '\n'); i >= 0 {
			line, told = line[i+1:], false
		}
		line = line[max(0, len(line)-longestQuestion):]
		if asks := gdbAsks(line); asks && !told {
			told = true
			g.d.mu.Lock()
			g.d.happen(Event{Kind: KindQuestion, Text: line})
			g.d.mu.Unlock()
		}
		if err != nil && !bridge.IsLost(err) {
			return
		}
	}
}

// line takes one line of gdb.
func (g *gdb) line(b []byte, lost int64) {
	line := strings.TrimSuffix(string(b), "\r")
	r, err := mi.Parse(b)
	if lost > 0 || err != nil { // too long to be of use, or no line of the language
		r = mi.Record{Kind: mi.Other, Text: line}
		why := fmt.Sprintf("spawnx: a line of %d bytes was left out", int64(len(b))+lost)
		if token, rest := mi.SplitToken(line); token != "" && strings.HasPrefix(rest, "^") { // somebody waits for it
			line = token + "^error,msg=" + cString(why)
			r, _ = mi.Parse([]byte(line)) // we wrote it
		} else if lost > 0 {
			line = "&" + cString(why+"\n")
		}
	}
	g.d.mu.Lock()
	defer g.d.mu.Unlock()
	if g.joined && !g.adopted && r.Kind != mi.Other {
		g.adopted = true
		g.ui.Peer().(*terminal).letGo() // it is open there: its end is that of gdb
		g.adopt()
	}
	if g.record != nil { // here, and not by a Reader: an answer stands behind its question
		g.record.add(ChannelMI, false, append(bytes.Clone(b), '\n'))
	}
	for _, dl := range g.mux.record(line, r) {
		g.deliver(dl)
	}
	if r.Kind == mi.Result && r.Class == "running" {
		g.letRun = true
	}
	if r.Kind == mi.Exec && r.Class == "stopped" {
		g.letRun = false
	}
	for _, e := range gdbEvents(r) {
		g.d.happen(e)
	}
}

// deliver gives a line to whom it is for. Called with d.mu held.
func (g *gdb) deliver(dl delivery) {
	if dl.result != nil {
		g.after(dl)
	}
	if dl.to == all && dl.result == nil && dl.not != nobody { // a notice that gdb did not send
		for _, line := range strings.Split(strings.TrimSpace(dl.line), "\n") {
			if r, err := mi.Parse([]byte(line)); err == nil {
				for _, e := range gdbEvents(r) {
					g.d.happen(e)
				}
			}
		}
	}
	for n, o := range g.fronts {
		if n == dl.to || dl.to == all && n != dl.not {
			o.add([]byte(dl.line), dl.must)
			g.heard = append(g.heard, o)
		}
	}
}

// after does what follows an answer: who waits for it here is told, and changes
// that gdb reports to nobody are asked for.
func (g *gdb) after(dl delivery) {
	if dl.to == ourselves {
		token, _ := mi.SplitToken(dl.line)
		if answer, ok := g.waiting[token]; ok {
			delete(g.waiting, token)
			answer(*dl.result, dl.said)
		}
	}
	if dl.result.Class != "done" {
		return
	}
	for _, id := range changes(dl.command) {
		g.ask("-break-info "+id, func(r mi.Record, _ string) {
			for _, p := range r.Results.Tuple("BreakpointTable").List("body") {
				if b, ok := p.Value.(mi.Tuple); ok {
					g.deliver(delivery{to: all, not: dl.to, line: "=breakpoint-modified,bkpt=" + write(b) + "\n"})
				}
			}
		})
	}
}

// prepare makes a command of our own ready to be written: send, unless it is empty.
// answer is called once, with d.mu held, and gets the zero Record when gdb has
// ended. Called with d.mu held.
func (g *gdb) prepare(command string, answer func(r mi.Record, said string)) (send string) {
	if g.waiting == nil {
		answer(mi.Record{}, "")
		return ""
	}
	token := strconv.Itoa(g.mux.last + 1) // as the mux will number it
	send, refusal := g.mux.command(ourselves, token+command)
	if refusal != "" {
		line, _, _ := strings.Cut(refusal, "\n")
		r, _ := mi.Parse([]byte(line)) // we wrote it
		answer(r, "")
		return ""
	}
	g.waiting[token] = answer
	return send
}

// ask sends a command of our own while gdb is read: it may not read just now.
// Called with d.mu held.
func (g *gdb) ask(command string, answer func(r mi.Record, said string)) {
	if send := g.prepare(command, answer); send != "" {
		g.later(send)
	}
}

// later writes what was prepared, which goes out in one piece. Called with d.mu
// held.
func (g *gdb) later(send string) { g.d.later(func() { g.write(send) }) }

// write sends a line to gdb, whole and behind those before it. It waits for
// nothing: what a gdb that is busy, or stopped, does not take at once is sent when
// it does. One that has ended tells it by its end.
func (g *gdb) write(line string) {
	g.d.mu.Lock()
	r := g.record
	g.d.mu.Unlock()
	if r != nil {
		r.add(ChannelMI, true, []byte(line))
	}
	if g.unsent.add(line) && !g.send(time.Unix(1, 0)) {
		g.d.mu.Lock()
		defer g.d.mu.Unlock()
		if g.d.state.Phase != Ended {
			g.d.later(func() { g.send(time.Time{}) })
		}
	}
}

// send sends what is unsent, at most until the deadline, and reports whether that
// was all.
func (g *gdb) send(deadline time.Time) bool {
	for {
		line, more := g.unsent.first()
		if !more {
			return true
		}
		n, err := g.ui.Input().WriteContext(context.Background(), []byte(line), deadline)
		g.unsent.took(n)
		switch {
		case n == len(line):
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false
		default: // it has ended
			g.unsent.took(math.MaxInt)
		}
	}
}

// An unsent is the lines that gdb has not taken yet, of which one goroutine at a
// time sends the first.
type unsent struct {
	mu      sync.Mutex
	text    string
	sending bool
	changed chan struct{} // closed and made anew when text has become shorter
}

// add adds a line, and reports whether who calls has to send it.
func (u *unsent) add(line string) (send bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.text += line
	send = !u.sending
	u.sending = true
	return send
}

// first is what to send next. Where nothing is, whoever adds something sends it.
func (u *unsent) first() (text string, more bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sending = u.text != ""
	return u.text, u.sending
}

// took notes that gdb has taken the first n bytes.
func (u *unsent) took(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.text = u.text[min(n, len(u.text)):]
	if u.changed != nil {
		close(u.changed)
		u.changed = nil
	}
}

// mostUnsent is how much may wait for gdb before front ends have to.
const mostUnsent = 64 << 10

// room waits until gdb has taken so much that a front end may send more.
func (u *unsent) room(ctx context.Context) {
	for {
		u.mu.Lock()
		if len(u.text) < mostUnsent {
			u.mu.Unlock()
			return
		}
		if u.changed == nil {
			u.changed = make(chan struct{})
		}
		changed := u.changed
		u.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (g *gdb) do(ctx context.Context, command string) (Reply, error) {
	command = strings.TrimSpace(command)
	switch {
	case command == "":
		return Reply{OK: true}, nil
	case strings.ContainsAny(command, "\r\n"):
		return Reply{}, &BusyError{Why: "a command is one line", Hint: "give the lines one after another"}
	case !strings.HasPrefix(command, "-"):
		command = "-interpreter-exec console " + cString(inBackground(command))
	}
	type said struct {
		r    mi.Record
		text string
	}
	answers := make(chan said, 1)
	g.d.mu.Lock()
	send := g.prepare(command, func(r mi.Record, text string) { answers <- said{r, text} })
	g.d.mu.Unlock()
	if send != "" {
		g.write(send)
	}
	select {
	case a := <-answers:
		return reply(a.r, a.text)
	case <-ctx.Done():
		return Reply{}, context.Cause(ctx)
	}
}

// Commands that let the program run, and their usual short forms. In the
// foreground they would keep the machine interface from hearing anything, an
// interrupt too, until the program stops.
const runs = `run r start starti continue c fg next n step s nexti ni stepi si until u advance adv finish fin jump j signal
	reverse-continue rc reverse-next rn reverse-step rs reverse-finish reverse-nexti rni reverse-stepi rsi attach`

func inBackground(command string) string {
	word, _, _ := strings.Cut(command, " ")
	if slices.Contains(strings.Fields(runs), word) && !strings.HasSuffix(command, "&") {
		return command + " &"
	}
	return command
}

// reply is an answer for who does not speak the machine interface.
func reply(r mi.Record, text string) (Reply, error) {
	if r.Class == "" {
		return Reply{}, ErrEnded
	}
	raw, err := json.Marshal(struct {
		Class   string   `json:"class"`
		Results mi.Tuple `json:"results"`
	}{r.Class, r.Results})
	if err != nil {
		return Reply{}, err
	}
	if r.Class == "error" {
		text += r.Results.String("msg")
	}
	return Reply{OK: r.Class != "error", Text: text, MI: raw}, nil
}

// interrupt: gdb does it, in its own time; what comes of it is an event.
func (g *gdb) interrupt(ctx context.Context) error {
	r, err := g.do(ctx, "-exec-interrupt --all")
	if err == nil && !r.OK {
		return &BusyError{Why: r.Text}
	}
	return err
}

func (g *gdb) ready() bool { return true }

// consoleInterrupt is for a ^C at the console while its prompt is shown.
func (g *gdb) consoleInterrupt() bool {
	g.d.mu.Lock()
	defer g.d.mu.Unlock()
	if !g.letRun || g.d.state.Phase != Running {
		return false
	}
	g.ask("-exec-interrupt --all", func(mi.Record, string) {})
	return true
}

// ServeMI lets one front end speak gdb's machine interface as if it were alone:
// it reads commands from conn and writes answers and notices, until conn ends or
// ctx does. The front end's tokens are its own. What front ends say when they are
// closed, -gdb-exit, ends the service and not gdb. It does not close conn.
func (d *Debugger) ServeMI(ctx context.Context, conn io.ReadWriter) error {
	g, ok := d.engine.(*gdb)
	if !ok {
		return fmt.Errorf("%s has no machine interface: its events have the same for all debuggers", d.profile.Name)
	}
	o := newOutbox(func(lines, bytes int, _ bool) []byte {
		return fmt.Appendf(nil, "&\"spawnx: %d lines (%d bytes) were left out: this front end reads too slowly\\n\"\n", lines, bytes)
	})
	d.mu.Lock()
	n := g.next
	g.next++
	g.fronts[n] = o
	o.put([]byte("(gdb) \n"), true)
	if d.state.Phase == Ended {
		o.end()
	}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(g.fronts, n)
		o.end()
	}()
	return serve(ctx, conn, o, func(line []byte) (asked bool) {
		if token, command := mi.SplitToken(string(bytes.TrimSpace(line))); command == "-gdb-exit" {
			o.put([]byte(token+"^exit\n"), true)
			o.end()
			return true
		}
		d.mu.Lock()
		send, answer := g.mux.command(n, string(line))
		if answer != "" {
			o.put([]byte(answer), true)
		}
		d.mu.Unlock()
		if send != "" {
			g.write(send)
			g.unsent.room(ctx)
		}
		return true
	}, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return !g.mux.owes(n)
	})
}

// gdbEvents says what a record means for front ends of any debugger.
func gdbEvents(r mi.Record) []Event {
	switch r.Kind {
	case mi.Prompt:
		return []Event{{Kind: KindPrompt}}
	case mi.Console:
		if r.Text == "" {
			return nil
		}
		return []Event{{Kind: KindOutput, Text: r.Text}}
	case mi.Result: // before the answer is seen the state is known
		if r.Class == "running" {
			return []Event{{Kind: KindRunning}}
		}
	case mi.Exec:
		if r.Class == "running" {
			return []Event{{Kind: KindRunning, Thread: number(r.Results.String("thread-id"))}}
		}
		if r.Class == "stopped" {
			return []Event{stopped(r.Results)}
		}
	case mi.Notify:
		switch r.Class {
		case "breakpoint-created", "breakpoint-modified":
			if b := r.Results.Tuple("bkpt"); b != nil {
				return []Event{{Kind: KindBreakpoint, Breakpoint: breakpoint(b)}}
			}
		case "breakpoint-deleted":
			return []Event{{Kind: KindBreakpoint, Breakpoint: &Breakpoint{ID: r.Results.String("id")}, Deleted: true}}
		}
	}
	return nil
}

// Reasons that are called otherwise here; the others keep the debugger's word.
func reasons() map[string]string {
	return map[string]string{
		"breakpoint-hit": "breakpoint", "break": "breakpoint", "end-stepping-range": "step", "function-finished": "finish", "signal-received": "signal",
		"watchpoint-trigger": "watchpoint", "read-watchpoint-trigger": "watchpoint", "access-watchpoint-trigger": "watchpoint",
		"watchpoint-scope": "watchpoint", "location-reached": "location", "solib-event": "library",
	}
}

func stopped(t mi.Tuple) Event {
	reason, frame := t.String("reason"), t.Tuple("frame")
	e := Event{
		Kind: KindStopped, Reason: reason, File: frame.String("file"), Path: frame.String("fullname"), Line: number(frame.String("line")),
		Func: frame.String("func"), Thread: number(t.String("thread-id")),
	}
	status := func(n int) Event { return Event{Kind: KindExited, Status: &n} }
	switch reason {
	case "exited-normally":
		return status(0)
	case "exited":
		var code int
		if _, err := fmt.Sscanf(t.String("exit-code"), "%o", &code); err != nil { // octal, with zeros in front
			return Event{Kind: KindExited}
		}
		return status(code)
	case "exited-signalled":
		return Event{Kind: KindExited, Reason: "signal", Text: t.String("signal-name")}
	case "signal-received":
		e.Text = t.String("signal-name")
	}
	if known, ok := reasons()[reason]; ok {
		e.Reason = known
	}
	return e
}

// breakpoint reads gdb's description of one. Of several locations the first
// stands for all.
func breakpoint(t mi.Tuple) *Breakpoint {
	b := &Breakpoint{
		ID: t.String("number"), Type: t.String("type"), Enabled: t.String("enabled") == "y", Temporary: t.String("disp") == "del",
		Condition: t.String("cond"), Hits: number(t.String("times")), What: t.String("what"),
	}
	place := t
	if locations := t.List("locations"); place.String("line") == "" && len(locations) > 0 {
		if first, ok := locations[0].Value.(mi.Tuple); ok {
			place = first
		}
	}
	b.File, b.Path, b.Line, b.Func = place.String("file"), place.String("fullname"), number(place.String("line")), place.String("func")
	if b.Line == 0 { // not loaded yet: what the person wrote
		b.What = strings.Trim(t.String("pending")+t.String("original-location"), "-")
		if what := t.String("what"); what != "" {
			b.What = what
		}
	}
	return b
}

func number(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<30 {
			return 0
		}
		n = 10*n + int(s[i]-'0')
	}
	return n
}
