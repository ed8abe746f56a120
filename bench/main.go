// Command bench measures spawnx beside its peers, and beside bare C programs that make only the system calls that a
// workload cannot do without: the limit. All of a workload run in turns (A B C A B C), so that what disturbs the machine
// disturbs all of them; what counts are the ratios within one run.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spawnx/spawnx/proc"
)

func main() {
	proc.MaybeShim()
	run := measure
	if len(os.Args) > 1 && os.Args[1] == "as" {
		run = func() error { return contest(os.Args[2:]) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure is the command as a person types it.
func measure() error {
	only := flag.String("run", "", "run the workloads whose names match this `regexp`")
	rounds := flag.Int("rounds", 5, "let each contestant run this often")
	quick := flag.Bool("quick", false, "a tenth of the work: to see that everything runs, not to compare")
	list := flag.Bool("list", false, "name the workloads and their contestants, and run none")
	jsonFile := flag.String("json", "", "write all figures to this `file`")
	svgFile := flag.String("svg", "", "draw the chart to this `file`")
	readme := flag.String("readme", "", "put the tables between the marks of this `file`")
	from := flag.String("from", "", "do not measure: show and draw the figures of this `file`, written by -json")
	install := flag.Bool("install", true, "install the Debian packages of the peers where they are missing")
	flag.Parse()
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}

	var all results
	if *from != "" {
		data, err := os.ReadFile(*from)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &all); err != nil {
			return err
		}
		all.table(os.Stdout)
		return all.write("", *svgFile, *readme)
	}

	if *install && !*list {
		if err := installPeers(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}
	at, remove, err := build(*quick)
	if err != nil {
		return err
	}
	defer remove()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	all.Machine = thisMachine(*rounds, *quick)
	for _, w := range workloads(at) {
		switch {
		case !match.MatchString(w.name):
		case *list:
			fmt.Printf("%-28s %s\n", w.name, strings.Join(names(w.runs), ", "))
		default:
			fmt.Fprintf(os.Stderr, "%s %s: ", time.Now().Format("15:04:05"), w.name)
			all.Workloads = append(all.Workloads, w.measure(ctx, min(*rounds, cmp.Or(w.rounds, *rounds))))
			fmt.Fprintln(os.Stderr)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if *list {
		return nil
	}
	all.table(os.Stdout)
	return errors.Join(all.write(*jsonFile, *svgFile, *readme), ctx.Err())
}

// measure runs the contestants in turns. One that fails is out, with its reason.
func (w workload) measure(ctx context.Context, rounds int) result {
	r := result{Name: w.name, Title: w.title, Unit: w.unit, Limit: w.limit, Target: w.target, Extra: w.extra}
	for _, run := range w.runs {
		r.Contestants = append(r.Contestants, &contestant{Name: run.who})
	}
	for round := range rounds {
		for i := range w.runs { // each round begins with another one
			i = (i + round) % len(w.runs)
			c := r.Contestants[i]
			if c.Failed != "" || ctx.Err() != nil {
				continue
			}
			figures, err := runOnce(ctx, w.runs[i].argv)
			if err != nil {
				c.Failed = err.Error()
				continue
			}
			c.add(figures, w.unit)
		}
		fmt.Fprint(os.Stderr, ".")
	}
	r.summarize()
	return r
}

const longestRun = 5 * time.Minute

// runOnce runs a command line, and returns the figures that it printed.
func runOnce(ctx context.Context, argv []string) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, longestRun)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
		return nil, fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	figures := map[string]float64{}
	for line := range strings.Lines(out.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			figures[name] = v
		}
	}
	if figures["seconds"] <= 0 || figures["units"] <= 0 {
		return nil, fmt.Errorf("no figures in %q", out.String())
	}
	return figures, nil
}

// peers: what must be there, and the Debian package that has it.
var peers = []struct{ file, pkg string }{
	{"/usr/bin/gcc", "gcc"},
	{"/usr/include/stdio.h", "libc6-dev"},
	{"/usr/bin/expect", "expect"},
	{"/usr/lib/python3/dist-packages/pexpect", "python3-pexpect"},
	{"/usr/bin/socat", "socat"},
	{"/usr/bin/tmux", "tmux"},
}

func installPeers() error {
	var missing []string
	for _, p := range peers {
		if _, err := os.Stat(p.file); err != nil {
			missing = append(missing, p.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	fmt.Fprintln(os.Stderr, "installing", strings.Join(missing, " "))
	script := "export DEBIAN_FRONTEND=noninteractive; p='apt-get -qq install --no-install-recommends " + strings.Join(missing, " ") +
		"'; $p || { apt-get -qq update && $p; }"
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		return fmt.Errorf("install %s as root: %w: %s", strings.Join(missing, " "), err, out)
	}
	return nil
}

// build builds what the workloads run, in a folder that remove deletes.
func build(quick bool) (at place, remove func(), err error) {
	dir, err := os.MkdirTemp("", "spawnx-bench.")
	if err != nil {
		return at, nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			remove()
		}
	}()
	here, err := source()
	if err != nil {
		return at, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return at, nil, err
	}
	sources, err := filepath.Glob(here + "/limit/*.c")
	if err != nil {
		return at, nil, err
	}
	for _, c := range sources {
		prog := filepath.Join(dir, strings.TrimSuffix(filepath.Base(c), ".c"))
		if err := command(here, "gcc", "-O2", "-Wall", "-o", prog, c); err != nil {
			return at, nil, err
		}
	}
	if err := command(filepath.Dir(here), "env", "CGO_ENABLED=0", "go", "build", "-buildvcs=false", "-o", dir+"/linked", "./cmd/spawnx"); err != nil {
		return at, nil, err
	}
	// As the peers' packages were: what the linker writes, through mmap, lies in the page cache in single pages, and each
	// fault on it takes longer.
	if err := command(dir, "install", dir+"/linked", dir+"/spawnx"); err != nil {
		return at, nil, err
	}
	return place{self: self, bin: dir, peers: here + "/peers", scratch: dir, quick: quick}, remove, nil
}

// source is the folder of this program's source: where it is run from, or bench below that.
func source() (string, error) {
	for _, dir := range []string{".", "bench"} {
		if _, err := os.Stat(dir + "/limit/bench.h"); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", errors.New("run it in the folder bench")
}

func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func names(runs []run) (names []string) {
	for _, r := range runs {
		names = append(names, r.who)
	}
	return names
}

// write writes the files that were asked for.
func (all *results) write(jsonFile, svgFile, readme string) error {
	var failed []error
	if jsonFile != "" {
		data, err := json.MarshalIndent(all, "", " ")
		failed = append(failed, err, os.WriteFile(jsonFile, append(data, '\n'), 0o644))
	}
	if svgFile != "" {
		var b bytes.Buffer
		all.chart(io.Writer(&b))
		failed = append(failed, os.WriteFile(svgFile, b.Bytes(), 0o644))
	}
	if readme != "" {
		text, err := os.ReadFile(readme)
		if err == nil {
			text, err = all.fillIn(text)
		}
		if err == nil {
			err = os.WriteFile(readme, text, 0o644)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
