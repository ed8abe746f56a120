//go:build unix && !linux

package fifo

// MaxLine is how many bytes go out in one piece, whoever else writes (PIPE_BUF).
const MaxLine = 512

const fionread = 0x4004667f // FIONREAD, which package unix does not name everywhere

// capacity is how much the pipe can hold at most.
func (f *File) capacity() int { return 64 << 10 }
