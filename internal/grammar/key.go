package grammar

import (
	"fmt"

	"github.com/spawnx/spawnx/internal/keys"
	"github.com/spawnx/spawnx/internal/secret"
)

// Key checks the name of a KEY: enter, down, f1, y, ctrl-c.
func Key(name string) error {
	_, err := keys.Encode(name, keys.Modes{})
	return err
}

// SecretRef checks a reference to a secret. Its error does not repeat what was given unless that is a
// reference: it could be the secret itself.
func SecretRef(ref string) error {
	if _, err := secret.Parse(ref); err != nil {
		return fmt.Errorf("<secret>: %w", err)
	}
	return nil
}
