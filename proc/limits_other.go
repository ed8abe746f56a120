//go:build !linux

package proc

import (
	"errors"
	"fmt"

	"github.com/spawnx/spawnx/internal/shim"
)

// canExec: helpers of this system cannot become another program with other limits.
const canExec = false

func limitsOf(l Limits) ([]shim.Limit, error) {
	if l != (Limits{}) {
		return nil, fmt.Errorf("limits: %w", errors.ErrUnsupported)
	}
	return nil, nil
}
