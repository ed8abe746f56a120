package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/secret"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/session"
)

// A served is what a run with a name has besides: the name, and the doors at which others join.
type served struct {
	flags  *runFlags
	name   *session.Name
	token  session.Token
	server *session.Server
	person *session.Client // who runs it; nil: nobody sits at it

	webSockets []*webSocketDoor
	doors      []string // what to tell the person about those of --listen
	note       error    // what the person may not have meant; nil: nothing
	ready      func()   // tells who waits that the program runs
}

// reserve takes the name, before anything else is done.
func (r *running) reserve() (*served, error) {
	s := &served{flags: r.flags, ready: r.ready}
	var err error
	if s.token, err = s.readToken(); err != nil {
		return nil, err
	}
	if s.name, err = session.Reserve(r.flags.name); err != nil {
		return nil, err
	}
	if exit, ok := s.name.Before(); ok && exit.Status() != 0 {
		s.note = fmt.Errorf("run: the %s before had ended with %v, which nobody had asked for: it is forgotten now\nhint: spawnx wait %s in between", s.name, exit, s.name)
	}
	// Where containment is not to be had the program runs without: spawnx doctor says so.
	if _, err := proc.CheckContainment(); err == nil {
		r.plan.spec.Contain = true
	}
	return s, nil
}

// readToken is what clients on the network must show; "" when there is no door for them.
func (s *served) readToken() (session.Token, error) {
	needed := false
	for _, address := range s.flags.listen {
		needed = needed || strings.HasPrefix(address, "ws:") || strings.HasPrefix(address, "spawnx:") && !strings.Contains(address, "/")
	}
	ref := s.flags.token
	switch _, inEnv := os.LookupEnv(tokenVariable); {
	case !needed:
		return "", nil
	case ref == "" && inEnv:
		ref = "env:" + tokenVariable
	case ref == "":
		token := session.NewToken()
		s.doors = append(s.doors, "token "+string(token))
		return token, nil
	}
	return readToken(ref)
}

const tokenVariable = "SPAWNX_TOKEN"

func readToken(ref string) (session.Token, error) {
	r, err := secret.Parse(ref)
	if err != nil {
		return "", err
	}
	v, err := r.Read(context.Background())
	if err != nil {
		return "", fmt.Errorf("--token: %w", err)
	}
	defer v.Wipe()
	return session.Token(v.Bytes()), nil
}

// open lets others in.
func (s *served) open(b *bridge.Bridge) (err error) {
	s.server, err = session.NewServer(b, session.Options{
		Name: s.name, Window: s.flags.window, Prompt: s.flags.prompt, Token: s.token,
	})
	if err != nil {
		return err
	}
	if s.flags.fifo != "" {
		err = s.server.ListenFifo(s.flags.fifo)
	}
	for _, address := range s.flags.listen {
		if err != nil {
			break
		}
		var door string
		if door, err = s.listen(address); err == nil {
			s.doors = append(s.doors, "listens at "+door)
		}
	}
	if err != nil {
		s.close() // the error above says it
		return err
	}
	if print := s.server.Fingerprint(); print != "" {
		s.doors = append(s.doors, "fingerprint "+print)
	}
	if s.ready != nil {
		s.ready()
	} else {
		complain(s.note)
		s.tell(os.Stderr)
	}
	return nil
}

// tell says what others need to know, and cannot know from the name.
func (s *served) tell(w io.Writer) {
	for _, line := range s.doors {
		fmt.Fprintf(w, "spawnx: %s %s\n", s.name, line)
	}
}

// sit takes the driver's seat for the person who runs the program. The client lives as long as the server.
func (s *served) sit(terminal bool) (*session.Client, error) {
	d := session.Dialer{Role: session.Driver, Terminal: terminal}
	if terminal {
		d.Size, _ = ptyio.SizeOf(os.Stdout) // without one it has none
	}
	var err error
	s.person, err = d.Dial(context.Background(), s.name.String())
	return s.person, err
}

// How long a run that the person has seen the end of waits for clients to see it, too.
const farewell = time.Second

// end is called when the program has ended: who is there gets all of its output. Nobody waits for a detached
// one; its status and its output are kept for who comes later.
func (s *served) end(ctx context.Context) {
	if !s.flags.detach {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, farewell)
		defer cancel()
		if s.person != nil {
			_, _ = s.person.Collect(ctx) // the person has it: nothing is kept
			_ = s.person.Close()
		}
	}
	_, _ = s.server.Wait(ctx) // how it ended is known
}

func (s *served) close() {
	if s.person != nil {
		_ = s.person.Close() // it never fails
	}
	for _, door := range s.webSockets {
		door.close()
	}
	_ = s.server.Close() // what cannot be removed is in nobody's way
}

func (s *served) release() { _ = s.name.Release() } // the same

// ---- the detached one

// runDetached is run in a process of its own. The one that started it, which a person waits for, is told on
// our stdout when the program runs, or why it does not.
func (r *running) runDetached() error {
	told := false
	tell := func(n notice) {
		if !told {
			told = true
			n.write(os.Stdout)
		}
	}
	r.flags.quiet = true
	r.ready = func() { tell(notice{Doors: r.served.doors, Note: errorText(r.served.note)}) }
	err := r.run()
	if !told {
		tell(notice{Status: status(err), Error: errorText(err)})
	}
	return err
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
