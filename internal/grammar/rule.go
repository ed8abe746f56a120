package grammar

import (
	"fmt"
	"strings"

	"github.com/spawnx/spawnx/expect"
)

const arrow = "=>"

// Rules reads the rules of --on, each "PATTERN => REPLY", in their order: the first that matches wins.
func (w World) Rules(list []string) ([]expect.Rule, error) {
	var rules []expect.Rule
	for _, s := range list {
		rule, err := w.Rule(s)
		if err != nil {
			return nil, err
		}
		for i, earlier := range rules {
			if hides(earlier, rule) {
				return nil, fmt.Errorf("--on '%s' can never fire: '%s' comes first\nhint: give the longer text first", s, list[i])
			}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// hides reports whether the later rule can never fire, as the earlier one's whole text begins its own.
func hides(earlier, later expect.Rule) bool {
	a, ok := earlier.When.(expect.Text)
	b, ok2 := later.When.(expect.Text)
	return ok && ok2 && strings.HasPrefix(string(b), string(a))
}

// Rule reads one "PATTERN => REPLY". It is cut at the first arrow outside of a /…/; blanks around both
// sides are dropped.
func (w World) Rule(s string) (expect.Rule, error) {
	left, right, ok := CutRule(s)
	if !ok {
		return expect.Rule{}, fmt.Errorf("--on '%s': there is no reply\nhint: write --on 'PATTERN => REPLY'", s)
	}
	when, err := Pattern(left)
	if err != nil {
		return expect.Rule{}, fmt.Errorf("--on: %w", err)
	}
	reply, err := w.Reply(right)
	if err != nil {
		return expect.Rule{}, fmt.Errorf("--on: %w", err)
	}
	return expect.Rule{When: when, Do: reply.Do, Max: reply.Max}, nil
}

// CutRule cuts a rule into its two sides, as Rule does.
func CutRule(s string) (left, right string, ok bool) {
	left, right, ok = strings.Cut(s, arrow)
	left = strings.TrimSpace(left)
	if strings.HasPrefix(left, "/") {
		// The first arrow behind a whole /…/; where there is no such, the slash begins text.
		for i := 0; ; i += len(arrow) {
			at := strings.Index(s[i:], arrow)
			if at < 0 {
				break
			}
			i += at
			if _, _, whole := cutRegexp(strings.TrimSpace(s[:i])); whole {
				left, right = strings.TrimSpace(s[:i]), s[i+len(arrow):]
				break
			}
		}
	}
	return left, strings.TrimSpace(right), ok
}
