package session

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/spawnx/spawnx/internal/secret"
)

// A Token lets whoever has it do everything with a program. It prints as
// [secret].
type Token string

// NewToken makes a token of 256 random bits.
func NewToken() Token {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	return Token(base64.RawURLEncoding.EncodeToString(b))
}

// String returns [secret].
func (Token) String() string { return secret.Shown }

// GoString returns [secret].
func (Token) GoString() string { return secret.Shown }

// Format prints [secret], whatever the verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret.Shown)) }

// MarshalText gives [secret].
func (Token) MarshalText() ([]byte, error) { return []byte(secret.Shown), nil }

// minToken is the shortest token that a server on the network accepts to be
// given: 128 bits in base64.
const minToken = 22

func (t Token) check() error {
	switch {
	case t == "":
		return errors.New("a door on the network needs a token\nhint: give one, SPAWNX_TOKEN or --token REF")
	case len(t) < minToken:
		return fmt.Errorf("the token has %d characters; %d is the least for a door on the network", len(t), minToken)
	}
	return nil
}

// equal compares in a time that tells nothing, not even the length. An empty
// token equals none.
func (t Token) equal(other string) bool {
	a, b := sha256.Sum256([]byte(t)), sha256.Sum256([]byte(other))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && t != ""
}
