package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Value is a secret. It prints as [secret] by every verb, in JSON and in
// log/slog, also as a field of something else. Copies share the bytes, so that
// wiping one wipes all. The zero Value is an empty secret.
//
// It may be printed, not revealed or wiped, by several goroutines at once.
type Value struct {
	// A function, since whatever looks at fields by reflection (%p, debug
	// printers, comparers of test libraries) finds nothing behind it.
	bytes func() *[]byte
}

// New makes a Value of b, which it keeps: the caller must not use b afterwards.
func New(b []byte) Value {
	return Value{bytes: func() *[]byte { return &b }}
}

// Bytes reveals the secret. It is the only way to. The bytes stay the Value's:
// they are zeroes after [Value.Wipe] and should not be copied.
func (v Value) Bytes() []byte {
	if v.bytes == nil {
		return nil
	}
	return *v.bytes()
}

// Wipe writes zeroes over the secret, in all copies of the Value, and leaves it empty.
func (v Value) Wipe() {
	if v.bytes == nil {
		return
	}
	clear(*v.bytes())
	*v.bytes() = nil
}

// Format prints [secret], whatever the verb. It implements [fmt.Formatter].
func (v Value) Format(f fmt.State, verb rune) { _, _ = io.WriteString(f, Shown) }

// String returns [secret].
func (v Value) String() string { return Shown }

// GoString returns [secret].
func (v Value) GoString() string { return Shown }

// MarshalText gives [secret], to encoding/json too.
func (v Value) MarshalText() ([]byte, error) { return []byte(Shown), nil }

// LogValue gives [secret] to log/slog.
func (v Value) LogValue() slog.Value { return slog.StringValue(Shown) }
