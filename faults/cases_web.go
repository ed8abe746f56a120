//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/spawnx/spawnx/internal/web"
)

var webCases = []fault{
	{ID: "F37", What: "Host, Origin and token of web requests (48 rows, over real connections): only the allowed ones get in", Off: "a handler that takes every request for one of its own page", Quick: 1, Full: 5, Run: overWeb},
}

// overWeb knocks at the page in every way.
func overWeb(t *T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	t.Must(err)
	h := web.NewHandler(web.Options{Token: "right", Hosts: web.Hosts(l.Addr())})
	defer h.Close()
	ours, origin := l.Addr().String(), "http://"+l.Addr().String()
	var handler http.Handler = h
	if !t.Defended {
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Host = ours
			r.Header.Set("Origin", origin)
			r.Header.Del("Authorization")
			h.ServeHTTP(w, r)
		})
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(l) }() // until Close
	defer server.Close()

	_, port, _ := net.SplitHostPort(ours) // it was just made
	for _, host := range []string{ours, "localhost:" + port, "evil.example:" + port, "127.0.0.1"} {
		for _, from := range []string{"", origin, "http://evil.example", "null", "http://" + host, "http://127.0.0.1:1"} {
			for _, token := range []string{"right", "wrong"} {
				known := host == ours || host == "localhost:"+port
				allowed := known && token == "right" && (from == "" || from == "http://"+host)
				if got := knock(t, host, from, token, origin); got != allowed {
					t.Errorf("Host %s, Origin %q, token %s: in: %v", host, from, token, got)
				}
			}
		}
	}
}

// knock reports whether the list of programs was shown. Who has no Origin shows the token in a header.
func knock(t *T, host, origin, token, url string) bool {
	ctx, cancel := context.WithTimeout(t, 10*time.Second)
	defer cancel()
	header := http.Header{}
	if origin == "" {
		header.Set("Authorization", "Bearer "+token)
	} else {
		header.Set("Origin", origin)
	}
	conn, _, err := websocket.Dial(ctx, url+"/ws", &websocket.DialOptions{HTTPHeader: header, Host: host})
	if err != nil {
		return false
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"token":%q,"open":"programs"}`, token)); err != nil {
		return false
	}
	_, _, err = conn.Read(ctx)
	return err == nil
}
