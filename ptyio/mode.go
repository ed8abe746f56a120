package ptyio

// A Mode is what of a terminal's settings matters to who types: what is shown,
// what is kept until Enter, and which bytes are keys instead of input. The
// zero Mode passes everything as it is and shows nothing.
type Mode struct {
	Echo        bool // ECHO: input is shown
	Canonical   bool // ICANON: the program reads whole lines
	Signals     bool // ISIG: Intr, Quit and Suspend are keys
	Flow        bool // IXON: Start and Stop are keys
	CRToNL      bool // ICRNL: Enter's carriage return becomes a newline
	Extended    bool // IEXTEN: LiteralNext, WordErase, Reprint and Discard are keys
	EchoControl bool // ECHOCTL: control characters are shown as ^X
	NLToCRNL    bool // OPOST and ONLCR: a newline is shown as carriage return and newline
	Timed       bool // not canonical, and reads return by themselves (VMIN 0 or a VTIME); SetMode ignores it

	// The keys; 0 is none.
	Intr, Quit, Suspend, EOF, Erase, Kill, Start, Stop, EOL, EOL2,
	WordErase, Reprint, LiteralNext, Discard byte
}

// Interprets returns the name of the key that the terminal would take b for
// now, instead of passing it to the program, or "". Carriage return, newline
// and tab are always "": they are what ends and fills lines. So are EOL and
// EOL2, which end a line and are passed.
func (m Mode) Interprets(b byte) string {
	if b == '\r' || b == '\n' || b == '\t' || b == 0 {
		return ""
	}
	for _, k := range []struct { // in the kernel's order
		on   bool
		key  byte
		name string
	}{
		{m.Flow, m.Start, "START"},
		{m.Flow, m.Stop, "STOP"},
		{m.Signals, m.Intr, "INTR"},
		{m.Signals, m.Quit, "QUIT"},
		{m.Signals, m.Suspend, "SUSP"},
		{m.Canonical, m.Erase, "ERASE"},
		{m.Canonical, m.Kill, "KILL"},
		{m.Canonical && m.Extended, m.WordErase, "WERASE"},
		{(m.Canonical || bsd) && m.Extended, m.LiteralNext, "LNEXT"},
		{m.Canonical && m.Extended && (m.Echo || bsd), m.Reprint, "REPRINT"},
		{bsd && m.Extended, m.Discard, "DISCARD"}, // Linux knows the key and does nothing
		{m.Canonical, m.EOF, "EOF"},
	} {
		if k.on && k.key == b {
			return k.name
		}
	}
	return ""
}
