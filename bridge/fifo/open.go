package fifo

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// An EOF says what it means that the other side has left.
type EOF int

const (
	// Keep: nothing. Others may come, and the fifo goes on: a Read waits for the
	// next writer, and a Write fills the pipe and then waits for the next reader,
	// which gets all that the last one has not taken.
	Keep EOF = iota
	// Once: it is over. Read returns io.EOF from then on, Write ErrLeft.
	Once
	// Report: Read returns io.EOF, Write ErrLeft, once each time. The next call
	// goes on with the next peer. So io.ReadAll reads what one writer wrote.
	Report
)

func (e EOF) String() string {
	switch e {
	case Keep:
		return "keep"
	case Once:
		return "once"
	}
	return "report"
}

// Options say how a File behaves. The zero value is right for most.
type Options struct {
	EOF EOF
	// Lines: what is written goes out in whole lines, so that those of several
	// writers do not mix, and no reader gets a part of one. A line has at most
	// MaxLine bytes with its newline; a longer one is refused (ErrLong). What has
	// no newline yet waits for it, or for Close.
	Lines bool
	// Linger is how long Close waits until what was written has been read.
	// Zero means 1 s, negative not at all.
	Linger time.Duration
}

const defaultLinger = time.Second

// How long a wait for something that the kernel does not announce sleeps
// between two looks: a reader's coming, and the moment when all was read.
const firstNap, longestNap = time.Millisecond, 20 * time.Millisecond

// A File is one end of a fifo. Its methods may be called concurrently; calls
// that read take turns, and so do those that write. Whoever opened it closes it.
//
// Read takes all that is in the pipe at once and hands it out piece by piece, so
// that a reader which is killed never leaves half a line of MaxLine bytes or
// less to the next. After the read deadline it still returns what was taken,
// then os.ErrDeadlineExceeded: a reader that sets the deadline to the past, and
// reads until the error, has every whole line that it took.
type File struct {
	path  string
	opts  Options
	write bool // it is the writing end

	unlink bool // Close removes it

	// Guards the ends and the deadlines; held for moments only. Lock order: turn, mu.
	mu     sync.Mutex
	r, w   *os.File // the own end, and with Keep the other one, too: so the pipe always has both
	until  time.Time
	closed bool

	// What only the caller whose turn it is touches.
	turn     sync.Mutex
	taken    []byte // read and not yet handed out; a part of space
	space    []byte
	part     []byte // the beginning of a line
	seen     bool   // bytes came since the other side's leaving was reported last
	reported bool   // its leaving was reported, and nothing is known of the next
	over     bool   // Once has ended
}

// Open opens an end of the fifo at path, as flag says: os.O_RDONLY or
// os.O_WRONLY, and with os.O_CREATE it is made first, see Make.
//
// It does not wait for the other side, except that a writer whose EOF is not
// Keep waits, as with open(2), until somebody reads, or ctx ends. The error is
// an *Error, or the cause of ctx.
func Open(ctx context.Context, path string, flag int, o Options) (*File, error) {
	f := &File{path: path, opts: o, write: flag&os.O_WRONLY != 0}
	if flag&os.O_RDWR != 0 {
		return nil, &Error{path, errors.New("one end at a time"), "open it twice, os.O_RDONLY and os.O_WRONLY"}
	}
	if flag&os.O_CREATE != 0 {
		if err := Make(path); err != nil {
			return nil, err
		}
	}
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// Read reads what writers wrote, waiting for it.
func (f *File) Read(p []byte) (int, error) {
	if f.write {
		return 0, &os.PathError{Op: "read", Path: f.path, Err: errWrongEnd}
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if len(f.taken) > 0 {
		n := copy(p, f.taken)
		f.taken = f.taken[n:]
		return n, nil
	}
	if f.over {
		return 0, io.EOF
	}
	all := f.capacity()
	if len(p) >= all {
		return f.take(p)
	}
	if len(f.space) < all {
		f.space = make([]byte, all)
	}
	n, err := f.take(f.space)
	if err != nil {
		return 0, err
	}
	f.taken = f.space[:n]
	n = copy(p, f.taken)
	f.taken = f.taken[n:]
	return n, nil
}

// take reads once, and says what the end of a writer means.
func (f *File) take(p []byte) (int, error) {
	if f.reported {
		if err := f.renew(); err != nil {
			return 0, err
		}
	}
	n, err := f.readOnce(p)
	if n > 0 {
		f.seen = true
		return n, nil
	}
	if err == io.EOF {
		f.seen = false
		f.over, f.reported = f.opts.EOF == Once, true
	}
	return 0, err
}

// Write writes p, waiting where the pipe is full. It returns how many bytes the
// pipe took or, with Lines, how many were taken or wait for the end of their
// line; and why not all.
func (f *File) Write(p []byte) (int, error) {
	if !f.write {
		return 0, &os.PathError{Op: "write", Path: f.path, Err: errWrongEnd}
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	if f.over {
		return 0, &Error{Path: f.path, Err: ErrLeft}
	}
	if f.reported {
		if err := f.awaitReader(); err != nil {
			return 0, err
		}
		f.reported = false
	}
	var n int
	var err error
	if f.opts.Lines {
		n, err = f.writeLines(p)
	} else {
		n, err = f.writeAll(p)
	}
	if errors.Is(err, syscall.EPIPE) {
		f.over, f.reported = f.opts.EOF == Once, true
		err = &Error{Path: f.path, Err: ErrLeft}
	}
	return n, err
}

func (f *File) writeAll(p []byte) (int, error) {
	_, w := f.ends()
	n, err := w.Write(p)
	return n, f.told(err)
}

// writeLines writes pieces that the kernel takes whole or not at all, each of
// whole lines.
func (f *File) writeLines(p []byte) (done int, err error) {
	for len(p) > 0 {
		n := wholeLines(p, MaxLine-len(f.part))
		if n == 0 { // no line ends where it must
			if len(f.part)+len(p) >= MaxLine {
				return done, &Error{f.path, errLine, "write lines, or open it without Lines"}
			}
			f.part = append(f.part, p...)
			return done + len(p), nil
		}
		piece := p[:n]
		if len(f.part) > 0 {
			piece = append(f.part, piece...) // f.part keeps its length
		}
		if _, err := f.writeAll(piece); err != nil {
			return done, err
		}
		f.part = f.part[:0]
		done, p = done+n, p[n:]
	}
	return done, nil
}

// wholeLines returns how much of p, at most max bytes, ends with a newline.
func wholeLines(p []byte, max int) int {
	for n := min(len(p), max); n > 0; n-- {
		if p[n-1] == '\n' {
			return n
		}
	}
	return 0
}

// Unread returns how many bytes are in the fifo that nobody has read; 0 after
// Close.
func (f *File) Unread() int {
	r, w := f.ends()
	if w != nil {
		return unread(w)
	}
	return unread(r)
}

// SetReadDeadline bounds Read, a pending one too; the zero time is no bound.
func (f *File) SetReadDeadline(t time.Time) error {
	if f.write {
		return nil
	}
	return f.setDeadline(t)
}

// SetWriteDeadline bounds Write, a pending one too; the zero time is no bound.
func (f *File) SetWriteDeadline(t time.Time) error {
	if !f.write {
		return nil
	}
	return f.setDeadline(t)
}

// SetDeadline bounds Read or Write, whatever this end does.
func (f *File) SetDeadline(t time.Time) error { return f.setDeadline(t) }

func (f *File) setDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return os.ErrClosed
	}
	f.until = t
	if f.write {
		return f.w.SetWriteDeadline(t)
	}
	return f.r.SetReadDeadline(t)
}

// Name is the path.
func (f *File) Name() string { return f.path }

// Close closes this end and ends what is pending on it. A writer first waits,
// for Options.Linger at most, until all was read. When nobody is left who could
// read what is in the pipe, it is taken back, and the error is an *UnreadError
// that has it, after what this end had taken and not handed out. It may be
// called more than once; all calls return when it is closed.
func (f *File) Close() error {
	first := f.shut()
	f.turn.Lock() // another Close is over by then
	defer f.turn.Unlock()
	if !first {
		return nil
	}
	if f.write {
		f.settle()
	}
	if f.unlink { // while it still has two sides: nobody can begin to wait at one that has not
		f.remove()
	}
	back := slices.Concat(f.taken, f.finish(), f.part)
	f.taken, f.part = nil, nil
	if len(back) > 0 {
		return &UnreadError{f.path, back}
	}
	return nil
}

// remove removes the fifo, unless something else has its name by now.
func (f *File) remove() {
	end, w := f.ends()
	if end == nil {
		end = w
	}
	ours, err := end.Stat()
	there, err2 := os.Lstat(f.path)
	if err == nil && err2 == nil && os.SameFile(ours, there) {
		_ = os.Remove(f.path)
	}
}

// shut ends what is pending, and reports whether nobody did so before.
func (f *File) shut() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.closed = true
	if past := time.Unix(1, 0); f.write {
		_ = f.w.SetWriteDeadline(past) // fails for what is no fifo, which open would have refused
	} else {
		_ = f.r.SetReadDeadline(past)
	}
	return true
}

// settle writes what still waits for the end of its line, and waits until all
// was read.
func (f *File) settle() {
	linger := f.opts.Linger
	if linger == 0 {
		linger = defaultLinger
	}
	end := time.Now().Add(max(linger, 0))
	_, w := f.ends()
	if len(f.part) > 0 && w.SetWriteDeadline(end) == nil {
		if _, err := w.Write(f.part); err == nil {
			f.part = nil
		}
	}
	_ = nap(func() (bool, error) { // the kernel has no event for an empty pipe
		return unread(w) == 0 || !readers(w) || !time.Now().Before(end), nil
	})
}

// nap calls look again and again until it reports true or fails.
func nap(look func() (bool, error)) error {
	for d := firstNap; ; d = min(2*d, longestNap) {
		if done, err := look(); done || err != nil {
			return err
		}
		time.Sleep(d)
	}
}

// ends returns the open ends; both may be nil.
func (f *File) ends() (r, w *os.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.r, f.w
}

// told is the error as the caller knows it: our own deadline of Close is no
// deadline of his.
func (f *File) told(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return &os.PathError{Op: f.verb(), Path: f.path, Err: os.ErrClosed}
	}
	return err
}

func (f *File) verb() string {
	if f.write {
		return "write"
	}
	return "read"
}

var (
	errWrongEnd = errors.New("it is open for the other direction")
	errLine     = &longError{}
)

type longError struct{}

func (*longError) Error() string        { return "a line is longer than what goes out in one piece" }
func (*longError) Is(target error) bool { return target == ErrLong }
