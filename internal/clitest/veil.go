package clitest

import (
	"strings"
	"sync"

	"github.com/spawnx/spawnx/internal/clitest/report"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/secret"
)

// A veil hides the secrets that a test has typed, in all its attempts and to any of its programs: whatever leaves
// the runner passes through it. The zero veil knows none. It may be used by several goroutines.
type veil struct {
	mu    sync.Mutex
	forms []form
}

// A form is how a secret may be written.
type form struct {
	text   []byte
	chance bool // so short that it stands in other words, too
}

// add hides a value from now on, also as it looks where texts are escaped.
func (v *veil) add(value []byte) {
	quoted := escape.Quote(string(value))
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, text := range []string{string(value), escape.Visible(string(value)), quoted[1 : len(quoted)-1]} {
		v.forms = append(v.forms, form{[]byte(text), len(value) < 4})
	}
}

// empty reports whether it knows no secret.
func (v *veil) empty() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.forms) == 0
}

// mask returns a mask of the secrets, of none that stands in words by chance unless all are asked for.
func (v *veil) mask(all bool) *secret.Mask {
	m := new(secret.Mask)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.forms {
		if all || !f.chance {
			m.Add(f.text)
		}
	}
	return m
}

// output is a text of a program without secrets. It is shortened afterwards: what lost its beginning is not found.
func (v *veil) output(text string) string { return v.mask(true).Text(text) }

// words is a text of ours, in which there may be some of a program's, without secrets.
func (v *veil) words(text string) string { return ours(v.mask(false).Text(text)) }

// ours are words that hold a frequent password of tests.
func ours(text string) string {
	return strings.NewReplacer("send"+secret.Shown, "sendsecret", "["+secret.Shown+"]", secret.Shown).Replace(text)
}

// stream hides in what a program has written, which it takes piece by piece; nil is the end.
func (v *veil) stream() func(p []byte) []byte {
	m := v.mask(true)
	return func(p []byte) []byte {
		if p == nil {
			return m.Flush(nil)
		}
		return m.Feed(nil, p)
	}
}

// attempt hides in all that is told of an attempt. What lies in its folder was hidden when it was written.
func (v *veil) attempt(a *report.Attempt) {
	if v.empty() {
		return
	}
	m := v.mask(false)
	hide := func(texts ...*string) {
		for _, text := range texts {
			*text = ours(m.Text(*text))
		}
	}
	hide(&a.Error)
	for i := range a.Steps {
		hide(&a.Steps[i].Text)
	}
	for i := range a.Script {
		hide(&a.Script[i])
	}
	for i := range a.Events {
		hide(&a.Events[i].Text)
	}
	for i := range a.Programs {
		hide(&a.Programs[i].Command, &a.Programs[i].State, &a.Programs[i].Screen)
	}
}
