package grammar

import (
	"slices"
	"strings"
	"testing"
)

func TestEndpoints(t *testing.T) {
	for _, tt := range []struct {
		word string
		want Endpoint
		args []string
	}{
		{"-", Endpoint{Kind: StdioEndpoint}, nil},
		{"cat", Endpoint{}, []string{"cat"}},
		{"sort -k 'two words'", Endpoint{}, []string{"sort", "-k", "two words"}},
		{"./a:b", Endpoint{}, []string{"./a:b"}},
		{"fifo:/run/me", Endpoint{Kind: FifoEndpoint, Path: "/run/me"}, nil},
		{"unix:a:b", Endpoint{Kind: UnixEndpoint, Path: "a:b"}, nil},
		{"tcp:localhost:80", Endpoint{Kind: TCPEndpoint, Host: "localhost:80"}, nil},
		{"tcp:[::1]:80", Endpoint{Kind: TCPEndpoint, Host: "[::1]:80"}, nil},
		{"tty:/dev/ttyS0,115200", Endpoint{Kind: TTYEndpoint, Path: "/dev/ttyS0", Speed: 115200}, nil},
		{"tty:/dev/ttyS0", Endpoint{Kind: TTYEndpoint, Path: "/dev/ttyS0"}, nil},
		{"run:db", Endpoint{Kind: NamedEndpoint, Name: "db"}, nil},
		{"spawnx:/run/x", Endpoint{Kind: NamedEndpoint, Name: "spawnx:/run/x"}, nil},
	} {
		got, err := ParseEndpoint(tt.word)
		tt.want.Text = tt.word
		args := got.Spec.Args
		got.Spec.Args = nil
		if err != nil || got.Kind != tt.want.Kind || got.Path != tt.want.Path || got.Host != tt.want.Host ||
			got.Speed != tt.want.Speed || got.Name != tt.want.Name || got.Text != tt.want.Text || !slices.Equal(args, tt.args) {
			t.Errorf("%q: %+v %q, %v", tt.word, got, args, err)
		}
	}
	for word, hint := range map[string]string{
		"": "empty", "  ": "empty", "a | b": "there is no shell here", "tcp:80": "tcp:HOST:PORT", "tcp:": "tcp:HOST:PORT",
		"unix:": "unix:PATH", "tty:/dev/x,fast": "tty:DEVICE,SPEED", "tty:,9600": "tty:DEVICE,SPEED", "tty:x,0": "tty:DEVICE,SPEED",
	} {
		if _, err := ParseEndpoint(word); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, want %q in it", word, err, hint)
		}
	}
}

func FuzzEndpoint(f *testing.F) {
	for _, word := range []string{"-", "cat -n", "tcp:h:1", "tty:x,9600", "fifo:d", "run:n", "unix:'", `a "b`} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		e, err := ParseEndpoint(word)
		if err == nil && e.Kind == ProgramEndpoint && len(e.Spec.Args) == 0 {
			t.Errorf("%q: a program of no words", word)
		}
	})
}
