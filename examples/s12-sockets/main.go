// Sockets: one program, served on a unix socket and on TCP, driven from there with the same code.
//
//	go run ./examples/s12-sockets
//
// The program is a shell that starts here, once. A server lets clients in: on the unix socket whoever is the same
// user, which the kernel says; over TCP whoever knows the token, through TLS, and the client knows the server by
// the fingerprint of its certificate. Both clients talk to the same shell: the second one reads a variable that the
// first one has set. Neither needs to know where the shell runs: a session's Bridge is a Bridge.
//
// Without the token nobody gets in, and without a token the server does not listen on TCP at all.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "s12")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	// The server's side.
	shell := proc.Command("sh")
	shell.Env = append(os.Environ(), "PS1=$ ")
	b, err := bridge.Start(ctx, shell)
	if err != nil {
		return err
	}
	defer b.Close()
	token := session.NewToken()
	server, err := session.NewServer(b, session.Options{Token: token})
	if err != nil {
		return err
	}
	defer server.Close()
	unix, err := server.Listen("spawnx:" + filepath.Join(dir, "sh.sock"))
	if err != nil {
		return err
	}
	tcp, err := server.Listen("spawnx:127.0.0.1:0")
	if err != nil {
		return err
	}

	// The clients' side.
	if err := talk(ctx, out, session.Dialer{}, unix, "greeting=hello; echo set"); err != nil {
		return err
	}
	overTCP := session.Dialer{From: session.FromNow, Token: token, Fingerprint: server.Fingerprint()}
	if err := talk(ctx, out, overTCP, tcp, "echo $greeting again"); err != nil {
		return err
	}

	overTCP.Token = session.NewToken() // another one
	_, err = overTCP.Dial(ctx, tcp)
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("with a wrong token: %v", err)
	}
	fmt.Fprintln(out, "with a wrong token: not admitted")
	return nil
}

// talk joins the program at an address, runs one command in it and leaves it.
func talk(ctx context.Context, out io.Writer, d session.Dialer, addr, command string) error {
	client, err := d.Dial(ctx, addr)
	if err != nil {
		return err
	}
	c := expect.Attach(client.Bridge()) // from here on, nothing but expect
	defer c.Close()                     // leaves; the shell goes on
	if _, err := c.Expect(ctx, expect.Waiting); err != nil {
		return err
	}
	answer, err := c.Command(ctx, command)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s > %s", command, answer)
	return nil
}
