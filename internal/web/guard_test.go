package web

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
)

// Who gets in: every row is a combination of Host, Origin and token.
func TestGuard(t *testing.T) {
	g := newGuard("right", Hosts(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}))
	const (
		in       = http.StatusOK
		nowhere  = http.StatusMisdirectedRequest
		stranger = http.StatusForbidden
		unknown  = http.StatusUnauthorized
	)
	tests := []struct {
		host, origin, bearer string
		want                 int
	}{
		// a page of ours; its token follows in its first message
		{"127.0.0.1:4000", "http://127.0.0.1:4000", "", in},
		{"localhost:4000", "http://localhost:4000", "", in},
		{"LOCALHOST:4000", "http://localhost:4000", "", in},
		{"[::1]:4000", "http://[::1]:4000", "", in},
		{"127.0.0.1:4000", "https://127.0.0.1:4000", "", in},
		// no browser
		{"127.0.0.1:4000", "", "right", in},
		{"127.0.0.1:4000", "", "", unknown},
		{"127.0.0.1:4000", "", "wrong", unknown},
		{"127.0.0.1:4000", "", "righ", unknown},
		{"127.0.0.1:4000", "", "right ", unknown},
		// other pages
		{"127.0.0.1:4000", "http://evil.example", "", stranger},
		{"127.0.0.1:4000", "http://evil.example", "right", stranger},
		{"127.0.0.1:4000", "http://127.0.0.1:4001", "", stranger},
		{"127.0.0.1:4000", "http://127.0.0.1", "", stranger},
		{"127.0.0.1:4000", "http://localhost:4000", "", stranger}, // ours, but not where it came to
		{"127.0.0.1:4000", "null", "", stranger},
		{"127.0.0.1:4000", "file://", "", stranger},
		{"127.0.0.1:4000", "http://127.0.0.1:4000.evil.example", "", stranger},
		{"127.0.0.1:4000", "http://evil.example@127.0.0.1:4000", "", stranger},
		{"127.0.0.1:4000", "http://127.0.0.1:4000/path", "", stranger},
		{"127.0.0.1:4000", "http://127.0.0.1:4000", "wrong", unknown},
		// a name that somebody has made resolve to us
		{"evil.example:4000", "http://evil.example:4000", "", nowhere},
		{"evil.example:4000", "http://evil.example:4000", "right", nowhere},
		{"127.0.0.1", "http://127.0.0.1", "", nowhere},
		{"", "", "right", nowhere},
		{"127.0.0.1:4000.", "", "right", nowhere},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s|%s|%s", tt.host, tt.origin, tt.bearer), func(t *testing.T) {
			if got := g.socket(tt.host, tt.origin, tt.bearer); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
	for host, want := range map[string]int{"127.0.0.1:4000": in, "evil.example:4000": nowhere} {
		if got := g.page("GET", host); got != want {
			t.Errorf("page at %s: %d", host, got)
		}
	}
	if got := g.page("POST", "127.0.0.1:4000"); got != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got)
	}
}

func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		addr net.TCPAddr
		want []string
	}{
		{net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, []string{"127.0.0.1:80", "127.0.0.1", "[::1]:80", "::1", "localhost:80", "localhost"}},
		{net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, []string{"192.0.2.1:443"}},
	} {
		if got := Hosts(&tt.addr); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %q, want %q", &tt.addr, got, tt.want)
		}
	}
}

// What those who watch may ask of gdb.
func TestLooks(t *testing.T) {
	for command, want := range map[string]bool{
		"-stack-list-frames": true,
		"-stack-list-variables --thread 1 --frame 0 --all-values": true,
		"-file-list-exec-source-file":                             true,
		"-stack-list-frames\n-exec-run":                           false,
		"-stack-list-frames 1; shell":                             false,
		"1-stack-list-frames":                                     false,
		"-exec-run":                                               false,
		"-data-evaluate-expression n=1":                           false,
		"next":                                                    false,
		"":                                                        false,
	} {
		if got := looks.Get().MatchString(command); got != want {
			t.Errorf("%q: %v", command, got)
		}
	}
}
