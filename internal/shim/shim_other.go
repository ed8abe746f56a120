//go:build !linux

package shim

import (
	"errors"
	"os"
)

// closeOnExec: only Linux helpers turn into another program.
func closeOnExec(int) {}

func become(Plan) *Failure { return fail("exec", errors.ErrUnsupported) }

func keep(*os.File, Plan) error { return errors.ErrUnsupported }
