package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/internal/web"
	"github.com/spawnx/spawnx/session"
)

func newWeb() *cobra.Command {
	var w serving
	cmd := &cobra.Command{
		Use:   "web [FLAGS] [NAME]",
		Short: "Show named programs in a browser",
		Long: `Show named programs in a browser: their list, a live terminal of each, and of a debugger the source,
breakpoints, stack and variables, its console and the debugged program's terminal, side by side.

It prints the address, whose part behind the # is a token: who has it gets in, nobody else does, and
browsers do not send it anywhere. Pages only watch, unless you say --drive: who may type into a
debugger may run anything as you.

Beyond this machine it needs --cert and --key. ctrl-c ends it; the programs go on.`,
		Example: `  spawnx web
  spawnx debug -d gdb ./prog; spawnx web --drive prog`,
		DisableFlagsInUseLine: true,
		Args: func(cmd *cobra.Command, words []string) error {
			if len(words) > 1 {
				return usageOf(cmd, fmt.Errorf("%q is too much\nhint: spawnx web, or spawnx web NAME", words[1]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) == 1 {
				w.name = words[0]
			}
			return w.run(cmd)
		},
		ValidArgsFunction: completeName,
	}
	f := cmd.Flags()
	f.StringVar(&w.listen, "listen", "127.0.0.1:0", "serve at `HOST:PORT`; port 0 is any that is free")
	f.BoolVar(&w.drive, "drive", false, "pages may type and give commands")
	f.StringArrayVar(&w.hosts, "host", nil, "a further `HOST:PORT` under which browsers know it, as behind a proxy")
	f.StringVar(&w.cert, "cert", "", "the `FILE` of the certificate, for https")
	f.StringVar(&w.key, "key", "", "the `FILE` of its key")
	f.SortFlags = false
	cmd.MarkFlagsRequiredTogether("cert", "key")
	return cmd
}

// A serving is one spawnx web.
type serving struct {
	listen, name, cert, key string
	hosts                   []string
	drive                   bool
}

func (w *serving) run(cmd *cobra.Command) error {
	if w.name != "" {
		c, err := session.Dialer{Role: session.Observer, From: session.Nothing}.Dial(context.Background(), w.name)
		if err != nil {
			return ofName("web", w.name, err)
		}
		_ = c.Close()
	}
	l, err := w.open(cmd)
	if err != nil {
		return err
	}
	token := session.NewToken()
	h := web.NewHandler(web.Options{Token: string(token), Hosts: append(web.Hosts(l.Addr()), w.hosts...), Drive: w.drive, Name: w.name})
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	scheme := "http"
	if w.cert != "" {
		scheme = "https"
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s://%s/#%s\n", scheme, l.Addr(), string(token)); err != nil {
		_ = l.Close()
		return &outputError{err}
	}
	if !web.Built() {
		fmt.Fprintln(os.Stderr, "spawnx: this binary was built without the whole page: terminals are shown as text\n"+
			"hint: npm ci && npm run build in internal/web/ui, then build spawnx again")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	_ = server.Close() // what it still had to say is nobody's
	_ = h.Close()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("web: %w", err)
	}
	return nil
}

// open listens, beyond this machine only with a certificate.
func (w *serving) open(cmd *cobra.Command) (net.Listener, error) {
	host, _, err := net.SplitHostPort(w.listen)
	if err != nil {
		return nil, usageOf(cmd, fmt.Errorf("--listen %q: %v\nhint: write HOST:PORT", w.listen, err))
	}
	if w.cert == "" {
		ip := net.ParseIP(host)
		if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, usageOf(cmd, fmt.Errorf("--listen %s is beyond this machine and needs --cert and --key\nhint: or listen at 127.0.0.1:0 and tunnel: ssh -L", w.listen))
		}
		return net.Listen("tcp", w.listen)
	}
	cert, err := tls.LoadX509KeyPair(w.cert, w.key)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return tls.Listen("tcp", w.listen, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13})
}
