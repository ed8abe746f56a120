//go:build unix

package ptyio

import "golang.org/x/sys/unix"

func modeOf(t *unix.Termios) Mode {
	return Mode{
		Echo:        t.Lflag&unix.ECHO != 0,
		Canonical:   t.Lflag&unix.ICANON != 0,
		Signals:     t.Lflag&unix.ISIG != 0,
		Flow:        t.Iflag&unix.IXON != 0,
		CRToNL:      t.Iflag&unix.ICRNL != 0,
		Extended:    t.Lflag&unix.IEXTEN != 0,
		EchoControl: t.Lflag&unix.ECHOCTL != 0,
		NLToCRNL:    t.Oflag&unix.OPOST != 0 && t.Oflag&unix.ONLCR != 0,
		Timed:       t.Lflag&unix.ICANON == 0 && (t.Cc[unix.VMIN] == 0 || t.Cc[unix.VTIME] != 0),

		Intr: key(t.Cc[unix.VINTR]), Quit: key(t.Cc[unix.VQUIT]), Suspend: key(t.Cc[unix.VSUSP]),
		EOF: key(t.Cc[unix.VEOF]), EOL: key(t.Cc[unix.VEOL]), EOL2: key(t.Cc[unix.VEOL2]),
		Erase: key(t.Cc[unix.VERASE]), Kill: key(t.Cc[unix.VKILL]), WordErase: key(t.Cc[unix.VWERASE]),
		Start: key(t.Cc[unix.VSTART]), Stop: key(t.Cc[unix.VSTOP]),
		Reprint: key(t.Cc[unix.VREPRINT]), LiteralNext: key(t.Cc[unix.VLNEXT]), Discard: key(t.Cc[unix.VDISCARD]),
	}
}

// key reads a control character; none is 0 for us and noKey for the system.
func key(c uint8) byte {
	if c == noKey {
		return 0
	}
	return c
}

func (m Mode) apply(t *unix.Termios) {
	flag(&t.Lflag, unix.ECHO, m.Echo)
	flag(&t.Lflag, unix.ICANON, m.Canonical)
	flag(&t.Lflag, unix.ISIG, m.Signals)
	flag(&t.Iflag, unix.IXON, m.Flow)
	flag(&t.Iflag, unix.ICRNL, m.CRToNL)
	flag(&t.Lflag, unix.IEXTEN, m.Extended)
	flag(&t.Lflag, unix.ECHOCTL, m.EchoControl)
	if m.NLToCRNL != modeOf(t).NLToCRNL { // one wish, two flags: touched only to fulfil it
		flag(&t.Oflag, unix.ONLCR, m.NLToCRNL)
		if m.NLToCRNL {
			t.Oflag |= unix.OPOST
		}
	}
	for i, key := range map[int]byte{
		unix.VINTR: m.Intr, unix.VQUIT: m.Quit, unix.VSUSP: m.Suspend,
		unix.VEOF: m.EOF, unix.VEOL: m.EOL, unix.VEOL2: m.EOL2,
		unix.VERASE: m.Erase, unix.VKILL: m.Kill, unix.VWERASE: m.WordErase,
		unix.VSTART: m.Start, unix.VSTOP: m.Stop,
		unix.VREPRINT: m.Reprint, unix.VLNEXT: m.LiteralNext, unix.VDISCARD: m.Discard,
	} {
		t.Cc[i] = noKey
		if key != 0 {
			t.Cc[i] = key
		}
	}
}

func flag[T uint32 | uint64](field *T, bit T, on bool) {
	*field &^= bit
	if on {
		*field |= bit
	}
}
