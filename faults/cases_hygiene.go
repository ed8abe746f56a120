//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// Children get what they should, people get their terminal back.
var hygieneCases = []fault{
	{ID: "F31", What: "64 programs started at once by a supervisor whose launcher left descriptor 9 open: they get 0, 1 and 2", Off: "os/exec", Quick: 1, Full: 16, Run: strayDescriptors},
	{ID: "F32", What: "a supervisor that was started with ignored and blocked signals, ulimit -Sn 256, LD_PRELOAD: programs get clean signals, 256, a kept environment", Off: "os/exec", Quick: 1, Full: 20, Run: cleanStart},
	{ID: "F33", What: "SIGKILL of `spawnx run` while it has a person's terminal: the terminal is as before", Off: "a program that sets it to raw and dies", Quick: 1, Full: 30, Tries: 5, Run: terminalBack},
}

func init() {
	testprog.Register("spawner", spawnerHost)
}

// spawnerHost starts N times what its arguments say, at once, and writes what they write.
func spawnerHost(args []string) int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 64
	if args[1] == "one" {
		n = 1
	}
	words := args[2:]
	for range n {
		wg.Go(func() {
			var out []byte
			var err error
			if args[0] == "true" {
				var p *proc.Process
				s := proc.Spec{Args: words, Stdio: proc.Pipes, EnvKeep: []string{"PATH", "SPAWNX_FAULT"}}
				if p, err = proc.Start(context.Background(), s); err == nil {
					var b bytes.Buffer
					_, err = b.ReadFrom(p.Stdio().Out)
					out = b.Bytes()
					_, _ = p.Wait(context.Background())
					_ = p.Stdio().Close()
				}
			} else {
				out, err = exec.Command(words[0], words[1:]...).Output()
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				fmt.Println(err)
			}
			_, _ = os.Stdout.Write(out)
		})
	}
	wg.Wait()
	return 0
}

// openOnes says which descriptors are open, and opens none for it.
const openOnes = `i=0; while [ $i -lt 260 ]; do [ -e /proc/$$/fd/$i ] && printf "$i "; i=$((i+1)); done; echo`

func strayDescriptors(t *T) {
	words := append([]string{"bash", "-c", `exec 9</etc/passwd; exec "$@"`, "bash"}, testprog.Args("spawner", fmt.Sprint(t.Defended), "all", "sh", "-c", openOnes)...)
	out, err := t.command(words...).Output()
	t.Must(err)
	if want := strings.Repeat("0 1 2 \n", 64); string(out) != want {
		lines := map[string]int{}
		for l := range strings.Lines(string(out)) {
			lines[l]++
		}
		t.Errorf("%v", lines)
	}
}

// preset ignores and blocks signals and becomes its arguments.
const preset = `import os, signal, sys, resource
for s in (signal.SIGHUP, signal.SIGINT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU): signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
os.environ["LD_PRELOAD"] = "/nonexistent.so"
os.execv(sys.argv[1], sys.argv[1:])
`

func cleanStart(t *T) {
	script := `grep '^Sig[BI]' /proc/self/status | tr -s '\t' ' '; ulimit -Sn; echo "preload=$LD_PRELOAD"`
	words := append([]string{"python3", "-c", preset}, testprog.Args("spawner", fmt.Sprint(t.Defended), "one", "sh", "-c", script)...)
	out, err := t.command(words...).Output()
	t.Must(err)
	if want := "SigBlk: 0000000000000000\nSigIgn: 0000000000000000\n256\npreload=\n"; string(out) != want {
		t.Errorf("%q; want %q", out, want)
	}
}

func terminalBack(t *T) {
	words := pick(t, []string{t.Spawnx, "run", "sh", "-c", "sleep 600"}, testprog.Args("rawcat", "1"))
	// A shell leads the session, as a person's does, and outlives them.
	s := t.spec(proc.PTY, append([]string{"bash", "-c", `"$@"; echo over; read x`, "bash"}, words...)...)
	p, err := proc.Start(t, s)
	t.Must(err)
	defer p.Stdio().Close()
	defer p.Stop(t)
	terminal := p.Stdio().Terminal
	before, err := terminal.Mode()
	t.Must(err)
	mode := func() ptyio.Mode { m, _ := terminal.Mode(); return m }
	if !t.eventually(20*time.Second, func() bool { return !mode().Canonical }) {
		panic("the terminal was not set to raw") // also where that is the control
	}
	var victim int
	if !t.eventually(20*time.Second, func() bool {
		for _, pid := range marked(t.Mark) {
			if parentOf(pid) == p.PID() && strings.HasPrefix(command(pid), words[0]) {
				victim = pid
			}
		}
		return victim != 0
	}) {
		t.Fatalf("it is not there")
	}
	time.Sleep(time.Duration(t.Rand.IntN(20)) * time.Millisecond)
	t.Must(syscall.Kill(victim, unix.SIGKILL))
	if !t.eventually(pick(t, 2*time.Second, 200*time.Millisecond), func() bool { return mode() == before }) {
		t.Errorf("%+v; it was %+v", mode(), before)
	}
}
