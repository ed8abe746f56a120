package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Explain says what a Snapshot means: the findings, the most telling first. It
// is a function of the Snapshot alone.
func Explain(s Snapshot) []Finding {
	all := cycles(s)
	for _, p := range s.Processes {
		if p.Leader == 0 {
			continue
		}
		all = append(all, explainProcess(s, p)...)
	}
	for _, l := range s.Lanes {
		if _, ok := s.process(l.PID); !ok {
			all = append(all, explainLanes(s, l))
		}
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(a.rank(), b.rank()) })
	return all
}

// rank is the place of a finding among others.
func (f Finding) rank() int {
	if f.Kind == KindHeld && f.minor {
		return slices.Index(order, KindWaits)
	}
	return slices.Index(order, f.Kind)
}

// explainLanes is for a program of which nothing but our own ends could be seen.
func explainLanes(s Snapshot, l Lanes) Finding {
	f := Finding{Who: cmp.Or(l.Name, "program"), PID: l.PID, Kind: KindUnknown, What: "what it does is not known", Why: s.Note}
	if l.PID <= 0 {
		f.Why = "it is no process of this machine"
	} else {
		f.Who += pid(l.PID)
	}
	if r, ok := l.blocker("output"); ok {
		f.Kind, f.What, f.Grade = KindBlocked, "its output is not read", Quiet
		f.Why = r.text(s.Time)
		return f
	}
	switch {
	case l.password():
		f.Kind, f.What, f.Why, f.Grade = KindPassword, "waits for a password", "echo is off", Termios
	case l.ModeKnown && !l.Echo && !l.Canonical:
		f.Kind, f.What, f.Why, f.Grade = KindLineEditor, "edits its input itself", "echo is off and it reads single keys", Termios
	case s.Note == "" && l.PID > 0:
		f.Kind, f.What, f.Why, f.Grade = KindEnded, "has ended", "", Kernel
	}
	return f
}

// A view is what one rule sees: a thread, its process and whatever stands around them.
type view struct {
	s Snapshot
	l Lanes
	p Process
	t Task
	// of a wait
	input  *File // our input, when it waits for that
	output *File // one of our lanes, when it writes to that
	others []File
}

// explainProcess is one finding of the process, that of its most telling thread,
// further ones for threads that do something else, and one for output held back.
func explainProcess(s Snapshot, p Process) []Finding {
	l, _ := s.lanes(p)
	var found []Finding
	for i, t := range p.Tasks {
		v := newView(s, l, p, t)
		f := v.explain()
		f.Who, f.PID = p.who(), p.PID
		if t.TID != p.PID {
			f.TID = t.TID
		}
		f.Evidence = v.evidence()
		idle := f.Kind == KindWaits || service(t.Name)
		if i > 0 && (idle || slices.ContainsFunc(found, func(o Finding) bool { return o.Kind == f.Kind })) {
			continue
		}
		found = append(found, f)
	}
	if len(p.Tasks) == 0 {
		v := newView(s, l, p, Task{TID: p.PID, Name: p.Name, State: p.State, Wait: Wait{Op: Undecoded, Timeout: -1}})
		f := v.explain()
		f.Who, f.PID = p.who(), p.PID
		found = append(found, f)
	}
	// A main thread that waits for its others says nothing beside them.
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(f Finding) bool { return f.Kind == KindWaits && f.TID == 0 })
	}
	return append(found, heldBack(s, l, p, found)...)
}

func newView(s Snapshot, l Lanes, p Process, t Task) view {
	v := view{s: s, l: l, p: p, t: t}
	for i := range t.Wait.On {
		f := &t.Wait.On[i]
		if f.Write && (l.lane(f.Link) != "" || v.terminal(*f)) {
			v.output = f
		}
		switch {
		case f.Read && (l.InputPipe != 0 && f.Link == pipeLink(l.InputPipe) || v.terminal(*f)):
			v.input = f
		case f != v.output && !f.Inside:
			v.others = append(v.others, *f)
		}
	}
	return v
}

func pipeLink(inode uint64) string { return fmt.Sprintf("pipe:[%d]", inode) }

// lane names the lane of ours to which a pipe leads.
func (l Lanes) lane(link string) string {
	switch {
	case l.OutputPipe != 0 && link == pipeLink(l.OutputPipe):
		return "output"
	case l.ErrPipe != 0 && link == pipeLink(l.ErrPipe):
		return "stderr"
	}
	return ""
}

func (v view) terminal(f File) bool {
	return v.l.TTY != "" && (f.Link == v.l.TTY || f.Link == "/dev/tty" && v.p.Terminal == v.l.TTY)
}

// A rule says what a thread's state means, or nothing.
type rule func(v view) (Finding, bool)

// rules are tried in this order.
var rules = []rule{
	ended, stopped, computes, denied, disk,
	blockedByUs, fullTerminal,
	background, relaying, askedForPassword, readsInput, acceptsInput,
	writesToPeer, readsFromPeer, otherTerminal, network, named,
	sleeps, child, thread, signal, elsewhere, timer,
}

func (v view) explain() Finding {
	for _, r := range rules {
		if f, ok := r(v); ok {
			return f
		}
	}
	why := cmp.Or(v.t.Wait.Unknown, "it sleeps in a system call that is not known")
	return Finding{Kind: KindUnknown, What: "what it waits for is not known", Why: why}
}

func ended(v view) (f Finding, ok bool) {
	if v.t.State != "Z" && v.t.State != "X" {
		return f, false
	}
	f = Finding{Kind: KindZombie, What: "has ended", Why: "its parent has not collected it", Grade: Kernel}
	if parent, ok := v.s.process(v.p.Parent); ok {
		f.Why = parent.who() + " has not collected it"
	}
	switch {
	case len(v.p.Tasks) > 1:
		f.Why = "its main thread is over, others go on"
	case v.p.PID == v.l.PID && !v.l.Foreign:
		f.Why = "" // that is our own affair
	}
	return f, true
}

func stopped(v view) (f Finding, ok bool) {
	switch v.t.State {
	case "T":
		f = Finding{Kind: KindStopped, What: "is stopped", Why: "by a signal", Grade: Kernel, Cure: fmt.Sprintf("kill -CONT %d", v.p.PID)}
		if v.inBackground() {
			f.Why = "by a signal, in the background of its terminal"
			f.Cure = "fg in its shell, or " + f.Cure
		}
		return f, true
	case "t":
		f = Finding{Kind: KindStopped, What: "is stopped", Why: "a debugger holds it", Grade: Kernel}
		if d, ok := v.s.process(v.p.Tracer); ok {
			f.Why = d.who() + " holds it"
		} else if v.p.Tracer != 0 {
			f.Why = "the debugger" + pid(v.p.Tracer) + " holds it"
		}
		return f, true
	}
	return f, false
}

func computes(v view) (f Finding, ok bool) {
	if v.t.State != "R" {
		return f, false
	}
	why := ""
	if v.t.CPU > 0 {
		why = fmt.Sprintf("it has used the processor for %v", v.t.CPU)
	}
	return Finding{Kind: KindComputes, What: "computes", Why: why, Grade: Kernel}, true
}

// denied is for threads that may not be looked into.
func denied(v view) (f Finding, ok bool) {
	if v.p.Denied == "" {
		return f, false
	}
	if v.l.password() && !v.inBackground() {
		return Finding{Kind: KindPassword, What: "waits for a password", Why: "echo is off; " + v.p.Denied + ", so it cannot be looked into", Grade: Termios}, true
	}
	if v.t.State == "D" {
		return disk(v)
	}
	return Finding{Kind: KindUnknown, What: "sleeps, for what is not known", Why: v.p.Denied, Grade: Unknown}, true
}

func disk(v view) (f Finding, ok bool) {
	if v.t.State != "D" && v.t.Wait.Op != Sync {
		return f, false
	}
	if v.t.Wait.Call == "vfork" || v.t.Wait.Call == "clone" {
		return Finding{Kind: KindChild, What: "waits for a child", Why: "which has not started its program yet", Grade: Kernel}, true
	}
	return Finding{Kind: KindDisk, What: "waits for storage", Why: "it cannot be interrupted", Grade: Kernel}, true
}

// blockedByUs is for who writes to a lane that our side does not read.
func blockedByUs(v view) (f Finding, ok bool) {
	if v.t.Wait.Op != Write || v.output == nil {
		return f, false
	}
	f = Finding{Kind: KindBlocked, What: "waits until its output is read", Why: "nobody reads it", Grade: Kernel}
	if v.l.Foreign {
		f.Why = "who holds the other end of " + v.output.Link + " does not read"
		if who := v.holders(v.output.Link, false); who != "" {
			f.Why = who + " does not read"
		}
		return f, true
	}
	r, blocked := v.l.blocker(cmp.Or(v.l.lane(v.output.Link), "output"))
	if blocked {
		f.Why = r.text(v.s.Time)
	}
	switch {
	case v.l.Unread > 0:
		f.Why += fmt.Sprintf("; %d bytes lie unread", v.l.Unread)
	case v.l.Unread == 0 && !blocked && v.terminal(*v.output):
		// The terminal has room, and yet it does not take more.
		f.What, f.Why = "waits until its terminal takes output", "nothing lies unread: a key has stopped it (ctrl-s), or it is about to go on"
		f.Grade, f.Cure = Pattern, "press ctrl-q"
	}
	return f, true
}

// fullTerminal is for who waits until all it wrote has left the terminal (tcdrain).
func fullTerminal(v view) (f Finding, ok bool) {
	if v.t.Wait.Op == Device && v.output == nil && len(v.t.Wait.On) == 1 && v.terminal(v.t.Wait.On[0]) {
		return Finding{Kind: KindBlocked, What: "waits for its terminal", Why: "its output is not read, or was stopped by a key (ctrl-s)", Grade: Kernel}, true
	}
	return f, false
}

// blocker returns the Reader that holds a lane.
func (l Lanes) blocker(lane string) (Reader, bool) {
	for _, r := range l.Readers {
		if r.Blocked && cmp.Or(r.Lane, "output") == lane {
			return r, true
		}
	}
	return Reader{}, false
}

func (r Reader) text(now time.Time) string {
	s := "blocked by reader " + cmp.Or(r.Name, "without a name")
	if !r.Since.IsZero() && !now.IsZero() {
		s += fmt.Sprintf(" since %v", now.Sub(r.Since).Round(10*time.Millisecond))
	}
	return s
}

// inBackground: the terminal listens to another process group.
func (v view) inBackground() bool {
	return v.p.Terminal != "" && v.p.Foreground > 0 && v.p.Foreground != v.p.Group
}

func background(v view) (f Finding, ok bool) {
	if v.input == nil || !v.terminal(*v.input) || !v.inBackground() {
		return f, false
	}
	return Finding{Kind: KindWaits, What: "accepts input", Why: "but in the background: its terminal listens to another process group", Grade: Kernel}, true
}

// relaying: programs that are known for it, and those that read our terminal
// beside one that they hold for somebody (sudo, su --pty). Such programs are never proof of anything behind them.
func relaying(v view) (f Finding, ok bool) {
	known := relay(v.p.Name) || relay(v.p.program()) || v.input != nil && slices.ContainsFunc(v.others, File.terminalHolder)
	if v.t.Wait.Op != Poll || len(v.others) == 0 || !known {
		return f, false
	}
	return Finding{
		Kind: KindRelay, What: "passes on what a program elsewhere says",
		Why: "it waits for both sides; whether that program waits cannot be seen from here", Grade: Unknown,
	}, true
}

// plain: it waits for input and nothing else will wake it.
func (v view) plain() bool {
	if v.input == nil || v.output != nil || v.t.Wait.Timeout >= 0 || v.t.Wait.Unknown != "" || v.restless() != "" {
		return false
	}
	return v.t.Wait.Op == Read && !v.l.Timed || v.t.Wait.Op == Poll && len(v.others) == 0
}

// restless says which other thread of the process may go on without input.
func (v view) restless() string {
	for _, t := range v.p.Tasks {
		if t.TID == v.t.TID || strings.ContainsAny(t.State, "TtZX") {
			continue
		}
		if why := restless(t.Name, t.Wait); why != "" {
			return why
		}
	}
	return ""
}

func askedForPassword(v view) (f Finding, ok bool) {
	if !v.plain() || !v.l.password() || !v.terminal(*v.input) {
		return f, false
	}
	return Finding{
		Kind: KindPassword, What: "waits for a password", Why: "echo is off, it reads its terminal", Grade: Kernel,
		Cure: "answer it with a secret",
	}, true
}

func readsInput(v view) (f Finding, ok bool) {
	if !v.plain() {
		return f, false
	}
	f = Finding{Kind: KindInput, What: "waits for input", Why: "it reads its input", Grade: Kernel}
	switch {
	case !v.terminal(*v.input):
		if who := v.holders(v.input.Link, true); v.l.Foreign && who != "" {
			f.Why = "it reads its input, which comes from " + who
		}
		return f, true
	case v.l.ModeKnown && !v.l.Canonical && v.drawsScreen():
		f.Kind, f.What, f.Why = KindFullScreen, "waits for a key in its full-screen display", "it reads its terminal key by key"
	case v.l.ModeKnown && !v.l.Canonical && !v.l.Echo:
		f.Kind, f.What, f.Why = KindLineEditor, "waits for input in its line editor", "it reads its terminal key by key"
	default:
		f.Why = "it reads its terminal"
	}
	if v.l.Untaken > 0 && v.l.Canonical {
		f.Grade, f.Why = Quiet, fmt.Sprintf("%s, where %d bytes lie ready", f.Why, v.l.Untaken)
	}
	return f, true
}

// drawsScreen says whether a program fills the screen: it said so to the
// terminal, it is known for it, or it has a library for it.
func (v view) drawsScreen() bool {
	return v.l.FullScreen || fullScreen(v.p.program()) || v.p.Screen && !lineEditor(v.p.program())
}

func acceptsInput(v view) (f Finding, ok bool) {
	if v.input == nil || v.t.Wait.Op != Poll && v.t.Wait.Op != Read {
		return f, false
	}
	f = Finding{Kind: KindAccepts, What: "accepts input", Grade: Quiet}
	if v.terminal(*v.input) && v.l.ModeKnown && !v.l.Canonical && v.drawsScreen() {
		f.Kind, f.What = KindFullScreen, "accepts keys in its full-screen display"
	}
	switch restless := v.restless(); {
	case v.t.Wait.Timeout > 0:
		f.Why = fmt.Sprintf("but wakes by itself after %v", rounded(v.t.Wait.Timeout))
	case v.t.Wait.Timeout == 0 || v.l.Timed:
		f.Why = "but wakes by itself"
	case restless != "":
		f.Why = "but " + restless
	case v.output != nil:
		f.Why = "but waits until it can write too"
	case v.t.Wait.Unknown != "":
		f.Why = "but " + v.t.Wait.Unknown
	default:
		f.Why = "but waits for other things too: " + v.list(v.others)
	}
	return f, true
}

// holders names who holds the writing (or reading) end of a pipe: "b (pid 2)".
func (v view) holders(link string, write bool) string {
	var names []string
	for _, p := range v.s.Processes {
		if p.PID != v.p.PID && slices.ContainsFunc(p.Pipes, func(e End) bool { return e.Link == link && e.Write == write }) {
			names = append(names, p.who())
		}
	}
	return strings.Join(names, ", ")
}

func writesToPeer(v view) (f Finding, ok bool) {
	if v.t.Wait.Op != Write || len(v.others) == 0 || !isPipe(v.others[0].Link) {
		return f, false
	}
	f = Finding{Kind: KindPeer, What: "waits until its output is read", Why: "nobody else holds the other end of " + v.others[0].Link, Grade: Kernel}
	if who := v.holders(v.others[0].Link, false); who != "" {
		f.Why = who + " does not read"
	}
	return f, true
}

func readsFromPeer(v view) (f Finding, ok bool) {
	if v.t.Wait.Op != Read && v.t.Wait.Op != Poll {
		return f, false
	}
	for _, o := range v.others {
		if !isPipe(o.Link) || !o.Read {
			continue
		}
		f = Finding{Kind: KindPeer, What: "waits for another program's output", Why: "nobody else holds the other end of " + o.Link, Grade: Kernel}
		if who := v.holders(o.Link, true); who != "" {
			f.Why = "it reads what comes from " + who
		}
		return f, true
	}
	return f, false
}

func isPipe(link string) bool { return unnamed(link) || strings.HasPrefix(link, fifoPrefix) }

// unnamed says whether it is a pipe that nobody can open who was not given it.
func unnamed(link string) bool { return strings.HasPrefix(link, "pipe:[") }

// fifoPrefix stands before the path of a pipe that has a name.
const fifoPrefix = "fifo:"

// otherTerminal is for who reads a terminal that is not ours: behind script, tmux, sudo.
func otherTerminal(v view) (f Finding, ok bool) {
	if len(v.others) == 0 || v.t.Wait.Op != Read && v.t.Wait.Op != Poll && v.t.Wait.Op != Write {
		return f, false
	}
	for _, o := range v.others {
		if tty := o.Link; strings.HasPrefix(tty, "/dev/pts/") || tty == "/dev/tty" {
			if tty == "/dev/tty" {
				tty = v.p.Terminal
			}
			if o.Write && !o.Read {
				return Finding{Kind: KindPeer, What: "waits until its output is read", Why: "at another terminal, " + tty, Grade: Kernel}, true
			}
			return Finding{Kind: KindInput, What: "waits for input", Why: "at another terminal, " + tty, Grade: Kernel}, true
		}
	}
	return f, false
}

func network(v view) (f Finding, ok bool) {
	if !slices.ContainsFunc(v.others, func(o File) bool { return strings.HasPrefix(o.Link, "socket:[") }) {
		return f, false
	}
	what := "waits at a socket"
	switch v.t.Wait.Call {
	case "accept", "accept4":
		what = "waits for a connection"
	case "connect":
		what = "waits until a connection stands"
	}
	return Finding{Kind: KindNetwork, What: what, Why: v.list(v.others), Grade: Kernel}, true
}

// named is for what has a name in the file system: a fifo, a device, a lock.
func named(v view) (f Finding, ok bool) {
	switch v.t.Wait.Op {
	case Read, Write, Lock, Device:
		if len(v.t.Wait.On) != 1 || v.t.Wait.On[0].Inside {
			return f, false
		}
		verb := map[Op]string{Read: "waits to read ", Write: "waits to write to ", Lock: "waits for a lock on ", Device: "waits for the device "}[v.t.Wait.Op]
		return Finding{Kind: KindWaits, What: verb + cmp.Or(described(v.t.Wait.On[0].Link), "a descriptor that cannot be seen"), Grade: Kernel}, true
	case Open:
		return Finding{Kind: KindWaits, What: "waits to open something", Why: "a fifo that nobody has opened at its other side, mostly", Grade: Kernel}, true
	}
	return f, false
}

func sleeps(v view) (f Finding, ok bool) {
	if v.t.Wait.Op != Sleep {
		return f, false
	}
	what := "sleeps"
	if v.t.Wait.Timeout > 0 {
		what = fmt.Sprintf("sleeps for %v", rounded(v.t.Wait.Timeout))
	}
	return Finding{Kind: KindSleeps, What: what, Grade: Kernel}, true
}

func child(v view) (f Finding, ok bool) {
	if v.t.Wait.Op != Child {
		return f, false
	}
	var names []string
	for _, p := range v.s.Processes {
		if p.Parent == v.p.PID {
			names = append(names, p.who())
		}
	}
	return Finding{Kind: KindChild, What: "waits for a child", Why: strings.Join(names, ", "), Grade: Kernel}, true
}

func thread(v view) (f Finding, ok bool) {
	switch {
	case v.t.Wait.Op == Queue:
		return Finding{Kind: KindWaits, What: "waits for a message or a semaphore", Grade: Kernel}, true
	case v.t.Wait.Op != Thread:
		return f, false
	case len(v.p.Tasks) == 1 && v.t.Wait.Timeout < 0:
		return Finding{Kind: KindWaits, What: "waits for a lock", Why: "it has no other thread: another process, or itself", Grade: Kernel}, true
	case len(v.p.Tasks) == 1:
		return Finding{Kind: KindSleeps, What: "sleeps", Why: "until a lock or a time", Grade: Kernel}, true
	}
	return Finding{Kind: KindWaits, What: "waits for another thread", Grade: Kernel}, true
}

func signal(v view) (f Finding, ok bool) {
	if v.t.Wait.Op != Signal {
		return f, false
	}
	return Finding{Kind: KindWaits, What: "waits for a signal", Grade: Kernel}, true
}

// elsewhere: a poll of things that have no rule of their own.
func elsewhere(v view) (f Finding, ok bool) {
	if v.t.Wait.Op != Poll || len(v.others) == 0 || v.t.Wait.Unknown != "" {
		return f, false
	}
	return Finding{Kind: KindWaits, What: "waits for " + v.list(v.others), Grade: Kernel}, true
}

// timer: a poll of nothing, or of nothing but what the process does itself.
func timer(v view) (f Finding, ok bool) {
	switch {
	case v.t.Wait.Op != Poll || len(v.others) > 0 || v.t.Wait.Unknown != "":
		return f, false
	case v.t.Wait.Timeout > 0:
		return Finding{Kind: KindSleeps, What: fmt.Sprintf("sleeps for %v", rounded(v.t.Wait.Timeout)), Grade: Kernel}, true
	case v.t.Wait.Timeout == 0:
		return Finding{Kind: KindSleeps, What: "sleeps", Grade: Kernel}, true
	}
	return Finding{Kind: KindWaits, What: "waits for a signal or for itself", Grade: Kernel}, true
}

// list names what descriptors lead to, three of them.
func (v view) list(files []File) string {
	const shown = 3
	var names []string
	for _, f := range files {
		name := cmp.Or(described(f.Link), fmt.Sprintf("descriptor %d", f.FD))
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return strings.Join(names, ", ")
}

// described says what a link leads to, where its name would not.
func described(link string) string {
	switch link {
	case "anon_inode:inotify":
		return "changes of files (inotify)"
	case "anon_inode:[timerfd]":
		return "a timer (timerfd)"
	case "/dev/ptmx":
		return "a terminal that it holds (/dev/ptmx)"
	}
	return visible(link)
}

// evidence is what was seen, in the words of the kernel.
func (v view) evidence() string {
	parts := []string{"state " + v.t.State}
	if w := v.t.Wait; w.Call != "" {
		var on []string
		for i, f := range w.On {
			if i == 8 {
				on = append(on, "…")
				break
			}
			on = append(on, fmt.Sprintf("%d→%s", f.FD, visible(f.Link)))
		}
		call := w.Call + "(" + strings.Join(on, " ") + ")"
		if w.Timeout > 0 {
			call += " for " + w.Timeout.String()
		}
		parts = append(parts, call)
	}
	if v.l.ModeKnown && (v.input != nil || v.p.Denied != "") {
		parts = append(parts, fmt.Sprintf("terminal: canonical %v, echo %v", v.l.Canonical, v.l.Echo))
	}
	return strings.Join(parts, "; ")
}

// rounded leaves what people want to know of a time.
func rounded(d time.Duration) time.Duration {
	if d > 10*time.Millisecond {
		return d.Round(time.Millisecond)
	}
	return d
}
