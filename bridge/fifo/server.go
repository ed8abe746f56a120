package fifo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Service answers requests, see Serve.
type Service struct {
	// Answer writes the reply to a request; the reply ends when it returns. Requests
	// of different clients are answered at the same time, ctx is that of Serve. A
	// Write fails when the client has left or does not read (Patience).
	Answer func(ctx context.Context, request string, reply io.Writer)
	// Refused, if not nil, is told of each line that could not be answered, and why.
	// It may be called several times at once.
	Refused func(line string, err error)
	// Patience is how long a client may keep its reply waiting; zero means 5 s.
	Patience time.Duration
}

const (
	requests = "requests"
	patience = 5 * time.Second
	crowd    = 256 // replies at a time; what comes then waits in the fifo
)

// Serve answers requests at the fifos of dir until ctx ends, and returns nil
// then. It makes dir and DIR/requests as Make does, and removes what it made; a
// second Serve of the same dir fails with ErrInUse.
//
// A request is one line of at most MaxLine bytes: the name of the client's own
// fifo in dir, a blank, and the request; empty lines are nothing. The reply goes to that fifo and ends
// where it is closed. So a shell is a client:
//
//	mkfifo -m 600 $dir/me; echo "me what time is it" >$dir/requests; cat $dir/me
//
// Requests that name the same fifo are answered one after the other. A fifo of
// Call whose process was killed is removed.
func Serve(ctx context.Context, dir string, s Service) error {
	p := &Pair{}
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		p.folder = dir
	}
	in, err := Open(ctx, filepath.Join(dir, requests), os.O_RDONLY|os.O_CREATE, Options{})
	if err != nil {
		return err
	}
	if err := in.alone(); err != nil {
		_ = in.Close() // it is another's, and so is what is in it
		return err
	}
	in.unlink, p.In = true, in
	sweepReplies(dir)

	v := &server{Service: s, dir: dir, queues: map[string][]string{}, seats: make(chan struct{}, crowd)}
	if v.Patience == 0 {
		v.Patience = patience
	}
	stop := context.AfterFunc(ctx, func() { _ = in.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	err = v.listen(ctx, in)
	v.replies.Wait()
	var unread *UnreadError
	if cerr := p.Close(); errors.As(cerr, &unread) { // came too late
		for line := range strings.FieldsFuncSeq(string(unread.Data), func(c rune) bool { return c == '\n' }) {
			v.refuse(line, context.Cause(ctx))
		}
	}
	return err
}

// A server is a Serve under way.
type server struct {
	Service
	dir     string
	seats   chan struct{}
	replies sync.WaitGroup

	mu     sync.Mutex          // guards queues
	queues map[string][]string // the requests of each client that is being answered
}

// listen takes requests until ctx ends.
func (v *server) listen(ctx context.Context, in *File) error {
	lines := bufio.NewReaderSize(in, MaxLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull): // no client wrote that in one piece
			text := string(line)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			v.refuse(text, ErrLong)
		case err == nil:
			v.take(ctx, string(line[:len(line)-1]))
		case len(line) > 0:
			v.refuse(string(line), errNoRequest)
		}
		if err != nil && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take puts a request into its client's queue.
func (v *server) take(ctx context.Context, line string) {
	if line == "" {
		return
	}
	name, request, ok := parseRequest(line)
	if !ok {
		v.refuse(line, errNoRequest)
		return
	}
	v.mu.Lock()
	queue, busy := v.queues[name]
	v.queues[name] = append(queue, request)
	v.mu.Unlock()
	if busy {
		return
	}
	v.seats <- struct{}{}
	v.replies.Add(1)
	go func() {
		defer v.replies.Done()
		defer func() { <-v.seats }()
		for request, more := v.next(name); more; request, more = v.next(name) {
			if err := v.reply(ctx, name, request); err != nil {
				v.refuse(name+" "+request, err)
			}
		}
	}()
}

var errNoRequest = errors.New("no request: a line is the name of a fifo in this folder, a blank, and the request")

// parseRequest takes a line apart.
func parseRequest(line string) (name, request string, ok bool) {
	name, request, ok = strings.Cut(line, " ")
	return name, request, ok && validName(name) && name != requests
}

// validName keeps replies in the folder.
func validName(name string) bool {
	for _, c := range name {
		if !strings.ContainsRune("-_", c) && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != ""
}

// next takes the client's next request out of its queue.
func (v *server) next(name string) (request string, more bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	queue := v.queues[name]
	if len(queue) == 0 {
		delete(v.queues, name)
		return "", false
	}
	v.queues[name] = queue[1:]
	return queue[0], true
}

// reply answers one request.
func (v *server) reply(ctx context.Context, name, request string) error {
	open, cancel := context.WithTimeoutCause(ctx, v.Patience, errNobodyWaits)
	defer cancel()
	out, err := Open(open, filepath.Join(v.dir, name), os.O_WRONLY, Options{EOF: Once, Linger: -1})
	if err != nil {
		return err
	}
	w := &patientWriter{file: out, patience: v.Patience}
	v.Answer(ctx, request, w)
	if _, call := caller(name); call && w.err == nil { // that is how Call knows a whole reply from a cut one
		_ = os.Remove(out.path)
	}
	if err := out.Close(); w.err == nil {
		w.err = err
	}
	return w.err
}

var errNobodyWaits = errors.New("nobody reads the reply")

// A patientWriter gives the client some time for each Write.
type patientWriter struct {
	file     *File
	patience time.Duration
	err      error // the first
}

func (w *patientWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	_ = w.file.SetWriteDeadline(time.Now().Add(w.patience)) // fails when it is closed: so does Write
	n, err := w.file.Write(p)
	w.err = err
	return n, err
}

func (v *server) refuse(line string, err error) {
	if v.Refused != nil {
		v.Refused(line, err)
	}
}

var calls atomic.Int64

// Call asks the Serve of dir one thing and returns its reply. It may come first:
// it waits for a server until ctx ends. The request is one line, without its
// newline. When the server is gone before the reply is whole, the error is
// ErrLeft.
func Call(ctx context.Context, dir, request string) (string, error) {
	name := fmt.Sprintf("c-%d-%d", os.Getpid(), calls.Add(1))
	line := "\n" + name + " " + request + "\n" // it goes on a line of its own, also behind another's half one
	switch path := filepath.Join(dir, requests); {
	case strings.Contains(request, "\n"):
		return "", &Error{path, errors.New("a request is one line"), "leave the newline out"}
	case len(line) > MaxLine:
		return "", &Error{path, fmt.Errorf("a request of %d bytes: %w", len(request), ErrLong),
			fmt.Sprintf("at most %d; put the rest into a file", MaxLine-len(name)-3)}
	}
	to, err := awaitServer(ctx, dir)
	if err != nil {
		return "", err
	}
	defer to.Close()
	reply, err := openReply(ctx, filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	defer reply.Close()
	if _, err := to.Write([]byte(line)); err != nil {
		return "", err
	}
	return readReply(ctx, reply, to)
}

// awaitServer opens the request fifo as soon as somebody reads it.
func awaitServer(ctx context.Context, dir string) (to *File, err error) {
	path := filepath.Join(dir, requests)
	err = nap(func() (bool, error) {
		to, err = Open(ctx, path, os.O_WRONLY, Options{EOF: Once, Linger: -1})
		if errors.Is(err, fs.ErrNotExist) {
			return false, context.Cause(ctx)
		}
		return true, err
	})
	if err != nil && ctx.Err() != nil {
		err = &Error{path, fmt.Errorf("nobody serves here: %w", err), "start the server"}
	}
	return to, err
}

// openReply makes the fifo of a reply. Under its name it appears with a reader:
// whoever removes what nobody reads does not take it for a dead one.
func openReply(ctx context.Context, path string) (*File, error) {
	early := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	reply, err := Open(ctx, early, os.O_RDONLY|os.O_CREATE, Options{EOF: Once})
	if err != nil {
		return nil, err
	}
	if err := os.Rename(early, path); err != nil {
		_ = os.Remove(early)
		reply.Close()
		return nil, &Error{Path: path, Err: err}
	}
	reply.path, reply.unlink = path, true
	return reply, nil
}

// How often a client that waits for a reply looks whether the server lives.
const pulse = 100 * time.Millisecond

func readReply(ctx context.Context, reply, to *File) (string, error) {
	stop := context.AfterFunc(ctx, func() { _ = reply.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var all []byte
	piece := make([]byte, 64<<10)
	for {
		if ctx.Err() == nil {
			_ = reply.SetReadDeadline(time.Now().Add(pulse))
		}
		n, err := reply.Read(piece)
		all = append(all, piece[:n]...)
		switch _, w := to.ends(); {
		case err == nil:
		case ctx.Err() != nil:
			return "", &Error{Path: reply.path, Err: fmt.Errorf("no reply: %w", context.Cause(ctx))}
		case err == io.EOF && removed(reply.path):
			return string(all), nil
		case err == io.EOF, errors.Is(err, os.ErrDeadlineExceeded) && !readers(w):
			return "", &Error{reply.path, fmt.Errorf("no whole reply: %w", ErrLeft), "the server ended; ask again"}
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return "", err
		}
	}
}

// sweepReplies removes the fifos of clients that were killed. Others may belong
// to a shell that has not come to reading it yet.
func sweepReplies(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if pid, call := caller(strings.TrimPrefix(entry.Name(), ".")); call && dead(pid) {
			if path := filepath.Join(dir, entry.Name()); abandoned(path) {
				_ = os.Remove(path) // not there any more, or not to be removed: it harms nobody
			}
		}
	}
}

// caller is the process whose Call made the fifo of this name.
func caller(name string) (pid int, call bool) {
	var n int
	_, err := fmt.Sscanf(name, "c-%d-%d", &pid, &n)
	return pid, err == nil
}

func removed(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}
