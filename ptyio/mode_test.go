//go:build unix

package ptyio_test

import (
	"testing"

	"github.com/spawnx/spawnx/ptyio"
)

func TestModeRoundTrip(t *testing.T) {
	s := open(t, ptyio.PTY)
	first := modeOf(t, s)
	if !first.Echo || !first.Canonical || !first.Signals || first.Intr != 3 || first.EOF != 4 {
		t.Errorf("a new terminal is %+v", first)
	}
	all := ptyio.Mode{
		Echo: true, Canonical: true, Signals: true, Flow: true, CRToNL: true, Extended: true, EchoControl: true, NLToCRNL: true,
		Intr: 'a', Quit: 'b', Suspend: 'c', EOF: 'd', Erase: 'e', Kill: 'f', Start: 'g', Stop: 'h', EOL: 'i', EOL2: 'j',
		WordErase: 'k', Reprint: 'l', LiteralNext: 'm', Discard: 'n',
	}
	for _, mode := range []ptyio.Mode{
		first, {}, all, {}, first,
		{Echo: true}, {Canonical: true}, {Signals: true}, {Flow: true}, {CRToNL: true}, {Extended: true}, {EchoControl: true}, {NLToCRNL: true},
	} {
		setMode(t, s, mode)
		if got := modeOf(t, s); got != mode {
			t.Errorf("set %+v\ngot %+v", mode, got)
		}
	}
}

func TestKeysThatAreNot(t *testing.T) {
	all := ptyio.Mode{Echo: true, Canonical: true, Signals: true, Flow: true, CRToNL: true, Extended: true,
		Intr: '\r', Quit: '\n', Suspend: '\t', EOL: 'e', EOL2: 'f'}
	for _, b := range []byte("\r\n\tefx\x00") {
		if name := all.Interprets(b); name != "" {
			t.Errorf("%q is %s", b, name)
		}
	}
	for b := range 256 {
		if name := (ptyio.Mode{Intr: 3, Stop: 19, EOF: 4}).Interprets(byte(b)); name != "" {
			t.Errorf("a raw terminal takes %q for %s", byte(b), name)
		}
	}
}
