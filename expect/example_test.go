//go:build unix

package expect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

// A dialog: questions that are answered on the way, and what is waited for in the end.
func Example() {
	ctx := context.Background()
	c, err := expect.Spawn(ctx, proc.Command("sh", "-c", `
		printf 'Name? '; read name
		printf 'Sure? [Y/n] '; read sure
		echo "hello $name, you have 3 messages"`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	m, err := c.Expect(ctx,
		expect.On(expect.Text("Name? "), expect.Line("Ada")),
		expect.On(expect.Text("[Y/n] "), expect.Line("y")),
		expect.Regexp(`hello (\w+), you have (?P<count>\d+) messages`),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Groups[1], m.Group("count"))
	exit, err := c.Wait(ctx)
	fmt.Println(exit, err)
	// Output:
	// Ada 3
	// exit status 0 <nil>
}

// Patterns are values: what matched is told by comparing.
func ExampleConsole_Expect() {
	ctx := context.Background()
	c, err := expect.Spawn(ctx, proc.Command("sh", "-c", "echo permission denied; exit 1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	const prompt, denied = expect.Text("$ "), expect.Text("denied")
	m, err := c.Expect(ctx, prompt, denied, expect.EOF)
	switch {
	case err != nil:
		fmt.Println(err)
	case m.Pattern == prompt:
		fmt.Println("we are in")
	case m.Pattern == denied:
		fmt.Printf("refused: %q, %q\n", m.Before, m.Text)
	case m.Pattern == expect.EOF:
		fmt.Println("it ended")
	}
	// Output: refused: "permission ", "denied"
}

// A question and its answer, in a program with a prompt.
func ExampleConsole_Command() {
	ctx := context.Background()
	spec := proc.Command("sh")
	spec.EnvKeep = []string{"PATH"}
	spec.Env = []string{"PS1=$ "}
	c, err := expect.Spawn(ctx, spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	c = c.With(expect.Options{Prompt: expect.Text("$ ")})
	if _, err := c.Expect(ctx, expect.Text("$ ")); err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range []string{"echo $((6*7))", "echo one; echo two"} {
		answer, err := c.Command(ctx, line)
		fmt.Printf("%q %v\n", answer, err)
	}
	// Output:
	// "42\n" <nil>
	// "one\ntwo\n" <nil>
}

// A rule for a question that may come at any time.
func ExampleConsole_Always() {
	ctx := context.Background()
	c, err := expect.Spawn(ctx, proc.Command("sh", "-c",
		`for page in 1 2 3; do echo "page $page"; printf -- '--More--'; read key; done; echo end`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	c.Always(expect.On(expect.Text("--More--"), expect.Keys("space", "enter")))
	m, err := c.Expect(ctx, expect.Text("end"))
	fmt.Println(m.Text, err)
	// Output: end <nil>
}

// A secret is typed once the terminal has its echo off, and shows nowhere.
func ExampleConsole_SendSecret() {
	ctx := context.Background()
	os.Setenv("EXAMPLE_PW", "open sesame") // somebody else's job
	c, err := expect.Spawn(ctx, proc.Command("sh", "-c",
		`printf 'Password: '; stty -echo; read pw; stty echo; echo; echo "${#pw} letters"`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	if _, err := c.Expect(ctx, expect.Text("Password: ")); err != nil {
		fmt.Println(err)
		return
	}
	if err := c.SendSecret(ctx, expect.SecretRef("env:EXAMPLE_PW")); err != nil {
		fmt.Println(err)
		return
	}
	m, err := c.Expect(ctx, expect.Regexp(`\d+ letters`))
	fmt.Println(m.Text, err)
	// Output: 11 letters <nil>
}

// What is not listed is an error that says what happened.
func ExampleError() {
	ctx := context.Background()
	c, err := expect.Spawn(ctx, proc.Command("sh", "-c", "echo no route to host; exit 255"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	_, err = c.Expect(ctx, expect.Text("Password: "))
	var failed *expect.Error
	if errors.As(err, &failed) {
		fmt.Println(errors.Is(err, io.EOF), failed.Timeout(), failed.Unread == "no route to host\n")
	}
	// Output: true false true
}

// Whichever of two programs speaks first.
func ExampleSelect() {
	ctx := context.Background()
	quiet, err := expect.Spawn(ctx, proc.Command("cat"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer quiet.Close()
	talker, err := expect.Spawn(ctx, proc.Command("sh", "-c", "echo here I am; read reply"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer talker.Close()
	arm, m, err := expect.Select(ctx, quiet.When(expect.EOF), talker.When(expect.Regexp(`here.*\n`)))
	fmt.Printf("%d %q %v\n", arm, m.Text, err)
	// Output: 1 "here I am\n" <nil>
}

// A conversation over a connection: patterns see every byte, and Enter is a newline.
func ExampleNew() {
	ctx := context.Background()
	ours, theirs := net.Pipe()
	go func() {
		fmt.Fprint(theirs, "220 ready\r\n")
		answer := make([]byte, 6)
		_, _ = io.ReadFull(theirs, answer)
		fmt.Fprintf(theirs, "221 %s\r\n", answer[:4])
		theirs.Close()
	}()
	c := expect.New(ours, ours).With(expect.Options{Enter: "\r\n", Timeout: time.Minute})
	defer c.Close()
	if _, err := c.Expect(ctx, expect.Regexp(`220 .*\r\n`)); err != nil {
		fmt.Println(err)
		return
	}
	if err := c.SendLine("QUIT"); err != nil {
		fmt.Println(err)
		return
	}
	m, err := c.Expect(ctx, expect.EOF)
	fmt.Printf("%q %v\n", m.Before, err)
	// Output: "221 QUIT\r\n" <nil>
}

// The screen is the caller's; expect feeds it.
func ExampleOnScreen() {
	ctx := context.Background()
	c, err := expect.Spawn(ctx, proc.Command("printf", "disk  42%%\nmem   17%%\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	c = c.With(expect.Options{Screen: screen.New(24, 80)})
	m, err := c.Expect(ctx, expect.OnScreen(expect.Regexp(`(?m)^mem +(\d+)%$`)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Groups[1])
	// Output: 17
}
