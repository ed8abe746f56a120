package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const ms = time.Millisecond

// written is the file of these events.
func written(t testing.TB, events ...Event) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, Header{Rows: 24, Cols: 80, Time: time.Unix(1700000000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readAll is what a file holds, and how reading ended; io.EOF is nil.
func readAll(t testing.TB, file string) (Header, []Event, error) {
	t.Helper()
	r, err := NewReader(strings.NewReader(file))
	if err != nil {
		return Header{}, nil, err
	}
	var events []Event
	var last error
	for e, err := range r.All() {
		if err != nil {
			last = err
			continue
		}
		events = append(events, e)
	}
	return r.Header(), events, last
}

// output is all output of the events.
func output(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		if e.Kind == Output {
			b.Write(e.Data)
		}
	}
	return b.String()
}

func TestWhatIsWrittenIsVersion3(t *testing.T) {
	got := written(t,
		Event{Time: 500 * ms, Kind: Output, Data: []byte("a\r\n\x1b[1m\"\\é\x7f\u2028")},
		Event{Time: 1500*ms + 1250*time.Microsecond, Kind: Input, Data: []byte("y\r")},
		Event{Time: 1600 * ms, Kind: Resize, Rows: 30, Cols: 100},
		Event{Time: 1600 * ms, Kind: Marker, Data: []byte("here")},
		Event{Time: 1500 * ms, Kind: Output, Data: []byte("\xff")}, // late: not before the last
		Event{Time: 2 * time.Second, Kind: Exit, Status: 137},
	)
	want := `{"version":3,"term":{"cols":80,"rows":24},"timestamp":1700000000}
[0.5, "o", "a\r\n\u001b[1m\"\\é\u007f\u2028"]
[1.00125, "i", "y\r"]
[0.09875, "r", "100x30"]
[0, "m", "here"]
[0, "b", "/w=="]
[0, "o", "\ufffd"]
[0.4, "x", "137"]
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range strings.Split(strings.TrimSpace(got), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestAHeaderComesBack(t *testing.T) {
	h := Header{
		Rows: 30, Cols: 100, Term: "xterm", Time: time.Unix(1700000000, 0), Title: "a \"title\"", Command: "sh -c 'x'",
		Env: map[string]string{"SHELL": "/bin/sh"}, IdleLimit: 1500 * ms, Theme: Theme{"#ffffff", "#000000", "#000000:#ff0000"},
	}
	var b bytes.Buffer
	if _, err := NewWriter(&b, h); err != nil {
		t.Fatal(err)
	}
	h.Version = 3
	got, _, err := readAll(t, b.String())
	if err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, h)
	}
	if _, err := NewWriter(io.Discard, Header{}); err == nil {
		t.Error("a recording without a size was begun")
	}
}

// The same bytes come back however they were cut, and whatever they are.
func TestBytesAreKeptExactly(t *testing.T) {
	texts := []string{
		"plain\n", "héllo wörld ✓ 日本語 👩‍👩‍👧", "\xff\xfe\x80", "a\xe2\x82", "\xe2\x82\xac\xe2", "\xf0\x9f\x98\x80\xf0\x9f", "�",
		"\xed\xa0\x80 surrogate", "\xc0\x80", "\xf4\x90\x80\x80", "\x00\x01\x1b", strings.Repeat("\xe2", 10), "",
	}
	for _, text := range texts {
		for seed := range uint64(20) {
			random := rand.New(rand.NewPCG(seed, 1))
			var events []Event
			for rest := text; rest != ""; {
				n := 1
				if seed > 0 {
					n += random.IntN(len(rest))
				}
				events = append(events, Event{Kind: Output, Data: []byte(rest[:n])})
				if rest = rest[n:]; seed%3 == 2 {
					events = append(events, Event{Kind: Marker})
				}
			}
			file := written(t, events...)
			if !utf8.ValidString(file) {
				t.Fatalf("%q: the file is no UTF-8", text)
			}
			if _, got, err := readAll(t, file); err != nil || output(got) != text {
				t.Fatalf("%q, seed %d: came back as %q, %v, from\n%s", text, seed, output(got), err, file)
			}
		}
	}
}

// A character that comes in two pieces is one for every player.
func TestSplitCharactersAreJoined(t *testing.T) {
	file := written(t, Event{Kind: Output, Data: []byte("a\xe2\x82")}, Event{Time: 5 * ms, Kind: Output, Data: []byte("\xacb")})
	if strings.Contains(file, `"b"`) || !strings.Contains(file, `"€b"`) {
		t.Errorf("got\n%s", file)
	}
}

func TestReaderKnowsAllVersions(t *testing.T) {
	tests := []struct {
		name, file string
		header     Header
		events     []Event
		err        string // a part of it
	}{
		{"1", `{"version": 1, "width": 80, "height": 24, "duration": 1.5, "command": "/bin/zsh", "title": "T", "env": {"TERM": "xterm", "SHELL": null},
  "stdout": [[0.25, "a"], [1, "b\u001b"]]}`,
			Header{Version: 1, Rows: 24, Cols: 80, Term: "xterm", Command: "/bin/zsh", Title: "T", Env: map[string]string{"TERM": "xterm"}},
			[]Event{{Time: 250 * ms, Kind: Output, Data: []byte("a")}, {Time: 1250 * ms, Kind: Output, Data: []byte("b\x1b")}}, ""},
		{"1, events first", `{"stdout":[[0,"a"]],"height":2,"width":3,"version":1}`,
			Header{Version: 1, Rows: 2, Cols: 3}, []Event{{Kind: Output, Data: []byte("a")}}, ""},
		{"2", `{"version": 2, "width": 80, "height": 24, "timestamp": 1504467315, "idle_time_limit": 2, "env": {"TERM": "vt100"}, "theme": {"fg": "#aaaaaa"}}
[0.25, "o", "a"]
[1.25, "i", "b"]
[1.25, "r", "100x30"]

[1.5, "z", "?"]
`,
			Header{Version: 2, Rows: 24, Cols: 80, Term: "vt100", Time: time.Unix(1504467315, 0), IdleLimit: 2 * time.Second,
				Env: map[string]string{"TERM": "vt100"}, Theme: Theme{Fg: "#aaaaaa"}},
			[]Event{{Time: 250 * ms, Kind: Output, Data: []byte("a")}, {Time: 1250 * ms, Kind: Input, Data: []byte("b")},
				{Time: 1250 * ms, Kind: Resize, Rows: 30, Cols: 100}, {Time: 1500 * ms, Kind: "z", Data: []byte("?")}}, ""},
		{"3", `{"version":3,"term":{"cols":80,"rows":24,"type":"xterm","version":"kitty"}}
# a comment
[0.25, "o", "a"]
[1, "m", ""]
[0, "x", "1"]`,
			Header{Version: 3, Rows: 24, Cols: 80, Term: "xterm"},
			[]Event{{Time: 250 * ms, Kind: Output, Data: []byte("a")}, {Time: 1250 * ms, Kind: Marker, Data: []byte{}}, {Time: 1250 * ms, Kind: Exit, Status: 1}}, ""},
		{"bad lines", `{"version":3,"term":{"cols":80,"rows":24}}
[1, "o", "a"]
[1, "o"
[1, "o", 7]
[1, "r", "80"]
{}
[1, "o", "b"]
`,
			Header{Version: 3, Rows: 24, Cols: 80},
			[]Event{{Time: 1000 * ms, Kind: Output, Data: []byte("a")}, {Time: 3000 * ms, Kind: Output, Data: []byte("b")}}, "line 6: "},
		{"not what they seem", `{"version":3,"term":{"cols":80,"rows":24}}
[0, "b", "/w=="]
[0, "o", "edited"]
[0, "b", "no base64"]
[-5, "o", "x"]
[1e300, "o", "y"]
`,
			Header{Version: 3, Rows: 24, Cols: 80},
			[]Event{{Kind: Output, Data: []byte("edited")}, {Kind: "b", Data: []byte("no base64")}, {Kind: Output, Data: []byte("x")},
				{Time: longest, Kind: Output, Data: []byte("y")}}, ""},
		{"1 that breaks off", `{"version":1,"width":80,"height":24,"stdout":[[1,"a"],[1,b]]}`,
			Header{Version: 1, Rows: 24, Cols: 80}, []Event{{Time: time.Second, Kind: Output, Data: []byte("a")}}, "line 1: no JSON"},
		{"no recording", "hello\n", Header{}, nil, "not an asciicast"},
		{"nothing", "", Header{}, nil, "not an asciicast"},
		{"JSON", `{"a":1}`, Header{}, nil, "says no version"},
		{"version 4", `{"version":4}`, Header{}, nil, "version 4"},
		{"no size", `{"version":3,"term":{}}`, Header{}, nil, "size of 0x0"},
		{"a huge size", `{"version":2,"width":1000000000,"height":1000000000}`, Header{}, nil, "size"},
		{"a header that is cut", `{"version":3,"term":{"co`, Header{}, nil, "ends in the middle"},
		{"a header of another kind", `{"version":3,"term":7}`, Header{}, nil, "the header: number"},
	}
	for _, tt := range tests {
		h, events, err := readAll(t, tt.file)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
		}
		if !reflect.DeepEqual(h, tt.header) || !reflect.DeepEqual(events, tt.events) {
			t.Errorf("%s: got %+v\n%+v\nwant %+v\n%+v", tt.name, h, events, tt.header, tt.events)
		}
	}
}

// A file that a crash cut anywhere gives all its whole events, and says that more is missing.
func TestACutFileGivesWhatItHas(t *testing.T) {
	file := written(t, Event{Kind: Output, Data: []byte("one")}, Event{Time: time.Second, Kind: Output, Data: []byte("\xfftwo")},
		Event{Time: 2 * time.Second, Kind: Exit})
	_, all, _ := readAll(t, file)
	header := strings.IndexByte(file, '\n') + 1
	for cut := header; cut < len(file); cut++ {
		_, events, err := readAll(t, file[:cut])
		if len(events) > len(all) || len(events) > 0 && !reflect.DeepEqual(events, all[:len(events)]) {
			t.Fatalf("cut at %d: %v", cut, events)
		}
		part := file[header:cut]
		lost := part != "" && !strings.HasSuffix(part, "\n") && !strings.HasSuffix(part, "]")
		waiting := strings.HasSuffix(strings.TrimSuffix(part, "\n"), `"/3R3bw=="]`) // the bytes without their event
		if broken := errors.Is(err, ErrTruncated); broken != (lost || waiting) {
			t.Fatalf("cut at %d, behind %q: %v", cut, part, err)
		}
	}
	_, _, err := readAll(t, file[:len(file)-4])
	if want := "line 5, after 1s: the file ends in the middle of an event: what came then is missing"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}

	old := `{"version":1,"width":80,"height":24,"stdout":[[1,"a"],[1,"b"],[1,"c"]]}`
	_, events, err := readAll(t, old[:strings.Index(old, `"c"`)])
	if output(events) != "ab" || !errors.Is(err, ErrTruncated) {
		t.Errorf("version 1: %q, %v", output(events), err)
	}
}

// failing takes so many bytes and then fails, until it is repaired.
type failing struct {
	bytes.Buffer
	room int
}

func (f *failing) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	f.Buffer.Write(p[:n])
	f.room -= n
	if n < len(p) {
		return n, errors.New("disk full")
	}
	return n, nil
}

func TestAFullDiskCostsWhatItDidNotTake(t *testing.T) {
	for room := range 40 {
		f := &failing{room: 1 << 20}
		w, err := NewWriter(f, Header{Rows: 24, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("first")); err != nil {
			t.Fatal(err)
		}
		f.room = room
		lost := false
		for f.room > 0 {
			if _, err := w.Write([]byte("second")); err != nil {
				lost = true
				break
			}
		}
		f.room = 1 << 20
		if _, err := w.Write([]byte("third")); err != nil {
			t.Fatal(err)
		}
		_, events, _ := readAll(t, f.String())
		got := output(events)
		if !strings.HasPrefix(got, "first") || !strings.HasSuffix(got, "third") {
			t.Errorf("room for %d bytes (lost %v): %q from\n%s", room, lost, got, f.String())
		}
	}
}

func TestAClosedWriterSaysSo(t *testing.T) {
	w, err := NewWriter(io.Discard, Header{Rows: 1, Cols: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := w.Resize(0, 1); err == nil {
		t.Error("no rows were taken")
	}
}

// What asciinema records we read, and what we write it plays. Debian's knows version 2 alone, so our events go
// through a change of their times and of the header.
func TestAsciinemaAgrees(t *testing.T) {
	asciinema, err := exec.LookPath("asciinema")
	if err != nil {
		t.Fatal("asciinema is not installed: see test.sh")
	}
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(asciinema, args...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=xterm", "LANG=C.UTF-8", "SHELL=/bin/sh", "ASCIINEMA_CONFIG_HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("asciinema %q: %v\n%s", args, err, out)
		}
		return string(out)
	}

	theirs := filepath.Join(dir, "theirs.cast")
	run("rec", "-q", "-c", `printf 'h\303\251llo \342\234\223\n'`, theirs)
	f, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	h, events, err := readAll(t, string(f))
	if err != nil || h.Version != 2 || h.Rows <= 0 || output(events) != "héllo ✓\r\n" {
		t.Errorf("their recording: %+v %q %v", h, output(events), err)
	}

	text := "h\xc3\xa9llo \xe2\x9c\x93\r\n\"quoted\\\"\x1b[0m\x7f\u2028\r\n"
	_, events, err = readAll(t, written(t, Event{Kind: Output, Data: []byte(text[:2])}, Event{Time: ms, Kind: Output, Data: []byte(text[2:])},
		Event{Time: ms, Kind: Exit}))
	if err != nil {
		t.Fatal(err)
	}
	second := `{"version": 2, "width": 80, "height": 24}` + "\n"
	for _, line := range strings.Split(strings.TrimSpace(written(t, events...)), "\n")[1:] {
		second += line + "\n" // times of version 2 are absolute, and these are so small that it is no matter
	}
	ours := filepath.Join(dir, "ours.cast")
	if err := os.WriteFile(ours, []byte(second), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := filepath.Join(dir, "shown")
	cat := exec.Command("script", "-qec", asciinema+" cat "+ours+" >"+shown, "/dev/null") // which wants a terminal
	cat.Env = append(os.Environ(), "HOME="+dir, "LANG=C.UTF-8")
	if out, err := cat.CombinedOutput(); err != nil {
		t.Fatalf("asciinema cat: %v\n%s", err, out)
	}
	if got, err := os.ReadFile(shown); err != nil || string(got) != text {
		t.Errorf("asciinema shows %q of our %q (%v)", got, text, err)
	}
}

// Whatever a file holds, reading ends; and what can be read can be written and read again.
func FuzzReader(f *testing.F) {
	f.Add([]byte(written(f, Event{Kind: Output, Data: []byte("a\xff")}, Event{Time: ms, Kind: Resize, Rows: 1, Cols: 2}, Event{Kind: Exit})))
	f.Add([]byte(`{"version":1,"width":80,"height":24,"stdout":[[1,"a"],[1,"b"]]}`))
	f.Add([]byte("{\"version\":2,\"width\":80,\"height\":24}\n[1.5,\"i\",\"a\"]\n[1e9,\"m\",\"\"]"))
	f.Add([]byte("{\"version\":3,\"term\":{\"cols\":1,\"rows\":1}}\n# c\n\n[0,\"b\",\"/w==\"]\n[0,\"o\",\"\\ufffd\"]\n[0,\"\",\"\"]"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		h := r.Header()
		var again bytes.Buffer
		w, err := NewWriter(&again, h)
		if err != nil {
			t.Fatal(err)
		}
		var events []Event
		var last time.Duration
		for e, err := range r.All() {
			if err != nil {
				continue
			}
			if e.Time < last || e.Time > longest {
				t.Fatalf("the time %s behind %s", e.Time, last)
			}
			last = e.Time
			if e.Kind == exact { // what only looks like one of ours
				continue
			}
			events = append(events, e)
			if err := w.Add(e); err != nil {
				t.Fatalf("%+v: %v", e, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		_, got, err := readAll(t, again.String())
		if err != nil || output(got) != output(events) || fmt.Sprint(others(got)) != fmt.Sprint(others(events)) {
			t.Fatalf("%v\n%+v\ncame back as\n%+v\nfrom\n%s", err, events, got, again.String())
		}
	})
}

func others(events []Event) (rest []Event) {
	for _, e := range events {
		if e.Kind != Output {
			rest = append(rest, e)
		}
	}
	return rest
}

// However output is cut and whatever it is, the bytes come back.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("h\xc3\xa9llo\xff"), uint64(1))
	f.Add([]byte("\xf0\x9f\x98\x80\xe2\x82"), uint64(7))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 2))
		var events []Event
		for rest := text; len(rest) > 0; {
			n := 1 + random.IntN(min(len(rest), 9))
			events = append(events, Event{Time: time.Duration(random.Int64N(int64(time.Hour))), Kind: Output, Data: rest[:n]})
			rest = rest[n:]
		}
		file := written(t, events...)
		if _, got, err := readAll(t, file); err != nil || output(got) != string(text) {
			t.Fatalf("%q came back as %q, %v", text, output(got), err)
		}
	})
}
