//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
)

var heavy = flag.Bool("heavy", false, "as many repeats as a whole run has")

func TestMain(m *testing.M) {
	proc.MaybeShim()
	testprog.Main()
	os.Exit(m.Run())
}

func builtSpawnx(t *testing.T) string {
	spawnx := filepath.Join(t.TempDir(), "spawnx")
	if err := build(t.Context(), spawnx); err != nil {
		t.Fatal(err)
	}
	return spawnx
}

// TestFaults is the quick subset: every case, with its control.
func TestFaults(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	spawnx := builtSpawnx(t)
	r := runner{quick: !*heavy, seed: 1, spawnx: spawnx, out: t.Output()}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			res := r.one(t.Context(), c)
			if !res.good() {
				t.Error(res)
			} else {
				t.Log(res)
			}
		})
	}
}

// TestInjections is a sample of the table of go run ./faults inject: the first call of each kind.
func TestInjections(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal(err)
	}
	most, wanted := 1, regexp.MustCompile(`clone|pipe2|^openat|dup3|execve|^write|fsync`)
	if *heavy {
		most, wanted = 12, regexp.MustCompile("")
	}
	spawnx := builtSpawnx(t)
	for _, row := range injectTable(t.Context(), spawnx, wanted, most, !*heavy) {
		if r := row(); len(r.bad) > 0 {
			t.Error(r)
		} else {
			t.Log(r)
		}
	}
}

func TestTheTableIsWhole(t *testing.T) {
	if len(cases) != 40 {
		t.Errorf("%d cases; want F01 to F40", len(cases))
	}
	var kept board
	data, err := os.ReadFile("results.json")
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		t.Fatal(err)
	}
	if readme, err := os.ReadFile("README.md"); string(readme) != kept.scoreboard(".") {
		t.Errorf("README.md is not what results.json and the texts of long runs say (%v): go run ./faults -write", err)
	}
	for _, c := range cases {
		if c.What == "" || (c.Run == nil) == (c.Todo == "") || c.Run != nil && (c.Off == "" || c.Quick < 1 || c.Full < c.Quick) {
			t.Errorf("%s is not whole", c.ID)
		}
	}
}

func TestWhatIsSaidOfAResult(t *testing.T) {
	for want, r := range map[string]result{
		"F01  ok    0 of 30 failed (less than 10 %), the control fails, 0s": {ID: "F01", Repeats: 30, Control: "fails"},
		"F01  FAIL  2 of 30, 0s, seed 7: lost":                              {ID: "F01", Repeats: 30, Failures: 2, First: "lost", Control: "fails", Seed: 7},
		"F01  FAIL  0 of 30 failed, but the control does not fail, seed 7":  {ID: "F01", Repeats: 30, Control: "does not fail", Seed: 7},
		"F01  -     needs root":                                             {ID: "F01", Skipped: "needs root"},
	} {
		if got := r.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
		if good := strings.Contains(want, "ok") || strings.Contains(want, "- "); r.good() != good {
			t.Errorf("%q: good is %v", want, r.good())
		}
	}
}

func TestTheSoakSeesALeak(t *testing.T) {
	steady, leaking := []sample{}, []sample{}
	for i := range 40 {
		s := sample{fds: 200 + i*7%40, threads: 20, memory: 30 << 10}
		steady = append(steady, s)
		s[fds] += 5 * i
		leaking = append(leaking, s)
	}
	if bad := slopes(steady); len(bad) > 0 {
		t.Errorf("what goes up and down: %v", bad)
	}
	if bad := slopes(leaking); len(bad) != 1 || !strings.HasPrefix(bad[0], "descriptors grew") {
		t.Errorf("5 descriptors in each sample: %v", bad)
	}
}
