package debugger

import "testing"

// Of a debugger that shows its prompt while the program runs, what the program writes may stand right behind it, and
// come with it.
func TestThePromptMayHaveSomethingBehindIt(t *testing.T) {
	p, err := LookupProfile("jdb")
	if err != nil {
		t.Fatal(err)
	}
	patterns, err := p.compile()
	if err != nil {
		t.Fatal(err)
	}
	const shown = "main[1] cont\r\n> looping\r\nlooping\r\n"
	for size := 1; size <= len(shown); size++ {
		r := &consoleReader{patterns: patterns, async: true, shared: true, given: true, sent: "cont"}
		var answers []Reply
		for rest := shown; rest != ""; {
			n := min(size, len(rest))
			_, answer := r.feed(rest[:n])
			if answer != nil {
				answers = append(answers, *answer)
			}
			rest = rest[n:]
		}
		// The first prompt is that before the command, where it is seen by itself.
		if last := len(answers) - 1; last < 0 || last > 1 || !answers[last].OK || answers[last].Text != "" || !r.running {
			t.Errorf("by %d bytes: %+v, running: %v", size, answers, r.running)
		}
	}
}
