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
	const shown = "cont\r\n> looping\r\nlooping\r\n"
	for size := 1; size <= len(shown); size++ {
		r := &consoleReader{patterns: patterns, async: true, shared: true, sent: "cont"}
		r.feed("main[1] ")
		r.given = true
		var answers []Reply
		for rest := shown; rest != ""; {
			n := min(size, len(rest))
			_, answer := r.feed(rest[:n])
			if answer != nil {
				answers = append(answers, *answer)
			}
			rest = rest[n:]
		}
		if len(answers) != 1 || !answers[0].OK || answers[0].Text != "" || !r.running {
			t.Errorf("by %d bytes: %+v, running: %v", size, answers, r.running)
		}
	}
}
