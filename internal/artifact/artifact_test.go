package artifact

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/record"
)

// watched is a conversation with a far side that says text and ends.
func watched(t *testing.T, o Options, texts ...string) (*expect.Console, *Watch) {
	t.Helper()
	a, b := net.Pipe()
	go func() {
		defer b.Close()
		for _, text := range texts {
			_, _ = b.Write([]byte(text)) // the test may have what it wants
		}
	}()
	c, w := Follow(expect.New(a, a), o)
	t.Cleanup(func() { c.Close() })
	return c, w
}

func TestTheTimelineTellsWhatHappened(t *testing.T) {
	a, b := net.Pipe()
	c, w := Follow(expect.New(a, a), Options{})
	t.Cleanup(func() { c.Close() })
	go func() {
		fmt.Fprint(b, "name? ")
		buf := make([]byte, 10)
		_, _ = b.Read(buf)
		fmt.Fprint(b, "hello\n$ ")
	}()
	w.Waits("", expect.Text("name? "), expect.EOF)
	if _, err := c.Expect(t.Context(), expect.Text("name? ")); err != nil {
		t.Fatal(err)
	}
	if err := c.SendLine("Ada"); err != nil {
		t.Fatal(err)
	}
	w.Note("a remark")
	if _, err := c.Expect(t.Context(), expect.Regexp(`\$ $`)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range w.Events() {
		got = append(got, fmt.Sprintf("%s %q", e.Kind, e.Text))
	}
	want := []string{`wait "\"name? \" <eof>"`, `output "name? "`, `match "\"name? \""`, `send "\"Ada\" <enter>"`, `note "a remark"`,
		`output "hello\n$ "`, `settle "/\\$ $/ settled"`}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheFolder(t *testing.T) {
	c, w := watched(t, Options{Name: "srv", Command: []string{"serve", "-x"}}, "\x1b[2J\x1b[3;5Hhere\x1b[31m!\n")
	if _, err := c.Expect(t.Context(), expect.EOF); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	w.Fail(errors.New("it went wrong\n  program  x\x1b"))
	w.Waits("", expect.EOF) // is of whoever looks at what is left
	names, err := w.Save(dir)
	if err != nil {
		t.Fatal(err)
	}
	if events := w.Events(); events[len(events)-1].Kind != Fail || w.Dropped() != 0 {
		t.Errorf("the last is %v", events[len(events)-1])
	}
	want := []string{"srv.diagnosis.txt", "srv.screen.txt", "srv.screen.svg", "srv.timeline.txt", "srv.transcript.txt", "srv.recording.cast"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
	for name, part := range map[string]string{
		"diagnosis.txt": "it went wrong\n  program  x\\x1b\n", "screen.txt": "24x80 cursor 4,1\n|\n|\n|    here!\n", "screen.svg": "here",
		"timeline.txt": "fail    it went wrong", "transcript.txt": `output  "\x1b[2J`, "recording.cast": `"command":"serve -x"`,
	} {
		text, err := os.ReadFile(filepath.Join(dir, "srv."+name))
		if err != nil || !strings.Contains(string(text), part) {
			t.Errorf("%s: %v, got %q", name, err, text)
		}
	}
	if _, err := w.Save(filepath.Join(dir, "srv.screen.txt")); err == nil {
		t.Error("a file was taken for a folder")
	}
}

// However much a program writes, the memory is bounded, and the screen is right.
func TestMuchOutputIsBounded(t *testing.T) {
	line := strings.Repeat("x", 78) + "\r\n"
	lots := strings.Repeat(line, 1<<20/80)
	texts := []string{"\x1b[2J\x1b[H"}
	for range 3 {
		texts = append(texts, lots)
	}
	texts = append(texts, "\x1b[1;1Hthe end")
	c, w := watched(t, Options{}, texts...)
	c = c.With(expect.Options{Timeout: 3 * time.Minute}) // on a busy machine with the race detector
	if _, err := c.Expect(t.Context(), expect.EOF); err != nil {
		t.Fatal(err)
	}
	w.Note("last")
	kept := 0
	for _, e := range w.Events() {
		kept += len(e.Text)
	}
	if kept > 2*mostOutput+1<<20 || kept < mostOutput/2 {
		t.Errorf("%d bytes are kept", kept)
	}
	dir := t.TempDir()
	if _, err := w.Save(dir); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "recording.cast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := record.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range r.All() {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if shown := w.Shown(); n < 10 || !strings.Contains(shown, "|the end"+strings.Repeat("x", 71)) || w.Screen().Text() == "" {
		t.Errorf("%d events, the screen shows\n%s", n, shown)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "timeline.txt")); err != nil || !strings.HasPrefix(string(text), "(the first ") {
		t.Errorf("got %.100q, %v", text, err)
	}
}

func TestManyEventsAreBounded(t *testing.T) {
	_, w := watched(t, Options{})
	for i := range 3 * mostEvents {
		w.Note(fmt.Sprint(i))
	}
	events := w.Events()
	if w.Dropped()+len(events) != 3*mostEvents || len(events) > 2*mostEvents+1 || events[len(events)-1].Text != fmt.Sprint(3*mostEvents-1) {
		t.Errorf("%d events, the last is %v", len(events), events[len(events)-1])
	}
}
