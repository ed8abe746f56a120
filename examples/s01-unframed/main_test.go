package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
)

// The test binary plays the child, too.
func TestMain(m *testing.M) {
	if os.Args[len(os.Args)-1] == "child" {
		main()
		return
	}
	os.Exit(m.Run())
}

var round = []string{"Spam 000", "Spam 001", "Spam 002", "Spam 003", "Spam 004"}

// What was written close together comes out of one read: here four messages, as nobody reads before the end.
func TestPiecesAreNoMessages(t *testing.T) {
	b, err := start(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := b.Output().Reader("pieces", bridge.Block)
	if _, err := b.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := pieces(r, func(p string) { got = append(got, p) }); err != nil {
		t.Fatal(err)
	}
	want := []string{"Spam 000Spam 001Spam 002Spam 003", "Spam 004"}
	if !slices.Equal(got, want) {
		t.Errorf("pieces %q, want %q", got, want)
	}
}

// The messages are the same wherever the reads are cut.
func TestMessagesAtEveryCut(t *testing.T) {
	want := slices.Concat(round, round, round)
	for size := 1; size <= 40; size++ {
		c := expect.New(&cutting{strings.NewReader(strings.Join(want, "")), size}, io.Discard)
		var got []string
		if err := messages(t.Context(), c, func(m string) { got = append(got, m) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("reads of %d bytes: %q", size, got)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// cutting brings so many bytes with each read.
type cutting struct {
	r    io.Reader
	size int
}

func (c *cutting) Read(p []byte) (int, error) { return c.r.Read(p[:min(c.size, len(p))]) }

// The whole demonstration: pieces that together are the bytes, then the messages one by one.
func TestDemonstration(t *testing.T) {
	var out bytes.Buffer
	if err := parent(t.Context(), &out, 0, 2); err != nil {
		t.Fatal(err)
	}
	read, meant, _ := strings.Cut(out.String(), "as it was meant:\n")
	all := slices.Concat(round, round)
	glued := strings.NewReplacer("as the reads bring it:\n", "", "  \"", "", "\"\n", "").Replace(read)
	if glued != strings.Join(all, "") {
		t.Errorf("the reads brought %q", glued)
	}
	if want := "  \"" + strings.Join(all, "\"\n  \"") + "\"\n"; meant != want {
		t.Errorf("messages\n%s\nwant\n%s", meant, want)
	}
}
