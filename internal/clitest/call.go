package clitest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/nearest"
)

// A call is what a line asks for.
type call struct {
	conds []cond        // all must hold, or the line does nothing
	not   bool          // !: it must fail
	who   string        // @NAME: which program it speaks to; "" is the unnamed one
	retry time.Duration // retry D: until it succeeds, at most this long
	cmd   *command
	args  []string
}

// A cond is a [condition], or [!condition].
type cond struct {
	not  bool
	name string
}

// parseCall reads the words of a line: [cond]..., then in any order !, @NAME and retry D, then a command
// with its arguments. It finds what is wrong with them.
func parseCall(words []string) (call, error) {
	var c call
	for len(words) > 0 && isCond(words[0]) {
		name := strings.TrimSpace(words[0][1 : len(words[0])-1])
		not := strings.HasPrefix(name, "!")
		cond := cond{not, strings.TrimSpace(strings.TrimPrefix(name, "!"))}
		if err := checkCond(cond.name); err != nil {
			return c, err
		}
		c.conds, words = append(c.conds, cond), words[1:]
		if len(words) == 0 {
			return c, failed("no command after the condition")
		}
	}
	for c.cmd == nil {
		if len(words) == 0 {
			return c, failed("no command in this line")
		}
		first := words[0]
		words = words[1:]
		switch {
		case first == "!":
			if c.not {
				return c, failed("! stands twice in this line")
			}
			c.not = true
		case strings.HasPrefix(first, "@"):
			if first == "@test" {
				return c, hinted("write each test as a file of its own; a heading begins with #", "@test is of another tool")
			}
			if !isName(first[1:]) {
				return c, hinted("write @NAME spawn ..., with letters, digits and _", "%s is no name of a program", escape.Quote(first))
			}
			if c.who != "" {
				return c, failed("a line speaks to one program: @%s or %s", c.who, first)
			}
			c.who = first[1:]
		case first == "retry":
			if c.retry != 0 {
				return c, failed("retry stands twice in this line")
			}
			if c.not {
				return c, hinted("write retry D ! COMMAND", "! stands before retry")
			}
			if len(words) < 2 {
				return c, usageOf(retryUsage)
			}
			d, err := duration(words[0])
			if err != nil {
				return c, hinted("write retry 30s COMMAND", "retry: %v", err)
			}
			c.retry, words = d, words[1:]
		default:
			cmd, err := lookup(first)
			if err != nil {
				return c, err
			}
			c.cmd = cmd
		}
	}
	c.args = words
	return c, c.check()
}

func isCond(s string) bool { return strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") }

// isName: letters, digits and _.
func isName(s string) bool {
	ok := func(r rune) bool {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s is no duration", escape.Quote(s))
	}
	return d, nil
}

// check finds what is wrong with a call before it is made.
func (c call) check() error {
	cmd := c.cmd
	switch {
	case c.not && !cmd.negated:
		return hinted(cmd.notHint, "unsupported: ! %s", cmd.name)
	case c.who != "" && !cmd.dialog:
		return failed("%s speaks to no program: @%s has no meaning here", cmd.name, c.who)
	case len(c.args) < cmd.min, cmd.max >= 0 && len(c.args) > cmd.max:
		return usageOf(cmd.usage())
	}
	if cmd.check == nil {
		return nil
	}
	if err := cmd.check(c); err != nil {
		return inCommand(cmd.name, err)
	}
	return nil
}

func usageOf(usage string) error { return failed("usage: %s", usage) }

// inCommand puts a command's name before its error, unless it begins with it.
func inCommand(name string, err error) error {
	if p, ok := err.(*problem); ok {
		if !strings.HasPrefix(p.what, "usage: ") {
			p.what = name + ": " + p.what
		}
		return p
	}
	if strings.HasPrefix(err.Error(), name+":") {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// lookup finds a command by its name.
func lookup(name string) (*command, error) {
	for i, c := range commands() {
		if c.name == name {
			return &commands()[i], nil
		}
	}
	p := failed("unknown command %s", escape.Quote(name))
	if hint, ok := elsewhere()[name]; ok {
		p.hint = hint
		return nil, p
	}
	if plain, ok := strings.CutPrefix(name, "!"); ok && plain != "" {
		p.hint = "write a blank behind the !"
		return nil, p
	}
	p.hint = fmt.Sprintf("to run a program: exec %s", escape.Visible(name))
	if near := nearestCommand(name); near != "" {
		p.hint = fmt.Sprintf("did you mean %s?", near)
	}
	return nil, p
}

// elsewhere are commands that other languages have, and what there is here instead.
func elsewhere() map[string]string {
	return map[string]string{
		"ttyin":  "there is a terminal: spawn the program, and sendline what it shall read",
		"ttyout": "there is a terminal: spawn the program, and expect what it writes",
		"settle": "screen and expect -screen wait by themselves",
		"sleep":  "wait for what shall happen: expect, screen, or retry 5s COMMAND",
		"close":  "a program is ended at the test's end; to end it now: signal TERM",
		"echo":   "to run the program: exec echo",

		"run":            "write exec PROGRAM..., and stdout PATTERN behind it",
		"assert_output":  "the output of the last exec or wait: stdout 'PATTERN', or cmp stdout FILE",
		"assert_success": "exec fails the test unless the program succeeds",
		"assert_failure": "write ! exec PROGRAM...",
		"assert_line":    "write stdout '^LINE$'",
		"send_user":      "a heading begins with #; it is shown with -v and where the test fails",
		"set":            "a variable: env NAME=VALUE; the time of a wait: expect -timeout 1s PATTERN",
		"timeout":        "the time of a wait: expect -timeout 1s PATTERN",
		"sendcontrol":    "write sendkey ctrl-c",
		"interact":       "a test has no person: answer with send, sendline, on PATTERN REPLY",
		"expect_eof":     "write expect '<eof>', or wait",
		"sendpassword":   "write sendsecret env:NAME",
		"load":           "a test needs no libraries; see docs/tests.md for its commands",
	}
}

// nearestCommand is the command that was probably meant.
func nearestCommand(name string) string {
	names := make([]string, len(commands()))
	for i, c := range commands() {
		names[i] = c.name
	}
	return nearest.Word(name, names)
}

// A command is one that a line can begin with.
type command struct {
	name  string
	args  string // for its usage
	about string // what it does, in a line

	negated bool   // ! may stand before it
	notHint string // what to write instead, where it may not
	dialog  bool   // @NAME may stand before it
	min     int    // how many arguments it takes, at least
	max     int    // at most; -1: any number

	check func(call) error // finds mistakes in the arguments, nil: none to find
	run   func(*state, call) error
}

func (c *command) usage() string {
	usage := c.name
	if c.negated {
		usage = "[!] " + usage
	}
	if c.dialog {
		usage = "[@NAME] " + usage
	}
	return strings.TrimSpace(usage + " " + c.args)
}

const retryUsage = "retry DURATION COMMAND..."

// Reference lists all commands as a table in Markdown, for docs/tests.md.
func Reference() string {
	var b strings.Builder
	b.WriteString("| command | what it does |\n|---|---|\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(c.usage(), "|", "\\|"), c.about)
	}
	return b.String()
}

// commands are all there are, in the order of their names.
func commands() []command {
	allCommands.once.Do(func() {
		all := slices.Concat(fileCommands(), execCommands(), checkCommands(), dialogCommands(), screenCommands())
		slices.SortFunc(all, func(a, b command) int { return strings.Compare(a.name, b.name) })
		allCommands.sorted = all
	})
	return allCommands.sorted
}

var allCommands struct { // by commands: spawnx does not need them at its start
	once   sync.Once
	sorted []command
}
