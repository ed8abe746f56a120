package escape

import (
	"bytes"
	"strconv"
	"strings"
)

// Kind is a kind of question that a program puts to its terminal.
type Kind uint8

const (
	DeviceAttributes  Kind = iota + 1 // DA1: CSI c, CSI 0 c, ESC Z
	SecondAttributes                  // DA2: CSI > c
	ThirdAttributes                   // DA3: CSI = c
	Status                            // DSR: CSI 5 n
	Cursor                            // CPR: CSI 6 n
	ExtendedCursor                    // DECXCPR: CSI ? 6 n
	PrivateStatus                     // other DSR: CSI ? Ps n
	Mode                              // DECRQM: CSI Ps $ p, CSI ? Ps $ p
	Version                           // XTVERSION: CSI > q
	KeyboardFlags                     // kitty: CSI ? u
	WindowReport                      // XTWINOPS: CSI 11 t, 13 t to 21 t
	Colour                            // OSC 4, 10, 11 and so on with ? for a value
	Clipboard                         // OSC 52 with ? for a value
	Setting                           // DECRQSS: DCS $ q … ST
	TermcapCapability                 // XTGETTCAP: DCS + q … ST
)

// Answer returns what a terminal that nobody looks at says: device attributes,
// status and a cursor at home, which is what programs wait for before they go
// on. It is empty for all other kinds: programs do without.
func (k Kind) Answer() string {
	switch k {
	case DeviceAttributes:
		return "\x1b[?62;22c"
	case Status:
		return "\x1b[0n"
	case Cursor:
		return "\x1b[1;1R"
	case ExtendedCursor:
		return "\x1b[?1;1R"
	}
	return ""
}

// Query is a question found in an output.
type Query struct {
	Kind       Kind
	Answer     string // what expect answers, empty for nothing; as Kind.Answer
	Start, End int64  // where it stands, in bytes since the first Feed
}

// Queries finds what an output means for what is typed: questions, and what the
// cursor keys are. The zero value stands at its start. It is plain data: a copy
// is a snapshot. It is not safe for concurrent use.
type Queries struct {
	scan scanner
	pos  int64    // bytes fed
	seq  [64]byte // the open sequence; longer ones are no questions

	// AppCursor: the program has asked for application cursor keys (DECCKM), and
	// not reset the terminal since.
	AppCursor bool
}

// Feed takes the next piece of the output and calls emit for each question that
// ends in it, in order.
func (q *Queries) Feed(raw []byte, emit func(Query)) {
	for len(raw) > 0 {
		n := q.next(raw, emit)
		q.pos += int64(n)
		raw = raw[n:]
	}
}

// next takes some bytes at the start of raw and returns how many.
func (q *Queries) next(raw []byte, emit func(Query)) int {
	if !q.scan.open() {
		switch n := bytes.IndexByte(raw, esc); {
		case n < 0:
			return len(raw)
		case n > 0:
			return n
		}
		if n := usualCSI(raw); n > 0 {
			q.report(raw[:n], q.pos+int64(n), emit)
			return n
		}
	}
	q.step(raw[0], emit)
	return 1
}

// step takes a byte of a sequence.
func (q *Queries) step(b byte, emit func(Query)) {
	v := q.scan.step(b)
	n := q.scan.size
	if v == outside || n > len(q.seq) {
		return
	}
	q.seq[n-1] = b
	if v == last {
		q.report(q.seq[:n], q.pos+1, emit)
	}
}

// report calls emit if a whole sequence, which ends at end, is a question.
func (q *Queries) report(seq []byte, end int64, emit func(Query)) {
	q.setKeys(seq)
	if k := classify(seq); k != 0 {
		emit(Query{k, k.Answer(), end - int64(len(seq)), end})
	}
}

// setKeys enters what a whole sequence says about the cursor keys.
func (q *Queries) setKeys(seq []byte) {
	final := seq[len(seq)-1]
	switch {
	case seq[1] == 'c', string(seq[1:]) == "[!p": // RIS, DECSTR
		q.AppCursor = false
	case seq[1] == '[' && seq[2] == '?' && (final == 'h' || final == 'l'):
		for mode := range bytes.SplitSeq(seq[3:len(seq)-1], []byte(";")) {
			if string(mode) == "1" {
				q.AppCursor = final == 'h'
			}
		}
	}
}

// classify returns the kind of question that a whole sequence is, or 0.
func classify(seq []byte) Kind {
	end := seq[len(seq)-1]
	switch seq[1] {
	case 'Z':
		return DeviceAttributes
	case '[':
		return classifyCSI(string(seq[2:len(seq)-1]), end)
	case ']':
		body, ok := stringBody(seq)
		if ok && bytes.HasSuffix(body, []byte(";?")) {
			return classifyOSC(body)
		}
	case 'P':
		body, ok := stringBody(seq)
		switch {
		case ok && bytes.HasPrefix(body, []byte("$q")):
			return Setting
		case ok && bytes.HasPrefix(body, []byte("+q")):
			return TermcapCapability
		}
	}
	return 0
}

// stringBody returns what stands between the introducer of an OSC or DCS and
// its end, and whether that was ST or BEL: others break it off.
func stringBody(seq []byte) ([]byte, bool) {
	body := seq[2:]
	if b, ok := bytes.CutSuffix(body, []byte{esc, '\\'}); ok {
		return b, true
	}
	return bytes.CutSuffix(body, []byte{bel})
}

// classifyCSI returns the kind of a control sequence with these parameters and
// intermediates and this final byte.
func classifyCSI(params string, final byte) Kind {
	switch final {
	case 'c':
		return attributes()[params]
	case 'n':
		if k := status()[params]; k != 0 {
			return k
		}
		if number, ok := strings.CutPrefix(params, "?"); ok && isNumber(number) {
			return PrivateStatus
		}
	case 'p':
		if number, ok := strings.CutSuffix(params, "$"); ok && isNumber(strings.TrimPrefix(number, "?")) {
			return Mode
		}
	case 'q':
		if params == ">" || params == ">0" {
			return Version
		}
	case 'u':
		if params == "?" {
			return KeyboardFlags
		}
	case 't':
		what, _, _ := strings.Cut(params, ";")
		if n, err := strconv.Atoi(what); err == nil && n >= 11 && n <= 21 && n != 12 && n != 17 {
			return WindowReport
		}
	}
	return 0
}

func attributes() map[string]Kind {
	return map[string]Kind{
		"": DeviceAttributes, "0": DeviceAttributes,
		">": SecondAttributes, ">0": SecondAttributes,
		"=": ThirdAttributes, "=0": ThirdAttributes,
	}
}

func status() map[string]Kind {
	return map[string]Kind{"5": Status, "6": Cursor, "?6": ExtendedCursor}
}

// classifyOSC returns the kind of an OSC whose last value is a question mark.
func classifyOSC(body []byte) Kind {
	number, _, _ := strings.Cut(string(body), ";")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil:
		return 0
	case n == 4 || n == 5 || n >= 10 && n <= 19:
		return Colour
	case n == 52:
		return Clipboard
	}
	return 0
}

// isNumber reports whether s is digits and at least one.
func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
