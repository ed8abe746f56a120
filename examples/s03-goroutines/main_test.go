package main

import (
	"fmt"
	"io"
	"slices"
	"testing"
)

// The same lines as from a child, and an end when the writer is done.
func TestLines(t *testing.T) {
	c, err := connect(func(w io.Writer) { write(w, 0, 20) })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []string
	if err := lines(t.Context(), c, func(line string) { got = append(got, line) }); err != nil {
		t.Fatal(err)
	}
	want := slices.Repeat([]string{"Spam 000", "Spam 001", "Spam 002", "Spam 003", "Spam 004"}, 20)
	if !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
}

// The pipe keeps writer and reader in step: what was done before a line was written is done when it is read.
// (Without the pipe between them the race detector would object.)
func TestStep(t *testing.T) {
	var work int
	c, err := connect(func(w io.Writer) {
		work = 42
		fmt.Fprintln(w, "done")
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	seen := 0
	if err := lines(t.Context(), c, func(string) { seen = work }); err != nil {
		t.Fatal(err)
	}
	if seen != 42 {
		t.Errorf("saw %d when the line was read, want 42", seen)
	}
}

// A writer whose reader has gone is told so: it does not write for ever.
func TestWriterEndsWithItsReader(t *testing.T) {
	ended := make(chan error, 1)
	c, err := connect(func(w io.Writer) {
		var err error
		for err == nil {
			_, err = fmt.Fprintln(w, "for ever")
		}
		ended <- err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("the writer went on without a reader")
	}
}
