package record

import "time"

// A Kind is what an Event is, as the letter that stands for it in the file.
// There are other kinds in other people's files: a Reader returns them as they
// are, with their Data.
type Kind string

const (
	Output Kind = "o" // the program wrote Data
	Input  Kind = "i" // the person typed Data
	Marker Kind = "m" // Data is its label, which may be empty
	Resize Kind = "r" // the terminal now has Rows and Cols
	Exit   Kind = "x" // the program ended with Status

	exact Kind = "b" // the bytes of the event behind it, which are no text
)

// An Event is something that happened.
type Event struct {
	Time       time.Duration // since the recording began
	Kind       Kind
	Data       []byte // of Output, Input and Marker, and of kinds not listed here
	Rows, Cols int    // of Resize
	Status     int    // of Exit, as a shell counts: 128+n for signal n
}

// A Header is what a recording says of itself. A zero field is not known.
type Header struct {
	Version    int // of the file that was read; a Writer writes 3
	Rows, Cols int
	Term       string    // TERM of the terminal
	Time       time.Time // when it began, in whole seconds
	Title      string
	Command    string
	Env        map[string]string
	IdleLimit  time.Duration // pauses are to be played no longer than this
	Theme      Theme
}

// A Theme is the colours of the terminal, "#rrggbb" each.
type Theme struct {
	Fg, Bg  string
	Palette string // 8 or 16 of them, with colons between
}

// The headers as they stand in files. Versions 1 and 2 are alike.
type header3 struct {
	Version int `json:"version"`
	Term    struct {
		Cols  int     `json:"cols"`
		Rows  int     `json:"rows"`
		Type  string  `json:"type,omitempty"`
		Theme *theme3 `json:"theme,omitempty"`
	} `json:"term"`
	Timestamp int64              `json:"timestamp,omitempty"`
	IdleLimit float64            `json:"idle_time_limit,omitempty"`
	Command   string             `json:"command,omitempty"`
	Title     string             `json:"title,omitempty"`
	Env       map[string]*string `json:"env,omitempty"`
}

type header2 struct {
	Version   int                `json:"version"`
	Width     int                `json:"width"`
	Height    int                `json:"height"`
	Timestamp float64            `json:"timestamp"`
	IdleLimit float64            `json:"idle_time_limit"`
	Command   string             `json:"command"`
	Title     string             `json:"title"`
	Env       map[string]*string `json:"env"`
	Theme     *theme3            `json:"theme"`
}

type theme3 struct {
	Fg      string `json:"fg"`
	Bg      string `json:"bg"`
	Palette string `json:"palette"`
}

func (h Header) file() header3 {
	f := header3{Version: 3, Command: h.Command, Title: h.Title, IdleLimit: h.IdleLimit.Seconds()}
	f.Term.Cols, f.Term.Rows, f.Term.Type = h.Cols, h.Rows, h.Term
	if h.Theme != (Theme{}) {
		f.Term.Theme = (*theme3)(&h.Theme)
	}
	if !h.Time.IsZero() {
		f.Timestamp = h.Time.Unix()
	}
	if h.Env != nil {
		f.Env = map[string]*string{}
		for k, v := range h.Env {
			f.Env[k] = &v
		}
	}
	return f
}

func (f header3) header() Header {
	h := Header{
		Version: f.Version, Rows: f.Term.Rows, Cols: f.Term.Cols, Term: f.Term.Type, Title: f.Title, Command: f.Command,
		Env: known(f.Env), IdleLimit: seconds(f.IdleLimit),
	}
	if f.Timestamp != 0 {
		h.Time = time.Unix(f.Timestamp, 0)
	}
	if f.Term.Theme != nil {
		h.Theme = Theme(*f.Term.Theme)
	}
	return h
}

func (f header2) header() Header {
	h := Header{
		Version: f.Version, Rows: f.Height, Cols: f.Width, Title: f.Title, Command: f.Command,
		Env: known(f.Env), IdleLimit: seconds(f.IdleLimit),
	}
	h.Term = h.Env["TERM"]
	if f.Timestamp >= 1 && f.Timestamp < 1<<53 {
		h.Time = time.Unix(int64(f.Timestamp), 0)
	}
	if f.Theme != nil {
		h.Theme = Theme(*f.Theme)
	}
	return h
}

// known leaves out variables without a value.
func known(env map[string]*string) map[string]string {
	var out map[string]string
	for k, v := range env {
		if v != nil {
			if out == nil {
				out = map[string]string{}
			}
			out[k] = *v
		}
	}
	return out
}

// longest is the longest time of an event: beyond it lie mistakes.
const longest = 100 * 365 * 24 * time.Hour

// seconds is the duration of so many seconds, to the microsecond; not below
// zero and not above longest.
func seconds(s float64) time.Duration {
	if s >= longest.Seconds() {
		return longest
	}
	return time.Duration(max(s, 0)*1e6+0.5) * time.Microsecond
}
