// Package mi reads and writes gdb's machine interface, the line-based language
// in which gdb talks to front ends: see "GDB/MI" in gdb's manual. It knows the
// text only; who sends which command is package debugger's.
//
//	r, err := mi.Parse([]byte(`12^done,value="42"`))
//	r.Kind, r.Token, r.Class       // mi.Result, "12", "done"
//	r.Results.String("value")      // "42"
//
// Nothing here waits, holds a descriptor or starts anything.
package mi

import (
	"bytes"
	"encoding/json"
)

// A Kind says what a line is.
type Kind int

// The kinds of lines. Other is a line that is not in the language: what the
// debugged program, or a program that gdb has run, wrote in between.
const (
	Other   Kind = iota
	Result       // 12^done: the answer to the command with this token
	Exec         // *stopped: the program began or ceased to run
	Status       // +download: how far a slow operation is
	Notify       // =breakpoint-created: something changed
	Console      // ~"text": for the person, as gdb would have printed it
	Target       // @"text": of the debugged program, on some targets
	Log          // &"text": of gdb about itself; also the echo of commands
	Prompt       // (gdb): it takes the next command
)

var kindNames = [...]string{"other", "result", "exec", "status", "notify", "console", "target", "log", "prompt"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// A Record is one line.
type Record struct {
	Kind    Kind
	Token   string // the digits in front; "" where there are none
	Class   string // of Result, Exec, Status and Notify: "done", "stopped"
	Results Tuple  // what follows the class
	Text    string // of the streams, unquoted; of Other, the line. Any bytes: gdb does not care for UTF-8
}

// A Tuple is a list of names and values, in the order of the line. A name may
// occur more than once, and may be "".
type Tuple []Pair

// A Pair is one name with its value.
type Pair struct {
	Name  string
	Value Value
}

// A Value is a Const, a Tuple or a List.
type Value interface{ value() }

// A Const is a string, unquoted. It may hold any bytes.
type Const string

// A List is values one after another; where the line gives them names, which
// are all alike as a rule, they are kept beside them.
type List []Pair

func (Const) value() {}
func (Tuple) value() {}
func (List) value()  {}

// Get returns the value at the end of a path of names, the first where a name
// occurs again, or nil. Values of a List have no path: range over it.
func (t Tuple) Get(path ...string) Value {
	var v Value = t
	for _, name := range path {
		inner, ok := v.(Tuple)
		if !ok {
			return nil
		}
		v = nil
		for _, p := range inner {
			if p.Name == name {
				v = p.Value
				break
			}
		}
	}
	return v
}

// String returns the Const at the end of a path, "" where there is none.
func (t Tuple) String(path ...string) string {
	c, _ := t.Get(path...).(Const)
	return string(c)
}

// Tuple returns the Tuple at the end of a path, nil where there is none.
func (t Tuple) Tuple(path ...string) Tuple {
	inner, _ := t.Get(path...).(Tuple)
	return inner
}

// List returns the List at the end of a path, nil where there is none.
func (t Tuple) List(path ...string) List {
	inner, _ := t.Get(path...).(List)
	return inner
}

// MarshalJSON writes an object, with its names in the order of the line. What
// comes more than once, or without a name, is an array of its values, under the
// name "" in the latter case. Bytes that are no UTF-8 become U+FFFD.
func (t Tuple) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	written := map[string]bool{}
	for i, p := range t {
		if written[p.Name] {
			continue
		}
		written[p.Name] = true
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		var all []Value
		for _, q := range t[i:] {
			if q.Name == p.Name {
				all = append(all, q.Value)
			}
		}
		name, err := json.Marshal(p.Name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		var value []byte
		if len(all) == 1 && p.Name != "" {
			value, err = json.Marshal(all[0])
		} else {
			value, err = json.Marshal(all)
		}
		if err != nil {
			return nil, err
		}
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// MarshalJSON writes an array of the values. Their names are left out: where
// gdb gives any, they repeat the name of the list.
func (l List) MarshalJSON() ([]byte, error) {
	all := make([]Value, 0, len(l))
	for _, p := range l {
		all = append(all, p.Value)
	}
	return json.Marshal(all)
}
