//go:build !unix

package secret

import (
	"context"
	"errors"
	"os"
)

// readFile returns what a file holds, without the line end.
func readFile(_ context.Context, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readLimited(f)
}

// readDescriptor fails: descriptors are not inherited by number here.
func readDescriptor(context.Context, int) ([]byte, error) {
	return nil, errors.ErrUnsupported
}
