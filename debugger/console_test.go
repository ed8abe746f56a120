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

// Commands whose bodies gdb would read out of what others send are refused however they are written; the rest is sent.
func TestCommandsWithABody(t *testing.T) {
	for _, command := range []string{
		"commands 1", "comm 1", " command 1", "define x", "document x", "while 1", "if 1", "python", "py", "pi", "python-", "python-i print(1)",
		"compile code", "compi", "expr", "expression", `eval "commands %d", 1`, `ev "comm 1"`, "with print pretty on -- commands 1",
		`-interpreter-exec console "comm 1"`, `-interpreter-exec console "with print pretty -- define \"x\""`, "-interpreter-exec console commands",
	} {
		if refused(command) == "" {
			t.Errorf("%s is sent", command)
		}
	}
	for _, command := range []string{
		"com", "print 1", "python print(1)", "py 1", "compile code 1", "expression 1", "pythonx", "commandsx", `eval "print %d", 1`, `eval "`, "eval",
		"with print pretty on", "with print pretty on -- print 1", "wh", "-break-commands 1 \"if\"", "-exec-run", "-interpreter-exec console \"print 1\"",
		"shell ls", "!ls", "",
	} {
		if why := refused(command); why != "" {
			t.Errorf("%s: %s", command, why)
		}
	}
}
