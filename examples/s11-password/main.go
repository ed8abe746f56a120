// Password: dialogs that bypass the standard streams.
//
//	go run ./examples/s11-password
//	go run ./examples/s11-password -password 'ask:A word for the demonstration: '
//
// First, a program that holds its output back when it does not write to a terminal: grep has found a line, and
// on pipes nobody sees it before its input ends. With a terminal for its output it says so at once. Why nothing
// came is no guess: on Linux the error of the timeout shows that grep waits for input, and, of a program that
// uses glibc's stdio, the very bytes that it has not yet written.
//
// Second, a program that asks for a password. It does not read its standard input, which is empty, but the
// terminal, after it has printed its prompt and then switched the echo off. A secret typed as soon as the
// prompt is there would be echoed, if only sometimes. SendSecret, and so the rule below, waits for the echo to
// be off. The password comes by reference, and shows nowhere: not in the transcript that is printed here, not
// in an error, not on a command line.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

func main() {
	password := flag.String("password", "cmd:echo open sesame",
		"where the password comes from: env:NAME, file:PATH, fd:N, cmd:COMMAND, ask:PROMPT")
	flag.Parse()
	ctx := context.Background()

	for _, kind := range []proc.Stdio{proc.Pipes, proc.PTYStdout} {
		said, err := early(ctx, kind)
		fmt.Printf("grep on %v, before its input ends: %q\n", kind, said)
		if err != nil {
			fmt.Println(err)
		}
	}

	fmt.Println("a login:")
	greeting, err := login(ctx, os.Stdout, expect.SecretRef(*password))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("the program took it: %q\n", greeting)
}

// early returns what grep says as long as its input may go on.
func early(ctx context.Context, kind proc.Stdio) (string, error) {
	spec := proc.Command("grep", "-n", "apple")
	spec.Stdio = kind
	c, err := expect.Spawn(ctx, spec)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SendLine("an apple a day"); err != nil {
		return "", err
	}
	m, err := c.Expect(ctx, expect.Regexp(`.*\n`), expect.Waiting)
	if err != nil || m.Pattern != expect.Waiting {
		return m.Text, err
	}
	// It waits for input and has written nothing: no patience will help.
	_, err = c.With(expect.Options{Timeout: 100 * time.Millisecond}).Expect(ctx, expect.Regexp(`.*\n`))
	return "", err
}

// program asks for a password at its terminal, as su, ssh and sudo do, and tells how long it was.
const program = `
	exec </dev/null
	printf 'Password: ' >/dev/tty
	stty -echo </dev/tty
	read -r password </dev/tty
	stty echo </dev/tty
	printf '\nwelcome, %d letters\n' ${#password}
`

// login answers the program's question and returns its greeting. Whoever listens gets the transcript.
func login(ctx context.Context, listener io.Writer, password expect.Secret) (greeting string, err error) {
	c, err := expect.Spawn(ctx, proc.Command("sh", "-c", program))
	if err != nil {
		return "", err
	}
	defer c.Close()
	defer c.Transcript(listener)()
	m, err := c.Expect(ctx,
		expect.On(expect.Text("Password: "), expect.Password(password)),
		expect.Regexp(`welcome.*\n`),
	)
	if err != nil {
		return "", err
	}
	if _, err := c.Wait(ctx); err != nil {
		return "", err
	}
	return m.Text, nil
}
