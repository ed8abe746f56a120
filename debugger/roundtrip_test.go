//go:build linux

package debugger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

const serveVariable = "SPAWNX_TEST_SERVE" // the program for serveAlone

// serveAlone publishes a gdb until its input ends, as the process that spawnx debug
// leaves behind does.
func serveAlone(program string) error {
	d, err := debugger.Start(context.Background(), "gdb", proc.Command(program))
	if err != nil {
		return err
	}
	defer d.Close()
	name, err := session.Reserve("alone")
	if err != nil {
		return err
	}
	defer name.Release()
	p, err := d.Publish(name, "")
	if err != nil {
		return err
	}
	defer p.Close()
	if err := json.NewEncoder(os.Stdout).Encode(p.Doors()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

const deepC = `struct point { int x, y; const char *name; };
static long leaf(int n)
{
	struct point p = { n, n * 2, "a point" };
	long sum = p.x + p.y;
	return sum;
}
static long deep(int level, int n) { return level ? deep(level - 1, n) + 1 : leaf(n); }
int main(void)
{
	volatile long sum = 0;
	for (;;)
		sum += deep(8, (int)sum);
}
`

// A front is a front end that speaks the machine interface.
type front struct {
	in    io.Writer
	out   *bufio.Reader
	token int
}

// ask gives a command and waits for the end of its answer; of one that lets the
// program run, until that has stopped.
func (f *front) ask(tb testing.TB, command string) {
	tb.Helper()
	f.token++
	if _, err := fmt.Fprintf(f.in, "%d%s\n", f.token, command); err != nil {
		tb.Fatal(err)
	}
	answered, prompted, stopped := false, false, !strings.HasPrefix(command, "-exec-")
	for !answered || !prompted || !stopped {
		line, err := f.out.ReadString('\n')
		if err != nil || strings.Contains(line, "^error") {
			tb.Fatalf("%s: %q, %v", command, line, err)
		}
		answered = answered || strings.HasPrefix(line, fmt.Sprintf("%d^", f.token))
		prompted = prompted || answered && strings.HasPrefix(line, "(gdb)")
		stopped = stopped || strings.HasPrefix(line, "*stopped")
	}
}

// overPipes is what a front end that starts gdb itself has.
func overPipes(tb testing.TB, program string) *front {
	tb.Helper()
	cmd := exec.Command("gdb", "-q", "--interpreter=mi3", "-iex", "set pagination off", "-iex", "set mi-async on", program)
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { in.Close(); _, _ = io.Copy(io.Discard, out); _ = cmd.Wait() })
	return &front{in: in, out: bufio.NewReader(out)}
}

// overTheBridge is a front end of a gdb that another process serves.
func overTheBridge(tb testing.TB, program string) *front {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serveVariable+"="+program, "XDG_RUNTIME_DIR="+shortDir(tb))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	var doors debugger.Doors
	if err := json.NewDecoder(out).Decode(&doors); err != nil {
		tb.Fatal(err)
	}
	conn, err := net.Dial("unix", doors.Channels[debugger.ChannelMI])
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return &front{in: conn, out: bufio.NewReader(conn)}
}

// shortDir is a folder for sockets, whose paths may have 108 bytes.
func shortDir(tb testing.TB) string {
	dir, err := os.MkdirTemp("", "d")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// How long an answer takes over a pipe to a gdb of one's own and through the bridge,
// the same commands in turns:
//
//	go test -run '^$' -bench MIRoundTrip -benchtime 2000x ./debugger
//
// "x-pipe" is the median of the ratios of neighbours.
func BenchmarkMIRoundTrip(b *testing.B) {
	program := compiled(b, deepC)
	pipes, bridge := overPipes(b, program), overTheBridge(b, program)
	for _, f := range []*front{pipes, bridge} {
		f.ask(b, "-break-insert leaf")
		f.ask(b, "-exec-run")
	}
	for _, tt := range []struct {
		name     string
		commands []string
	}{
		{"evaluate", []string{"-data-evaluate-expression n*2+1"}},
		{"frames", []string{"-stack-list-frames"}},
		{"variables", []string{"-stack-list-variables --thread 1 --frame 0 --all-values"}},
		{"breakpoints", []string{"-break-list"}},
		{"next", []string{"-exec-next"}},
		{"stop", []string{ // what a front end does whenever the program has stopped
			"-exec-next", "-thread-info", "-stack-list-frames", "-stack-list-variables --thread 1 --frame 0 --all-values", "-data-evaluate-expression p.x+p.y",
		}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			var took [2][]float64
			var ratios []float64
			for b.Loop() {
				var pair [2]float64
				for i := range 2 {
					who := (i + len(ratios)) % 2 // who is first changes
					began := time.Now()
					for _, command := range tt.commands {
						[]*front{pipes, bridge}[who].ask(b, command)
					}
					pair[who] = float64(time.Since(began).Nanoseconds()) / 1e3
				}
				took[0], took[1] = append(took[0], pair[0]), append(took[1], pair[1])
				ratios = append(ratios, pair[1]/pair[0])
			}
			b.ReportMetric(median(took[0]), "pipe-µs")
			b.ReportMetric(median(took[1]), "bridge-µs")
			b.ReportMetric(median(ratios), "x-pipe")
		})
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
