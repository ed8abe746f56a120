//go:build linux

// Faults breaks things on purpose and looks whether spawnx keeps its word: forty cases, F01 to F40. Each is run a number
// of times with its defence, which has to hold every time, and some times without it, where it has to fail: a case that
// cannot fail proves nothing.
//
//	go run ./faults                 all cases, as root and as an ordinary user where root starts it
//	go run ./faults F22 F24         some
//	go run ./faults -quick          few repeats: what `go test ./faults` does
//	go run ./faults -write          all, and the scoreboard, README.md; with names, these rows of it
//	go run ./faults inject          system calls of our own binary that fail, or take their time, by strace
//	go run ./faults soak -for 30m   a mix of operations on many programs, sampled for leaks
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
)

func main() {
	proc.MaybeShim()
	testprog.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := faults(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		stop()
		os.Exit(1)
	}
}

func faults(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "soak":
			return soak(ctx, args[1:])
		case "inject":
			return inject(ctx, args[1:])
		}
	}
	fs := flag.NewFlagSet("faults", flag.ExitOnError)
	quick := fs.Bool("quick", false, "few repeats")
	share := fs.Int("share", 1, "the `N`th part of the repeats, where there is no time for all")
	write := fs.Bool("write", false, "put the results into faults/results.json and the scoreboard, faults/README.md")
	seed := fs.Uint64("seed", rand.Uint64N(1e9), "of what is random")
	asJSON := fs.String("json", "", "write the results to this `FILE`")
	binary := fs.String("spawnx", "", "the spawnx to test; it is built otherwise")
	only := fs.Bool("here", false, "as this user only")
	if err := fs.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(fs.Args())
	if err != nil {
		return err
	}
	work, err := workplace(ctx, binary)
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	r := runner{quick: *quick, share: max(*share, 1), seed: *seed, spawnx: *binary, out: os.Stdout}
	all := map[string][]result{}
	all[who()], err = r.run(ctx, chosen)
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 && !*only && ctx.Err() == nil {
		if all[ordinary], err = r.asOrdinary(ctx, work, fs.Args()); err != nil {
			return err
		}
	}
	if *asJSON != "" {
		data, err := json.Marshal(all[who()])
		if err != nil {
			return err
		}
		if err := os.WriteFile(*asJSON, data, 0o644); err != nil {
			return err
		}
	}
	if *write {
		if err := writeScoreboard("faults", all); err != nil {
			return err
		}
	}
	failed := 0
	for _, results := range all {
		for _, res := range results {
			if !res.good() {
				failed++
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d cases failed; seed %d", failed, *seed)
	}
	return ctx.Err()
}

func choose(ids []string) ([]fault, error) {
	if len(ids) == 0 {
		return cases, nil
	}
	var chosen []fault
	for _, id := range ids {
		found := false
		for _, c := range cases {
			if strings.EqualFold(c.ID, id) {
				chosen, found = append(chosen, c), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no case %s", id)
		}
	}
	return chosen, nil
}

func build(ctx context.Context, to string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", to, "github.com/spawnx/spawnx/cmd/spawnx")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building spawnx: %w\n%s", err, out)
	}
	return os.Chmod(to, 0o755)
}

const ordinary = "user 65534"

// workplace is a folder that the other user can enter. Where no binary is given, one is built there.
func workplace(ctx context.Context, binary *string) (work string, err error) {
	if work, err = os.MkdirTemp("", "spawnx-faults"); err != nil {
		return "", err
	}
	if err = os.Chmod(work, 0o755); err == nil && *binary == "" {
		*binary = filepath.Join(work, "spawnx")
		err = build(ctx, *binary)
	}
	if err != nil {
		_ = os.RemoveAll(work) // the error above says it
		return "", err
	}
	return work, nil
}

func who() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return fmt.Sprintf("user %d", os.Geteuid())
}

// asOrdinary runs the same as nobody.
func (r runner) asOrdinary(ctx context.Context, work string, ids []string) (results []result, err error) {
	args := []string{"-json", "results", "-spawnx", r.spawnx, "-seed", fmt.Sprint(r.seed), "-share", fmt.Sprint(r.share)}
	if r.quick {
		args = append(args, "-quick")
	}
	cmd, err := nobodys(ctx, work, append(args, ids...)...)
	if err != nil {
		return nil, err
	}
	cmd.Stdout = os.Stdout
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "as an ordinary user:", err) // the results say more
	}
	data, err := os.ReadFile(filepath.Join(cmd.Dir, "results"))
	if err != nil {
		return nil, err
	}
	return results, json.Unmarshal(data, &results)
}

// nobodys is a command of nobody's: a copy of this program, which nobody may run, in a folder of theirs.
func nobodys(ctx context.Context, work string, args ...string) (*exec.Cmd, error) {
	self := filepath.Join(work, "faults")
	data, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(self, data, 0o755)
	}
	home := filepath.Join(work, "nobody")
	if err == nil {
		err = os.Mkdir(home, 0o700)
	}
	if err == nil {
		err = os.Chown(home, 65534, 65534)
	}
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Dir, cmd.Stderr = home, os.Stderr
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "XDG_RUNTIME_DIR=" + home, "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
	return cmd, nil
}
