package shim

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

func TestPlanThroughTheSocket(t *testing.T) {
	umask := uint32(0o22)
	for name, p := range map[string]Plan{
		"empty": {},
		"full": {Role: Exec, Umask: &umask, Limits: []Limit{{"files", 7, 1, 1<<64 - 1}}, User: &User{1, 2, []int{3, 4}}, NoNewPrivs: true,
			Path: []byte("/bin/sh"), Args: JoinWords([]string{"sh", "", "\xff\x01"}), Env: JoinWords([]string{"A=\xff"})},
		"restore": {Role: Restore, Saved: []byte(`{"x":1}`)},
	} {
		var buf bytes.Buffer
		if err := WritePlan(&buf, p); err != nil {
			t.Fatal(err)
		}
		buf.WriteString("rest") // belongs to others
		r := bytes.NewReader(buf.Bytes())
		got, err := ReadPlan(iotest.OneByteReader(r))
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, p)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "rest" {
			t.Errorf("%s: %q is left; want all that follows the plan", name, rest)
		}
	}
}

func TestPlanThatIsCutOff(t *testing.T) {
	var buf bytes.Buffer
	if err := WritePlan(&buf, Plan{Role: Exec, Path: []byte("/bin/true")}); err != nil {
		t.Fatal(err)
	}
	for n := range buf.Len() {
		if p, err := ReadPlan(bytes.NewReader(buf.Bytes()[:n])); err == nil {
			t.Errorf("%d of %d bytes: %+v; want an error", n, buf.Len(), p)
		}
	}
	if _, err := ReadPlan(strings.NewReader("\xff\xff\xff\xff{}")); err == nil {
		t.Error("a plan of 4 GiB is accepted")
	}
}

func TestWords(t *testing.T) {
	for _, words := range [][]string{{}, {""}, {"a"}, {"a", "", "b c", "\xff"}} {
		if got := JoinWords(words).Split(); !slices.Equal(got, words) {
			t.Errorf("%q became %q", words, got)
		}
	}
}

func TestWhatTheHelperReports(t *testing.T) {
	if err := Started(strings.NewReader("")); err != nil {
		t.Errorf("a program that runs: %v", err)
	}
	if err := Started(iotest.ErrReader(syscall.ECONNRESET)); err != nil {
		t.Errorf("a helper that was killed: %v", err)
	}
	if err := Started(iotest.ErrReader(os.ErrDeadlineExceeded)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a helper that hangs: %v", err)
	}
	if err := Started(strings.NewReader("panic: …")); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("a helper that crashed: %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	report(w, fail("limit files", &os.PathError{Op: "x", Path: "y", Err: syscall.EPERM}))
	w.Close()
	err = Started(r)
	var f *Failure
	if !errors.As(err, &f) || f.Step != "limit files" || !errors.Is(err, syscall.EPERM) {
		t.Errorf("a failed step: %v", err)
	}
	if got := fail("plan", errors.New("torn")).Error(); got != "plan: torn" {
		t.Error(got)
	}
}

func TestTheEndOfTheLifelineOrAWord(t *testing.T) {
	for word, died := range map[string]bool{"": true, "\x00": false} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString(word); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if got := waitForDeath(r); got != died {
			t.Errorf("after %q: %v; want %v", word, got, died)
		}
		r.Close()
	}
}

func TestHelpersStartedByHand(t *testing.T) {
	never := func(*os.File, []byte) error { t.Error("the terminal was touched"); return nil }
	for _, args := range [][]string{{}, {"x"}, {"-1"}, {"3", "4"}} {
		if status := help(args, never); status != 125 {
			t.Errorf("%q: status %d; want 125", args, status)
		}
	}
}

func FuzzReadPlan(f *testing.F) {
	var buf bytes.Buffer
	if err := WritePlan(&buf, Plan{Role: Exec, Path: []byte("/bin/sh"), Args: JoinWords([]string{"sh"})}); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Add([]byte("\x00\x00\x00\x02{}"))
	f.Add([]byte("\x00\x00\x00\x09{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPlan(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := WritePlan(&again, p); err != nil {
			t.Fatal(err)
		}
		if q, err := ReadPlan(&again); err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("%+v became %+v, %v", p, q, err)
		}
	})
}
