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

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
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

// started starts a command on pipes.
func started(tb testing.TB, cmd *exec.Cmd) (io.WriteCloser, io.Reader) {
	tb.Helper()
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
	return in, out
}

// overPipes is what a front end that starts gdb itself has.
func overPipes(tb testing.TB, program string) *front {
	tb.Helper()
	cmd := exec.Command("gdb", "-q", "--interpreter=mi3", "-iex", "set pagination off", "-iex", "set mi-async on", program)
	in, out := started(tb, cmd)
	tb.Cleanup(func() { in.Close(); _, _ = io.Copy(io.Discard, out); _ = cmd.Wait() })
	return &front{in: in, out: bufio.NewReader(out)}
}

// overATerminal is what a front end has that opens a second interface at a gdb with
// a console: no bridge could be quicker.
func overATerminal(tb testing.TB, program string) *front {
	tb.Helper()
	ui, err := ptyio.Open(ptyio.PTY, proc.Size{}, true)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { ui.Close() })
	if err := ui.Terminal.SetMode(ptyio.Mode{}); err != nil {
		tb.Fatal(err)
	}
	console, err := bridge.Start(context.Background(), proc.Command("gdb", "-q", "-iex", "set pagination off", "-iex", "set mi-async on",
		"-ex", "new-ui mi "+ui.Terminal.Name(), program))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { console.Close() })
	f := &front{in: ui.Out, out: bufio.NewReader(ui.Out)}
	for line := ""; !strings.HasPrefix(line, "(gdb)"); {
		if line, err = f.out.ReadString('\n'); err != nil {
			tb.Fatal(err)
		}
	}
	return f
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
	in, out := started(tb, cmd)
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
// The third is a terminal of one's own, as front ends with a console have it: gdb
// writes there, other than to a pipe, in small pieces, and texts byte by byte.
// "x-pipe" and "x-tty" are the medians of the bridge's ratios to its neighbours.
func BenchmarkMIRoundTrip(b *testing.B) {
	program := compiled(b, deepC)
	fronts := []*front{overPipes(b, program), overATerminal(b, program), overTheBridge(b, program)}
	for _, f := range fronts {
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
			var took [5][]float64 // of each, and the ratios
			for n := 0; b.Loop(); n++ {
				var now [3]float64
				for i := range fronts {
					who := (i + n) % len(fronts) // who is first changes
					began := time.Now()
					for _, command := range tt.commands {
						fronts[who].ask(b, command)
					}
					now[who] = float64(time.Since(began).Nanoseconds()) / 1e3
				}
				for i, figure := range []float64{now[0], now[1], now[2], now[2] / now[0], now[2] / now[1]} {
					took[i] = append(took[i], figure)
				}
			}
			for i, unit := range []string{"pipe-µs", "tty-µs", "bridge-µs", "x-pipe", "x-tty"} {
				b.ReportMetric(median(took[i]), unit)
			}
		})
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
