package mi

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// maxDepth bounds how deep values nest; gdb's own data does not come near it.
const maxDepth = 200

// Parse reads one line, without its newline; a carriage return before it, as a
// terminal adds it, is left out. Every line is a Record: the error of one that
// begins as the language does and goes on otherwise says where, and the Record
// is Other then.
func Parse(line []byte) (Record, error) {
	line = bytes.TrimSuffix(line, []byte("\r"))
	other := Record{Kind: Other, Text: string(line)}
	if bytes.Equal(bytes.TrimRight(line, " "), []byte("(gdb)")) {
		return Record{Kind: Prompt}, nil
	}
	p := parser{line: line}
	token := p.digits()
	kind := kindOf(p.peek())
	if kind == Other {
		return other, nil
	}
	p.at++
	r := Record{Kind: kind, Token: token}
	var err error
	if kind == Console || kind == Target || kind == Log {
		r.Text, err = p.text()
	} else {
		r.Class = p.class()
		if r.Class == "" {
			err = p.wrong("a class is missing")
		}
		if err == nil && p.at < len(p.line) {
			if err = p.expect(','); err == nil {
				r.Results, err = p.pairs(0)
			}
		}
	}
	if err == nil && p.at < len(p.line) {
		err = p.wrong("something follows")
	}
	if err != nil {
		return other, err
	}
	return r, nil
}

func kindOf(b byte) Kind {
	switch b {
	case '^':
		return Result
	case '*':
		return Exec
	case '+':
		return Status
	case '=':
		return Notify
	case '~':
		return Console
	case '@':
		return Target
	case '&':
		return Log
	}
	return Other
}

// A parser reads a line from the left to the right.
type parser struct {
	line []byte
	at   int
}

// peek is the next byte, 0 at the end. (A 0 in the line is no part of the
// language, so they need not be told apart.)
func (p *parser) peek() byte {
	if p.at < len(p.line) {
		return p.line[p.at]
	}
	return 0
}

func (p *parser) wrong(what string) error {
	return fmt.Errorf("mi: column %d: %s", p.at+1, what)
}

func (p *parser) expect(b byte) error {
	if p.peek() != b {
		return p.wrong(fmt.Sprintf("%q is missing", b))
	}
	p.at++
	return nil
}

func (p *parser) digits() string {
	from := p.at
	for '0' <= p.peek() && p.peek() <= '9' {
		p.at++
	}
	return string(p.line[from:p.at])
}

// class reads a class: words of letters, joined by hyphens.
func (p *parser) class() string {
	from := p.at
	for b := p.peek(); 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_'; b = p.peek() {
		p.at++
	}
	return string(p.line[from:p.at])
}

// name reads a name. Python commands may report values whose names hold almost
// anything, so only what ends a name is left out.
func (p *parser) name() string {
	rest := p.line[p.at:]
	if end := bytes.IndexAny(rest, `,={}[]"`); end >= 0 {
		rest = rest[:end]
	}
	p.at += len(rest)
	return string(rest)
}

// pairs reads what stands between commas, up to the end of the line or a
// closing bracket.
func (p *parser) pairs(depth int) (all []Pair, err error) {
	for {
		var one Pair
		if b := p.peek(); b != '"' && b != '{' && b != '[' { // a value without a name is allowed everywhere: gdb sends some
			one.Name = p.name()
			if err := p.expect('='); err != nil {
				return nil, err
			}
		}
		if one.Value, err = p.value(depth); err != nil {
			return nil, err
		}
		all = append(all, one)
		if p.peek() != ',' {
			return all, nil
		}
		p.at++
	}
}

func (p *parser) value(depth int) (Value, error) {
	if depth >= maxDepth {
		return nil, p.wrong("values nest too deep")
	}
	switch p.peek() {
	case '"':
		s, err := p.text()
		return Const(s), err
	case '{':
		all, err := p.inside('}', depth)
		return Tuple(all), err
	case '[':
		all, err := p.inside(']', depth)
		return List(all), err
	}
	return nil, p.wrong("a value is missing")
}

func (p *parser) inside(end byte, depth int) (all []Pair, err error) {
	p.at++
	if p.peek() != end {
		if all, err = p.pairs(depth + 1); err != nil {
			return nil, err
		}
	}
	return all, p.expect(end)
}

var errOpen = errors.New("mi: a string does not end")

// text reads a string in quotes, with C's escapes; gdb writes bytes that it
// does not take for printable in octal.
func (p *parser) text() (string, error) {
	if err := p.expect('"'); err != nil {
		return "", err
	}
	var b []byte
	for p.at < len(p.line) {
		c := p.line[p.at]
		p.at++
		switch c {
		case '"':
			return string(b), nil
		case '\\':
			if p.at == len(p.line) {
				return "", errOpen
			}
			b = append(b, p.escape())
		default:
			b = append(b, c)
		}
	}
	return "", errOpen
}

// escape reads what follows a backslash.
func (p *parser) escape() byte {
	c := p.line[p.at]
	if '0' <= c && c <= '7' {
		n := 0
		for i := 0; i < 3 && '0' <= p.peek() && p.peek() <= '7'; i++ {
			n = n<<3 | int(p.peek()-'0')
			p.at++
		}
		return byte(n)
	}
	p.at++
	if i := strings.IndexByte("ntrabfve", c); i >= 0 {
		return "\n\t\r\a\b\f\v\x1b"[i]
	}
	return c
}
