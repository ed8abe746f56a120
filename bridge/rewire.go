package bridge

import (
	"context"
	"io"
	"sync"
)

// Rewire makes the calling process's own descriptors 0 and 1 the program's
// output and input: whatever in this process reads its standard input, reads
// what the program writes, from the oldest byte kept, and what it prints, the
// program reads. Standard error stays what it is.
//
// Restore gives the process back what it had; it may be called more than once.
// It returns when the program has taken what was printed, or has ended; what
// the program wrote and nobody read is not lost: a new Reader finds it. The end
// of the program's output is the end of our standard input; the program's input
// is not ended by restore. To print for a program that has ended is to write to
// a pipe that nobody reads: SIGPIPE.
//
// The descriptors are the whole process's, so that only one Rewire at a time
// makes sense: several are restored in the reverse order. What stands in a
// buffer of this process, as in a bufio.Writer, is the caller's to flush. It
// needs a Unix system; elsewhere the error is errors.ErrUnsupported.
func Rewire(b *Bridge) (restore func() error, err error) {
	prints, reads, back, err := takeStdio()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	reader := b.Output().Reader("rewired", Block)
	var all sync.WaitGroup
	all.Add(2)
	go func() { // the program's output becomes our input
		defer all.Done()
		_ = copyTo(ctx, reads, reader) // to who reads, an error is an end
		_ = reads.Close()
	}()
	go func() { // what we print becomes its input
		defer all.Done()
		_, _ = io.Copy(b.Input(), prints) // who prints meets the error
		_ = prints.Close()
	}()
	return sync.OnceValue(func() error {
		err := back()
		cancel()
		_ = reads.SetWriteDeadline(past) // what is in the pipe nobody will read
		all.Wait()
		_ = reader.Close()
		return err
	}), nil
}
