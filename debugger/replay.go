package debugger

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/debugger/mi"
)

// A recorded line is one piece of a session: what went over a channel, and when.
type recorded struct {
	T       int64  `json:"t"`            // microseconds since the start
	Channel string `json:"ch"`           // ChannelConsole, ChannelTTY, ChannelMI
	In      bool   `json:"in,omitempty"` // to the debugger; else from it
	Text    string `json:"text,omitempty"`
	Bytes   []byte `json:"bytes,omitempty"` // instead of Text, where that is no UTF-8
}

func (r recorded) data() string {
	if r.Bytes != nil {
		return string(r.Bytes)
	}
	return r.Text
}

// A recorder writes a session down.
type recorder struct {
	began time.Time

	mu     sync.Mutex
	w      io.Writer
	failed error
}

func (r *recorder) add(channel string, in bool, data []byte) {
	line := recorded{T: time.Since(r.began).Microseconds(), Channel: channel, In: in}
	if utf8.Valid(data) {
		line.Text = string(data)
	} else {
		line.Bytes = data
	}
	b, err := json.Marshal(line)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.failed == nil {
		_, err = r.w.Write(append(b, '\n'))
	}
	if r.failed == nil {
		r.failed = err
	}
}

// Record writes the session of gdb to w as lines of JSON from now on: what all
// channels show, and the commands on the machine interface. Replay plays it. It
// is called once, before front ends come; stop ends it and returns the first
// error of w.
func (d *Debugger) Record(w io.Writer) (stop func() error, err error) {
	g, ok := d.engine.(*gdb)
	if !ok || d.tty == nil {
		return nil, fmt.Errorf("only sessions of gdb that are started here can be recorded")
	}
	r := &recorder{began: time.Now(), w: w}
	var copying sync.WaitGroup
	var readers []*bridge.Reader
	for channel, b := range map[string]*bridge.Bridge{ChannelConsole: d.console, ChannelTTY: d.tty} {
		reader := b.Output().Reader("record", bridge.Block)
		readers = append(readers, reader)
		copying.Go(func() {
			buf := make([]byte, 32<<10)
			for {
				n, err := reader.Read(buf)
				if n > 0 {
					r.add(channel, false, buf[:n])
				}
				if err != nil && !bridge.IsLost(err) {
					return
				}
			}
		})
	}
	d.mu.Lock()
	g.record = r
	r.add(ChannelMI, false, []byte("(gdb) \n")) // it took commands before
	d.mu.Unlock()
	return func() error {
		d.mu.Lock()
		g.record = nil
		d.mu.Unlock()
		for _, reader := range readers {
			_ = reader.Close()
		}
		copying.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.failed
	}, nil
}

// Replay plays a recorded session as the debugger, for the tests of front ends:
// no gdb runs. What gdb said comes as soon as all was asked that had been asked
// before it; another command than the recorded one is an error, and waits for
// the right one. After the end of the recording the debugger stays as it is.
func Replay(ctx context.Context, recording io.Reader) (*Debugger, error) {
	all, err := readRecording(recording)
	if err != nil {
		return nil, err
	}
	profile, err := LookupProfile("gdb")
	if err != nil {
		return nil, err
	}
	p := &player{commands: make(chan string), left: make(chan struct{}), outs: map[string]*io.PipeWriter{}}
	g := &gdb{fronts: map[int]*outbox{}, waiting: map[string]func(mi.Record, string){}, joined: true, adopted: true}
	d := &Debugger{
		profile: profile, state: starting(profile),
		fronts: map[int]*outbox{}, ended: make(chan struct{}), due: true, engine: g,
	}
	g.d = d
	g.ui = p.channel(ChannelMI, p)
	d.tty = p.channel(ChannelTTY, ignored{})
	shown := p.channel(ChannelConsole, ignored{})
	far := &joined{d: d, what: "replay", ui: g.ui, end: p.outs[ChannelConsole]}
	d.console = bridge.New(far, shown.Output(), nil, shown.Input(), far.close)
	d.launch()
	d.work.Go(func() { p.play(all) })
	if err := d.ready(ctx); err != nil {
		_ = d.Close() // the reason counts
		return nil, err
	}
	return d, nil
}

func readRecording(r io.Reader) (all []recorded, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		var one recorded
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("line %d: no recorded session: %w", n, err)
		}
		all = append(all, one)
	}
	return all, lines.Err()
}

// A player is a recording in place of gdb.
type player struct {
	commands chan string // as front ends sent them, through the mux
	left     chan struct{}
	leave    sync.Once
	outs     map[string]*io.PipeWriter
	begun    []byte // of a command
}

// channel is one of its terminals: what it shows comes from the recording, what is
// sent goes to sink.
func (p *player) channel(name string, sink io.Writer) *bridge.Bridge {
	out, in := io.Pipe()
	p.outs[name] = in
	s := bridge.NewStream(bridge.NewSource(out), 0, 0)
	return bridge.New(nil, s, nil, bridge.NewInput(bridge.NewSink(sink), s), func() error {
		if name == ChannelMI {
			p.leave.Do(func() { close(p.left) })
		}
		return out.Close()
	})
}

type ignored struct{}

func (ignored) Write(b []byte) (int, error) { return len(b), nil }

// Write takes commands of the machine interface.
func (p *player) Write(b []byte) (int, error) {
	p.begun = append(p.begun, b...)
	for {
		line, rest, ok := strings.Cut(string(p.begun), "\n")
		if !ok {
			return len(b), nil
		}
		p.begun = []byte(rest)
		select {
		case p.commands <- line:
		case <-p.left:
			return 0, io.ErrClosedPipe
		}
	}
}

// play shows the recording. A command's token is not the recorded one.
func (p *player) play(all []recorded) {
	tokens := map[string]string{} // of the recording → of now
	var lines mi.Lines
	say := func(channel, text string) {
		_, _ = io.WriteString(p.outs[channel], text) // closed: nobody looks any more
	}
	for _, one := range all {
		switch {
		case one.Channel == ChannelMI && one.In:
			if !p.await(one.data(), tokens, say) {
				return
			}
		case one.In, p.outs[one.Channel] == nil:
		case one.Channel == ChannelMI:
			lines.Feed([]byte(one.data()), func(line []byte, _ int64) {
				token, rest := mi.SplitToken(string(line))
				if now, ok := tokens[token]; ok && strings.HasPrefix(rest, "^") {
					token = now
				}
				say(ChannelMI, token+rest+"\n")
			})
		default:
			say(one.Channel, one.data())
		}
	}
	for p.await("", tokens, say) { // nothing more is in the recording
	}
}

// await waits for a command of the recording, and refuses others.
func (p *player) await(recorded string, tokens map[string]string, say func(channel, text string)) bool {
	was, want := mi.SplitToken(strings.TrimSpace(recorded))
	for {
		select {
		case line := <-p.commands:
			token, got := mi.SplitToken(line)
			if got == want && want != "" {
				tokens[was] = token
				return true
			}
			why := "the recording is over"
			if want != "" {
				why = "replay: " + want + " comes next in the recording"
			}
			say(ChannelMI, token+"^error,msg="+cString(why)+"\n(gdb) \n")
		case <-p.left:
			return false
		}
	}
}
