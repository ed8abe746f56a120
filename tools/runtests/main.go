// Runtests runs a `go test -json` command and shows of it what a person wants to see: the closing line
// of every package, everything that a failed test printed, every skipped test with its reason, and the
// count of all.
//
//	runtests [-totals FILE] go test -json ./...
//
// It is also the subreaper of whatever the tests start: a process that outlives them, daemons and those
// with an empty environment included, becomes its child and is a failure, named with its command line.
// A terminal cannot outlive them otherwise, as it ends with the last process that holds it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	totals := flag.String("totals", "", "append `FILE` with one line: passed failed")
	flag.Parse()
	passed, failed, err := run(flag.Args(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "runtests:", err)
		failed++
	}
	if *totals != "" {
		if err := appendTotals(*totals, passed, failed); err != nil {
			fmt.Fprintln(os.Stderr, "runtests:", err)
			failed++
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func appendTotals(name string, passed, failed int) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintln(f, passed, failed)
	return f.Close()
}

// run runs the command and reports to w. A failure of the command that no test explains is its error.
func run(args []string, w io.Writer) (passed, failed int, err error) {
	if len(args) == 0 {
		return 0, 0, fmt.Errorf("no command")
	}
	if err := adoptOrphans(); err != nil {
		return 0, 0, fmt.Errorf("become a subreaper: %w", err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	r := report{w: w, output: map[test]*bytes.Buffer{}, failing: map[string]bool{}}
	r.read(out)
	err = cmd.Wait()
	if r.failed > 0 {
		err = nil // explained by what was printed
	}
	for _, line := range leftovers() {
		fmt.Fprintln(w, "FAIL: left running after the tests:", line)
		r.failed++
	}
	return r.passed, r.failed, err
}

type test struct{ pkg, name string }

// report is what was seen of a run so far.
type report struct {
	w              io.Writer
	output         map[test]*bytes.Buffer // of tests that did not end yet; of a package under the empty name
	failing        map[string]bool        // packages of which a test failed: they do not count once more
	passed, failed int
}

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

func (r *report) read(from io.Reader) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				r.event(e)
			} else {
				r.w.Write(line) // not test2json's: the go command itself speaks
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *report) event(e event) {
	key := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		io.WriteString(r.w, e.Output)
	case "output":
		if r.output[key] == nil {
			r.output[key] = &bytes.Buffer{}
		}
		r.output[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		r.end(key, e.Action)
	}
}

// end counts a test or a package that ended and prints what is worth reading of it.
func (r *report) end(key test, how string) {
	var said string
	if b := r.output[key]; b != nil {
		said = b.String()
		delete(r.output, key)
	}
	switch {
	case how == "fail" && key.name == "":
		for other, b := range r.output { // a test that never ended (panic, timeout) said why under its own name
			if other.pkg == key.pkg {
				r.w.Write(b.Bytes())
				delete(r.output, other)
			}
		}
		io.WriteString(r.w, said)
		if !r.failing[key.pkg] {
			r.failed++
		}
	case how == "fail":
		io.WriteString(r.w, said)
		r.failing[key.pkg] = true
		r.failed++
	case key.name == "":
		io.WriteString(r.w, closing(said))
	case how == "skip":
		io.WriteString(r.w, said)
	default:
		r.passed++
	}
}

// closing returns the last line of a package's output: "ok  pkg  1.2s" or "?  pkg  [no test files]".
func closing(said string) string {
	said = strings.TrimRight(said, "\n")
	return said[strings.LastIndexByte(said, '\n')+1:] + "\n"
}
