package diag

import "fmt"

// A Grade says what a statement rests on. Grades are ordered: a higher one is
// better evidence.
type Grade int

const (
	Unknown Grade = iota // nothing is known
	Quiet                // nothing comes, or it accepts input among other things
	Pattern              // what such programs usually do
	Termios              // the terminal's mode says so
	Kernel               // the kernel says so
)

var grades = [...]string{"unknown", "quiet", "pattern", "termios", "kernel"}

// String is the word that findings show: "kernel".
func (g Grade) String() string {
	if g < 0 || int(g) >= len(grades) {
		return fmt.Sprintf("Grade(%d)", int(g))
	}
	return grades[g]
}

// MarshalText writes the word.
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads the word.
func (g *Grade) UnmarshalText(b []byte) error {
	for i, s := range grades {
		if s == string(b) {
			*g = Grade(i)
			return nil
		}
	}
	return fmt.Errorf("no such grade: %q", b)
}
