//go:build linux

package screen_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/screen"
)

// feeder is a program in a pane of tmux: it writes to its terminal what comes from the fifo "in", and says so in the
// fifo "out" when tmux has shown it.
func feeder(dir string) {
	fd := int(os.Stdin.Fd())
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		panic(err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		panic(err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "in")) // until its writer closes it
		if err != nil {
			return
		}
		// In a goroutine, as tmux may wait for us to read its answers.
		var wrote sync.WaitGroup
		wrote.Go(func() { os.Stdout.Write(append(text, "\x1b[5n"...)) })
		var got []byte
		for b := make([]byte, 1024); !bytes.HasSuffix(got, []byte("\x1b[0n")); {
			n, err := os.Stdin.Read(b)
			if err != nil {
				return
			}
			got = append(got, b[:n]...)
		}
		wrote.Wait()
		if err := os.WriteFile(filepath.Join(dir, "out"), []byte("ok"), 0); err != nil {
			return
		}
	}
}

// pane is a terminal of tmux.
type pane struct {
	t      *testing.T
	dir    string
	socket string
}

func tmux(t *testing.T, socket string, args ...string) string {
	t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", socket, "-f", "/dev/null"}, args...)...)
	cmd.Env = append(os.Environ(), "TMUX=", "LC_ALL=C.UTF-8", "TERM=xterm-256color")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// newPane starts a server of its own, which ends with the test.
func newPane(t *testing.T, rows, cols int) *pane {
	t.Helper()
	dir := t.TempDir()
	p := &pane{t: t, dir: dir, socket: filepath.Join(dir, "s")}
	for _, f := range []string{"in", "out"} {
		if err := unix.Mkfifo(filepath.Join(dir, f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tmux(t, p.socket, "new-session", "-d", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows), "sh", ";",
		"set", "-g", "status", "off", ";", "set", "-g", "history-limit", "1000", ";",
		"set", "-g", "remain-on-exit", "on", ";", "set", "-s", "extended-keys", "off", ";",
		"new-window", "-d", "-n", "feed", "-e", "SCREEN_TEST_FEED="+dir, self, ";", "kill-window", "-t", ":0", ";",
		"resize-window", "-t", "feed", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows))
	t.Cleanup(func() { tmux(t, p.socket, "kill-server") })
	return p
}

// write shows text, and waits until it is shown.
func (p *pane) write(text []byte) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "in"), text, 0); err != nil {
		p.t.Fatal(err)
	}
	if ok, err := os.ReadFile(filepath.Join(p.dir, "out")); err != nil || string(ok) != "ok" {
		p.t.Fatal(ok, err)
	}
}

func (p *pane) resize(rows, cols int) {
	tmux(p.t, p.socket, "resize-window", "-t", "feed", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows))
}

// looks is what of a screen is compared.
type looks struct {
	rows   []string // text
	styles []string // of the cells, one word each
	widths []int    // how many cells of a row tmux tells; what is erased at the end it does not
	cursor string
	hidden bool
	title  string
}

// capture asks tmux for what it shows. Its rows come with attributes, which a screen of ours reads.
func (p *pane) capture(rows, cols int) looks {
	p.t.Helper()
	out := tmux(p.t, p.socket, "capture-pane", "-p", "-e", "-N", "-t", "feed", ";",
		"display-message", "-p", "-t", "feed", "#{cursor_y},#{cursor_x},#{cursor_flag},#{pane_title}")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	s := screen.New(rows, cols)
	s.Write([]byte("\x1b)0\x1b[?7l\x1b[?2027l"))
	widths := make([]int, rows)
	for y, l := range lines[:rows] {
		fmt.Fprintf(s, "\x1b[%dH%s", y+1, l)
		c := s.Cursor()
		if widths[y] = c.Col - 1; c.Pending {
			widths[y] = cols
		}
	}
	l := look(s)
	l.widths = widths
	var y, x, flag int
	fmt.Sscanf(lines[rows], "%d,%d,%d", &y, &x, &flag)
	l.cursor = fmt.Sprintf("%d,%d", y+1, min(x, cols-1)+1) // in the last column tmux counts on
	l.hidden = flag == 0
	_, l.title, _ = strings.Cut(lines[rows], fmt.Sprintf(",%d,", flag))
	return l
}

func look(s *screen.Screen) looks {
	rows, _ := s.Size()
	c := s.Cursor()
	l := looks{cursor: fmt.Sprintf("%d,%d", c.Row, c.Col), hidden: c.Hidden}
	for y := 1; y <= rows; y++ {
		line := s.Line(y)
		l.rows = append(l.rows, line.Text())
		var styles []string
		for _, c := range line.Cells {
			if c.Width == 0 {
				styles = append(styles, "-")
				continue
			}
			st := c.Style
			if c.Text == " " { // of a blank only what can be seen
				st.Attr &= screen.Reverse | screen.Underline | screen.Strike | screen.Overline
				if st.Attr == 0 {
					st.Fg = 0
				}
				st.Line = 0
			}
			styles = append(styles, fmt.Sprintf("%x/%s/%s", uint16(st.Attr), st.Fg, st.Bg))
		}
		l.styles = append(l.styles, strings.Join(styles, " "))
	}
	return l
}

// differ describes how two pictures differ; "" is not at all.
func differ(ours, theirs looks, styles bool) string {
	var b strings.Builder
	for y := range ours.rows {
		if ours.rows[y] != theirs.rows[y] {
			fmt.Fprintf(&b, "row %d\n  ours   %q\n  theirs %q\n", y+1, ours.rows[y], theirs.rows[y])
		} else if styles && ours.styles[y] != theirs.styles[y] {
			a, c := strings.Fields(ours.styles[y]), strings.Fields(theirs.styles[y])
			for x := range a[:min(len(a), theirs.widths[y])] {
				if x >= len(c) || a[x] != c[x] {
					fmt.Fprintf(&b, "row %d %q, character %d: style %s, theirs %v\n", y+1, ours.rows[y], x+1, a[x], c[min(x, len(c)-1)])
					break
				}
			}
		}
	}
	if ours.cursor != theirs.cursor || ours.hidden != theirs.hidden {
		fmt.Fprintf(&b, "cursor %s hidden %v, theirs %s hidden %v\n", ours.cursor, ours.hidden, theirs.cursor, theirs.hidden)
	}
	return b.String()
}
