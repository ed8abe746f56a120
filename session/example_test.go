package session_test

import (
	"context"
	"fmt"
	"os"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// A program is served under a name, and driven as if it ran here.
func Example() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	os.Setenv("XDG_RUNTIME_DIR", dir)
	ctx := context.Background()

	name, err := session.Reserve("calc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer name.Release()
	spec := proc.Command("sh", "-c", `while printf '? ' && read x; do echo "= $(($x))"; done`)
	b, err := bridge.Start(ctx, spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	s, err := session.NewServer(b, session.Options{Name: name})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	// As a rule this is another process.
	client, err := session.Dial(ctx, "calc")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := expect.Attach(client.Bridge())
	defer c.Close() // leaves; the program goes on
	c.Expect(ctx, expect.Text("? "))
	c.SendLine("6*7")
	m, err := c.Expect(ctx, expect.Regexp(`= (\d+)\n`))
	fmt.Println(m.Groups[1], err)
	// Output: 42 <nil>
}

func ExampleList() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	os.Setenv("XDG_RUNTIME_DIR", dir)
	all, err := session.List(context.Background())
	fmt.Println(len(all), err)
	// Output: 0 <nil>
}
