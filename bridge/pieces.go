package bridge

import "context"

type piecesKey struct{}

// WithPieces returns a context under which Start gives programs whose output
// is read in pieces of at most size() bytes, asked for anew before each read.
// It is for tests that nothing depends on how the kernel cuts the output. size
// may be called from any goroutine; less than 1 counts as 1.
func WithPieces(ctx context.Context, size func() int) context.Context {
	return context.WithValue(ctx, piecesKey{}, size)
}

// piece returns as much of p as the next read may fill.
func (o *outlet) piece(p []byte) []byte {
	if o.size == nil {
		return p
	}
	return p[:min(len(p), max(o.size(), 1))]
}
