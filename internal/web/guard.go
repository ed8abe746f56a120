package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A guard decides who gets in. That the page is served on loopback protects
// nothing by itself: any web page that the person visits can send requests to
// loopback, and browsers let it open WebSockets there; a name that resolves to
// 127.0.0.1 makes it look like one of ours. So the Host must be one that we are
// known by, the Origin must be ours, and the token must be shown.
type guard struct {
	hosts []string // as in the Host header, lower case, with the port
	token [sha256.Size]byte
}

func newGuard(token string, hosts []string) guard {
	g := guard{token: sha256.Sum256([]byte(token))}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	return g
}

// page says whether a request may have the page and its parts, which hold
// nothing that is secret: http.StatusOK, or why not.
func (g guard) page(method, host string) int {
	switch {
	case !g.known(host):
		return http.StatusMisdirectedRequest
	case method != http.MethodGet && method != http.MethodHead:
		return http.StatusMethodNotAllowed
	}
	return http.StatusOK
}

// socket says whether a request may become a WebSocket. Browsers always say by
// whose page it was opened; who has no Origin is no browser, and shows the token
// in a header (bearer) instead of in the first message.
func (g guard) socket(host, origin, bearer string) int {
	if !g.known(host) {
		return http.StatusMisdirectedRequest
	}
	if origin == "" {
		if bearer == "" || !g.valid(bearer) {
			return http.StatusUnauthorized
		}
		return http.StatusOK
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.EqualFold(u.Host, host) || u.Path != "" || u.User != nil {
		return http.StatusForbidden
	}
	if bearer != "" && !g.valid(bearer) {
		return http.StatusUnauthorized
	}
	return http.StatusOK
}

func (g guard) known(host string) bool { return slices.Contains(g.hosts, strings.ToLower(host)) }

// valid compares in a time that tells nothing of the token, its length included.
func (g guard) valid(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// bearer is the token of an Authorization header.
func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// Hosts are the names under which a listener is asked for: its own address and,
// on loopback, the usual names of that.
func Hosts(addr net.Addr) []string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return []string{addr.String()}
	}
	names := []string{host}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		names = append(names, "localhost", "127.0.0.1", "::1")
	}
	slices.Sort(names)
	var all []string
	for _, n := range slices.Compact(names) {
		all = append(all, net.JoinHostPort(n, port))
		if port == "80" {
			all = append(all, n)
		}
	}
	return all
}
