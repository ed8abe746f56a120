// Package ptyio opens the terminals and pipes that join a program to us, and
// reads and sets what its terminal does.
//
// A pseudo-terminal has two ends: ours, the master, and the slave, which is
// the program's terminal. A few of its oddities shape this package:
//
//   - Our end never blocks, so that deadlines and Close end a pending Read.
//     (*os.File).Fd would make it block for good and is never called on it.
//   - A read of the master fails with EIO once the last slave has been closed;
//     that is the end of the output, and Read says io.EOF. While we hold a
//     slave of our own it does not come. We hold one until the program's exit
//     was seen: a program may close its terminal and open it again, and some
//     kernels throw unread output away with the last slave.
//   - A terminal that reads by lines (Mode.Canonical) keeps at most
//     MaxCanonical bytes of a line and drops the rest silently.
//   - FIONREAD of 0 does not mean that a terminal is empty: bytes may be on
//     their way. A read that finds nothing (ReadNow) is proof.
package ptyio
