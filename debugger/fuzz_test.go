package debugger

import (
	"strings"
	"testing"

	"github.com/spawnx/spawnx/debugger/mi"
)

// Whatever a console shows, and however it is cut, is taken without a panic, and can
// be told.
func FuzzConsoleReader(f *testing.F) {
	f.Add("> /a.py(1)<module>()\n-> n = 6\n(Pdb) continue\n> /a.py(3)f()\n(Pdb) b\b \bbreak 3\nBreakpoint 1 at /a.py:3\n(Pdb) ", uint8(3))
	f.Add("*** NameError: x\n(Pdb) next\nThe program finished and will be restarted\n... ", uint8(1))
	var readers []func() *consoleReader
	for _, name := range []string{"pdb", "perl", "lldb", "node", "jdb", "dlv", "bashdb"} {
		p, err := LookupProfile(name)
		if err != nil {
			f.Fatal(err)
		}
		patterns, err := p.compile()
		if err != nil {
			f.Fatal(err)
		}
		readers = append(readers, func() *consoleReader {
			return &consoleReader{patterns: patterns, async: p.Async, shared: !p.hasTTY(), stopsSoon: p.StopsFirst, starting: true}
		})
	}
	f.Fuzz(func(t *testing.T, shown string, size uint8) {
		for _, fresh := range readers {
			r := fresh()
			var state State
			for rest := shown; rest != ""; {
				n := min(1+int(size), len(rest))
				events, _ := r.feed(rest[:n])
				for _, e := range events {
					state.apply(e)
					e.line()
				}
				r.begun()
				rest = rest[n:]
			}
		}
	})
}

// Whatever front ends and gdb say, an answer goes to one front end at most.
func FuzzMux(f *testing.F) {
	f.Add("12-break-insert main\n-break-delete 1 2\nprint 1\n", "1^done,bkpt={number=\"1\"}\n(gdb) \n2^done\n=x,y=\"z\"\n")
	f.Add("-gdb-set a b\n-break-watch x\ncommands 1\n-interpreter-exec console \"define x\"", "1^done\n2^done,wpt={number=\"2\",exp=\"x\"}\n")
	f.Fuzz(func(t *testing.T, commands, said string) {
		var m mux
		sent := 0
		for i, line := range strings.Split(commands, "\n") {
			send, answer := m.command(i%3, line)
			if send != "" && answer != "" {
				t.Fatalf("%q is sent and refused", line)
			}
			if send != "" {
				sent++
			}
		}
		answers := 0
		for _, line := range strings.Split(said, "\n") {
			r, err := mi.Parse([]byte(line))
			if err != nil {
				r = mi.Record{Kind: mi.Other, Text: line}
			}
			for _, d := range m.record(line, r) {
				if d.result != nil {
					answers++
					changes(d.command)
				}
			}
		}
		if answers > sent {
			t.Fatalf("%d answers to %d commands", answers, sent)
		}
	})
}
