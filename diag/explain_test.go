package diag

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/findings.txt")

// Snapshots that real programs gave (Linux 6.18, amd64) are explained the same
// on every system.
func TestExplainCapturedSnapshots(t *testing.T) {
	files, err := filepath.Glob("testdata/snapshots/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d snapshots, %v", len(files), err)
	}
	var b strings.Builder
	for _, name := range files {
		fmt.Fprintf(&b, "# %s\n", strings.TrimSuffix(filepath.Base(name), ".json"))
		for _, f := range Explain(readSnapshot(t, name)) {
			fmt.Fprintf(&b, "%s\n\t%s: %s\n", f, f.Kind, f.Evidence)
			if f.Held != "" {
				fmt.Fprintf(&b, "\theld %q (%d)\n", f.Held, f.HeldSize)
			}
			if f.Cure != "" {
				fmt.Fprintf(&b, "\tcure %s\n", f.Cure)
			}
		}
	}
	const golden = "testdata/findings.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, expected := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(expected)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(expected) {
			w = expected[i]
		}
		if g != w {
			t.Fatalf("line %d (-update rewrites):\ngot  %s\nwant %s", i+1, g, w)
		}
	}
}

func readSnapshot(t testing.TB, name string) Snapshot {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// FuzzExplain: whatever a snapshot says, it is explained without a panic, in
// lines that move no cursor, the same each time.
func FuzzExplain(f *testing.F) {
	files, err := filepath.Glob("testdata/snapshots/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Snapshot
		if json.Unmarshal(b, &s) != nil {
			return
		}
		first, second := fmt.Sprint(Explain(s)), fmt.Sprint(Explain(s))
		if first != second {
			t.Errorf("%s\nthen %s", first, second)
		}
		if i := strings.IndexFunc(first, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }); i >= 0 {
			t.Errorf("a control character at %d of %q", i, first)
		}
	})
}

func TestGrades(t *testing.T) {
	for g := Unknown; g <= Kernel; g++ {
		b, err := g.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Grade
		if err := back.UnmarshalText(b); err != nil || back != g {
			t.Errorf("%v: %v, %v", g, back, err)
		}
	}
	if s := Grade(9).String(); s != "Grade(9)" {
		t.Error(s)
	}
	if err := new(Grade).UnmarshalText([]byte("sure")); err == nil {
		t.Error("no error for an unknown grade")
	}
}

func TestUnbufferedKeepsWhatIsThere(t *testing.T) {
	env := []string{"A=1", "LD_PRELOAD=/lib/mine.so", "PYTHONUNBUFFERED=0", "B=2"}
	got, err := Unbuffered(env)
	all := strings.Join(got, " ")
	if !strings.HasPrefix(all, "A=1 ") || !strings.Contains(all, "B=2") || !strings.Contains(all, "PYTHONUNBUFFERED=1") || strings.Contains(all, "PYTHONUNBUFFERED=0") {
		t.Errorf("%q", got)
	}
	if err == nil && (!strings.Contains(all, "LD_PRELOAD=/lib/mine.so:/") || !strings.Contains(all, "_STDBUF_O=0") || !strings.Contains(all, "_STDBUF_I=0")) {
		t.Errorf("%q", got)
	}
	if env[2] != "PYTHONUNBUFFERED=0" {
		t.Error("it changed what it was given")
	}
}
