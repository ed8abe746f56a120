// Package fifo joins programs that did not start one another through named
// pipes: either side may come first, leave, and come again.
//
// A fifo is a file that carries bytes from whoever writes it to whoever reads
// it. The kernel's rules make that harder than it looks: open(2) blocks until
// the other side comes; the end of one writer is the end of file for all
// readers; what nobody read vanishes when the last one closes; and anybody who
// may write in the folder can put something else there. A File of this package
// can be cancelled and has deadlines, says with an EOF what the leaving of the
// other side means, loses nothing silently, and is only opened where nobody
// else can meddle.
//
//	in, err := fifo.Open(ctx, "/run/user/1000/app/in", os.O_RDONLY|os.O_CREATE, fifo.Options{})
//	lines := bufio.NewScanner(in)          // writers come and go, the lines go on
//
// A File is a bridge.Source and a bridge.Sink. Where the other side can speak a
// unix socket, that is the better choice: it says who is there, and ends one
// direction without the other. Fifos are for shells and for tools that only
// know files.
//
// Only the user's own fifos are used, with mode 0600, in folders that nobody
// else may write in. On Windows there are none (errors.ErrUnsupported).
package fifo
