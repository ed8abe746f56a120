package grammar

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/spawnx/spawnx/proc"
)

// An EndpointKind is what an Endpoint is.
type EndpointKind int

// The kinds, with what they are written as.
const (
	ProgramEndpoint EndpointKind = iota // 'CMD', split at blanks and quotes
	StdioEndpoint                       // -, our own input and output
	FifoEndpoint                        // fifo:DIR or fifo:PATH
	UnixEndpoint                        // unix:PATH, bare bytes
	TCPEndpoint                         // tcp:HOST:PORT, bare bytes
	TTYEndpoint                         // tty:DEVICE,SPEED
	NamedEndpoint                       // run:NAME, spawnx:PATH, spawnx:HOST:PORT
)

// An Endpoint is one of those that link joins.
type Endpoint struct {
	Kind  EndpointKind
	Text  string    // as it was written
	Spec  proc.Spec // of a program: Args alone
	Path  string    // of a fifo, a socket and a device
	Host  string    // of tcp: HOST:PORT
	Speed int       // of a tty, in bits per second; 0: as it is
	Name  string    // of a named program, as session.Dial takes it
}

// ParseEndpoint reads one word. What begins with no scheme is a program.
func ParseEndpoint(word string) (Endpoint, error) {
	e := Endpoint{Text: word}
	if word == "-" {
		e.Kind = StdioEndpoint
		return e, nil
	}
	scheme, rest, ok := strings.Cut(word, ":")
	if parse := endpoints()[scheme]; ok && parse != nil {
		if rest == "" {
			return e, fmt.Errorf("endpoint %q: nothing follows the colon\nhint: %s", word, endpointForms()[scheme])
		}
		if !parse(&e, rest) {
			return e, fmt.Errorf("endpoint %q cannot be understood\nhint: %s", word, endpointForms()[scheme])
		}
		return e, nil
	}
	if strings.TrimSpace(word) == "" {
		return e, fmt.Errorf("an endpoint is empty")
	}
	spec, err := Command([]string{word}, "")
	e.Spec = spec
	return e, err
}

func endpointForms() map[string]string {
	return map[string]string{
		"fifo":   "write fifo:DIR for the pair DIR/in and DIR/out, or fifo:PATH for a fifo that is there",
		"unix":   "write unix:PATH",
		"tcp":    "write tcp:HOST:PORT, tcp:[::1]:4711",
		"tty":    "write tty:DEVICE,SPEED, as in tty:/dev/ttyUSB0,115200, or tty:DEVICE",
		"run":    "write run:NAME; spawnx list shows the names",
		"spawnx": "write spawnx:PATH or spawnx:HOST:PORT",
	}
}

// endpoints read what follows a scheme; false: it cannot be understood.
func endpoints() map[string]func(e *Endpoint, rest string) bool {
	return map[string]func(e *Endpoint, rest string) bool{
		"fifo": func(e *Endpoint, rest string) bool { e.Kind, e.Path = FifoEndpoint, rest; return true },
		"unix": func(e *Endpoint, rest string) bool { e.Kind, e.Path = UnixEndpoint, rest; return true },
		"run":  func(e *Endpoint, rest string) bool { e.Kind, e.Name = NamedEndpoint, rest; return true },
		"spawnx": func(e *Endpoint, rest string) bool {
			e.Kind, e.Name = NamedEndpoint, "spawnx:"+rest
			return true
		},
		"tcp": func(e *Endpoint, rest string) bool {
			_, port, err := net.SplitHostPort(rest)
			e.Kind, e.Host = TCPEndpoint, rest
			return err == nil && port != ""
		},
		"tty": func(e *Endpoint, rest string) (ok bool) {
			device, speed, given := strings.Cut(rest, ",")
			e.Kind, e.Path = TTYEndpoint, device
			if given {
				n, err := strconv.ParseUint(speed, 10, 31)
				if err != nil || n == 0 {
					return false
				}
				e.Speed = int(n)
			}
			return device != ""
		},
	}
}
