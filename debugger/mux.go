package debugger

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spawnx/spawnx/debugger/mi"
)

// A mux shares one machine interface among front ends: each has its own tokens,
// an answer goes to its asker, and what happens goes to all. It knows lines and
// front ends by number; it neither reads nor writes.
type mux struct {
	last    int           // token given out
	asked   map[int]asked // by our token
	answer  int           // who got the last result; its prompt follows
	prompts bool          // a prompt for answer is still to come
	text    []string      // of the stream records since the last result
	size    int           // of text
}

// An asked is a command under way.
type asked struct {
	who     int
	token   string // its own
	command string
}

// Who is not a front end.
const (
	ourselves = -1 // the debugger's own commands
	all       = -2 // whoever is there
	nobody    = -3
)

// A delivery is a line for a front end, or for all but one.
type delivery struct {
	to, not int
	line    string // with its newline
	must    bool   // somebody waits for it
	command string
	result  *mi.Record
	said    string // with result: the stream records since the last one
}

// Commands whose following lines gdb would take for a body, and not for
// commands: those of other front ends, too.
func swallows() map[string]string {
	return map[string]string{
		"commands": "use -break-commands, or define them at the console",
		"define":   "define commands at the console", "document": "document commands at the console",
		"while": "loops belong to the console", "if": "conditions belong to the console",
		"python": "give python its code on the same line", "py": "give py its code on the same line", "python-interactive": "use the console",
		"pi": "use the console", "guile": "give guile its code on the same line", "gu": "give gu its code on the same line",
		"compile": "compile code at the console", "expression": "use the console", "tui": "use the console",
	}
}

// command takes a line of a front end. send goes to gdb; where it is empty,
// answer goes back.
func (m *mux) command(who int, line string) (send, answer string) {
	token, rest := mi.SplitToken(strings.TrimRight(line, "\r\n"))
	if strings.TrimSpace(rest) == "" {
		return "", ""
	}
	if why := refused(rest); why != "" {
		return "", fmt.Sprintf("%s^error,msg=%s\n(gdb) \n", token, cString(why))
	}
	m.last++
	if m.asked == nil {
		m.asked = map[int]asked{}
	}
	m.asked[m.last] = asked{who, token, rest}
	return strconv.Itoa(m.last) + rest + "\n", ""
}

// owes reports whether an answer for who is still to come.
func (m *mux) owes(who int) bool {
	for _, a := range m.asked {
		if a.who == who {
			return true
		}
	}
	return m.prompts && m.answer == who
}

// shortened are the least letters by which gdb knows some of them.
func shortened() map[string]string {
	return map[string]string{"commands": "comm", "compile": "compi", "expression": "expr", "python-interactive": "python-"}
}

// refused says why a command cannot be sent: gdb would read on in what others
// send.
func refused(command string) string {
	if line, ok := strings.CutPrefix(command, "-interpreter-exec console "); ok {
		command = unquoted(line)
	} else if strings.HasPrefix(command, "-") {
		return ""
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(command), " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "ev", "eva", "eval": // of a command with its arguments
		return refused(unquoted(rest))
	case "wit", "with", "w": // a setting for one command
		if _, inner, ok := strings.Cut(rest, "-- "); ok {
			return refused(inner)
		}
	}
	for whole, least := range shortened() {
		if strings.HasPrefix(word, least) && strings.HasPrefix(whole, word) {
			word = whole
		}
	}
	hint := swallows()[word]
	switch {
	case hint == "":
		return ""
	case (word == "python" || word == "py" || word == "guile" || word == "gu") && rest != "":
		return ""
	case word == "compile" && strings.Contains(rest, " "), word == "expression" && rest != "", word == "tui" && rest == "":
		return ""
	}
	return fmt.Sprintf("spawnx: %q would take the next commands, of everybody, for its body: %s", word, hint)
}

// unquoted is the string in quotes that a text begins with, or the text.
func unquoted(text string) string {
	text = strings.TrimSpace(text)
	for i := 1; i < len(text) && text[0] == '"'; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			if s, err := mi.Parse([]byte("~" + text[:i+1])); err == nil {
				return s.Text
			}
			return text
		}
	}
	return text
}

// cString writes a string as gdb does.
func cString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// maxSaid bounds the text that is kept for one answer.
const maxSaid = 1 << 20

// record takes a line of gdb and says who gets it.
func (m *mux) record(line string, r mi.Record) []delivery {
	switch r.Kind {
	case mi.Result:
		return m.result(line, r)
	case mi.Prompt:
		to := all
		if m.prompts {
			to, m.prompts = m.answer, false
		}
		if to == ourselves {
			return nil
		}
		return []delivery{{to: to, not: nobody, line: line + "\n"}}
	case mi.Exec: // what was said before belongs to it, and to no answer
		m.text, m.size = nil, 0
	case mi.Console, mi.Log, mi.Target:
		if r.Kind == mi.Console && m.size < maxSaid {
			m.text = append(m.text, r.Text)
			m.size += len(r.Text)
		}
	}
	return []delivery{{to: all, not: nobody, line: line + "\n"}}
}

func (m *mux) result(line string, r mi.Record) []delivery {
	said := strings.Join(m.text, "")
	m.text, m.size = nil, 0
	n, err := strconv.Atoi(r.Token)
	a, known := m.asked[n]
	if err != nil || !known { // of no command that went through here
		return []delivery{{to: all, not: nobody, line: line + "\n"}}
	}
	delete(m.asked, n)
	m.answer, m.prompts = a.who, true
	_, rest := mi.SplitToken(line)
	out := []delivery{{to: a.who, not: nobody, line: a.token + rest + "\n", must: true, command: a.command, result: &r, said: said}}
	if notice := withheld(a.command, r); notice != "" {
		out = append(out, delivery{to: all, not: a.who, line: notice + "\n"})
	}
	return out
}

// withheld is the notice that gdb does not send to the interface on which the
// command came, since the asker knows: the others there do not.
func withheld(command string, r mi.Record) string {
	if r.Class != "done" {
		return ""
	}
	words := strings.Fields(command)
	switch words[0] {
	case "-break-insert", "-dprintf-insert", "-catch-load", "-catch-unload", "-catch-assert", "-catch-exception", "-catch-throw",
		"-catch-rethrow", "-catch-catch":
		if b := r.Results.Tuple("bkpt"); b != nil {
			return "=breakpoint-created,bkpt=" + write(b)
		}
	case "-break-watch":
		for _, p := range r.Results {
			if b, ok := p.Value.(mi.Tuple); ok {
				return "=breakpoint-created,bkpt=" + write(watch(p.Name, b))
			}
		}
	case "-break-delete":
		var all []string
		for _, id := range words[1:] {
			all = append(all, `=breakpoint-deleted,id=`+cString(id))
		}
		return strings.Join(all, "\n")
	case "-gdb-set":
		if len(words) > 2 {
			return fmt.Sprintf("=cmd-param-changed,param=%s,value=%s", cString(words[1]), cString(strings.Join(words[2:], " ")))
		}
	}
	return ""
}

// watch makes of the answer about a watchpoint the description that a notice has.
func watch(kind string, b mi.Tuple) mi.Tuple {
	types := map[string]string{"wpt": "hw watchpoint", "hw-rwpt": "read watchpoint", "hw-awpt": "acc watchpoint"}
	return mi.Tuple{
		{Name: "number", Value: mi.Const(b.String("number"))}, {Name: "type", Value: mi.Const(types[kind])}, {Name: "disp", Value: mi.Const("keep")},
		{Name: "enabled", Value: mi.Const("y")}, {Name: "what", Value: mi.Const(b.String("exp"))}, {Name: "times", Value: mi.Const("0")},
	}
}

// changes lists the breakpoints that a command has changed without a notice:
// how they are now has to be asked.
func changes(command string) []string {
	words := strings.Fields(command)
	if len(words) < 2 {
		return nil
	}
	switch words[0] {
	case "-break-enable", "-break-disable":
		return words[1:]
	case "-break-condition", "-break-after", "-break-commands", "-break-passcount":
		if words[1] == "--force" && len(words) > 2 {
			return words[2:3]
		}
		return words[1:2]
	}
	return nil
}

// write is a value in gdb's own notation.
func write(v mi.Value) string {
	pairs := func(ps []mi.Pair) string {
		var all []string
		for _, p := range ps {
			s := write(p.Value)
			if p.Name != "" {
				s = p.Name + "=" + s
			}
			all = append(all, s)
		}
		return strings.Join(all, ",")
	}
	switch v := v.(type) {
	case mi.Tuple:
		return "{" + pairs(v) + "}"
	case mi.List:
		return "[" + pairs(v) + "]"
	case mi.Const:
		return cString(string(v))
	}
	return `""`
}
