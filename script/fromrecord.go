package script

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spawnx/spawnx/internal/dialog"
	"github.com/spawnx/spawnx/internal/lazy"
)

// FromRecord writes the script that does again what a person did in a recorded
// session. Secrets are references to variables of the environment: what was
// typed unseen is in no recording.
func FromRecord(s dialog.Session) []byte {
	var b strings.Builder
	secrets := 0
	for _, step := range s.Steps {
		if step.Kind == dialog.Hidden {
			secrets++
		}
	}
	b.WriteString("# What was done in a session, as recorded.\n")
	if secrets > 0 {
		fmt.Fprintf(&b, "# Secrets were typed in it, which are not here: give them in %s.\n", strings.Join(dialog.SecretNames(secrets), ", "))
	}
	fmt.Fprintf(&b, "p = spawn(%s)\n", strings.Join(spawnArgs(s), ", "))
	for _, r := range s.Rules {
		reply, most := ruleReply(r.Reply)
		if most > 0 {
			reply += fmt.Sprintf(", max = %d", most)
		}
		fmt.Fprintf(&b, "p.always(on(%s, %s))\n", rulePattern(r.Pattern), reply)
	}
	secrets = 0
	for _, step := range s.Steps {
		if step.Wait != (dialog.Pattern{}) {
			fmt.Fprintf(&b, "p.expect(%s)\n", waited(step.Wait))
		}
		switch step.Kind {
		case dialog.Line:
			fmt.Fprintf(&b, "p.sendline(%s)\n", quoted(step.Text))
		case dialog.Text:
			fmt.Fprintf(&b, "p.send(%s)\n", quoted(step.Text))
		case dialog.Keys:
			fmt.Fprintf(&b, "p.sendkey(%s)\n", quotedList(step.Names))
		case dialog.EOF:
			b.WriteString("p.sendeof()\n")
		case dialog.Resized:
			fmt.Fprintf(&b, "p.resize(%d, %d)\n", step.Rows, step.Cols)
		case dialog.Hidden:
			secrets++
			names := dialog.SecretNames(secrets)
			unproved := map[bool]string{true: ", unproved = True"}[step.Unproved]
			fmt.Fprintf(&b, "p.sendsecret(%q%s)\n", "env:"+names[len(names)-1], unproved)
		}
	}
	if s.Last != (dialog.Pattern{}) {
		fmt.Fprintf(&b, "p.expect(%s)\n", waited(s.Last))
	}
	switch {
	case !s.Ended:
	case s.Status == 0:
		b.WriteString("p.wait()\n")
	default:
		fmt.Fprintf(&b, "x = p.wait(check = False)\nif x.status != %d:\n    fail(\"status \" + str(x.status) + \", not %d\")\n", s.Status, s.Status)
	}
	return []byte(b.String())
}

func spawnArgs(s dialog.Session) []string {
	list := []string{"[" + quotedList(s.Args) + "]"}
	if s.Stdio != "" && s.Stdio != "pty" {
		list = append(list, "stdio = "+quoted(s.Stdio))
	}
	if s.Rows != 24 || s.Cols != 80 {
		list = append(list, fmt.Sprintf("size = (%d, %d)", s.Rows, s.Cols))
	}
	if s.Dir != "" {
		list = append(list, "dir = "+quoted(s.Dir))
	}
	if len(s.Env) > 0 {
		var env []string
		for _, e := range s.Env {
			name, value, _ := strings.Cut(e, "=")
			env = append(env, quoted(name)+": "+quoted(value))
		}
		list = append(list, "env = {"+strings.Join(env, ", ")+"}")
	}
	return list
}

func waited(p dialog.Pattern) string {
	if p.Idle {
		return "idle(0.5)"
	}
	s := quoted(p.Text)
	if p.Regexp {
		s = expression(p.Text)
	}
	if p.OnScreen {
		s = "screen(" + s + ")"
	}
	return s
}

// quoted is a string of the language.
func quoted(s string) string { return strconv.Quote(s) }

func quotedList(list []string) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = quoted(s)
	}
	return strings.Join(words, ", ")
}

func expression(re string) string {
	if strings.ContainsAny(re, "\"\n") || strings.HasSuffix(re, `\`) {
		return "re(" + quoted(re) + ")"
	}
	return `re(r"` + re + `")`
}

// rulePattern is a PATTERN of the command line in the language.
func rulePattern(p string) string {
	if m := slashed.Get().FindStringSubmatch(p); m != nil {
		if m[2] != "" {
			m[1] = "(?" + m[2] + ")" + m[1]
		}
		return expression(m[1])
	}
	switch d, idle := strings.CutPrefix(p, "<idle "); {
	case p == "<waiting>":
		return "WAITING"
	case p == "<eof>":
		return "EOF"
	case idle:
		return "idle(" + quoted(strings.TrimSuffix(d, ">")) + ")"
	}
	return quoted(strings.TrimPrefix(p, `\`))
}

var slashed = lazy.Regexp(`(?s)^/(.*)/([ims]*)$`)

// ruleReply is a REPLY of the command line in the language, and how often it is given at most, if that is said.
func ruleReply(r string) (reply string, most int) {
	if !strings.HasPrefix(r, "<") || !strings.HasSuffix(r, ">") {
		return quoted(strings.TrimPrefix(r, `\`)), 0
	}
	items := bracketed.Get().FindAllStringSubmatch(r, -1)
	var calls, names []string
	for _, item := range items {
		word, rest, _ := strings.Cut(item[1], " ")
		switch {
		case word == "secret" && rest != "":
			ref, times := secretItem(strings.TrimSpace(rest))
			most = max(most, times)
			if len(items) == 1 {
				return "secret(" + ref + ")", most
			}
			most = max(most, 1)
			calls = append(calls, "p.sendsecret("+ref+")")
		case word == "fail" && rest != "":
			calls = append(calls, "fail("+quoted(strings.TrimSpace(rest))+")")
		case item[1] == "ask":
			calls = append(calls, "p.sendline(ask(m.text))")
		case item[1] == "eof":
			calls = append(calls, "p.sendeof()")
		default:
			calls = append(calls, "p.sendkey("+quoted(item[1])+")")
			names = append(names, item[1])
		}
	}
	switch {
	case len(names) == len(items):
		return "key(" + quotedList(names) + ")", 0
	case len(calls) == 1:
		return "lambda m: " + calls[0], most
	}
	return "lambda m: [" + strings.Join(calls, ", ") + "] and None", most
}

// An item has at least one byte, so "<>>" is the key ">".
var bracketed = lazy.Regexp(`(?s)<(.[^>]*)>`)

// secretItem reads "[unproved] [N] REF": the arguments of secret, and N.
func secretItem(rest string) (args string, times int) {
	rest, unproved := strings.CutPrefix(rest, "unproved ")
	rest = strings.TrimSpace(rest)
	if first, after, ok := strings.Cut(rest, " "); ok {
		if n, err := strconv.Atoi(first); err == nil {
			times, rest = n, strings.TrimSpace(after)
		}
	}
	args = quoted(rest)
	if unproved {
		args += ", unproved = True"
	}
	return args, times
}
