//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/expect"
)

func folder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "s10") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestDemonstration(t *testing.T) {
	var out bytes.Buffer
	if err := demonstrate(t.Context(), folder(t), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"front end one, visit 1, saw ", "front end two, visit 1, saw ", "front end one, visit 2, saw ", "both saw the same 2 visits and one\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

// Many visits, and what they saw is all that there was, each byte once.
func TestManyVisits(t *testing.T) {
	ctx := context.Background()
	addr, closeAll, err := serve(ctx, folder(t))
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll()
	var out bytes.Buffer
	one := &frontEnd{name: "one", addr: addr, out: &out}
	if err := one.visit(ctx, func(*expect.Console) error { return nil }); err != nil { // gdb's first words
		t.Fatal(err)
	}
	const visits = 20
	for i := range visits {
		err := one.visit(ctx, func(c *expect.Console) error {
			return do(ctx, c, fmt.Sprintf("-data-evaluate-expression %d", 1000+i))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	two := &frontEnd{name: "two", addr: addr, out: &out}
	err = two.visit(ctx, func(c *expect.Console) error {
		_, err := c.Expect(ctx, expect.Text(fmt.Sprintf(`^done,value="%d"`, 1000+visits-1)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if one.saw.String() != two.saw.String() {
		t.Errorf("the first saw\n%q\nthe second\n%q", &one.saw, &two.saw)
	}
	for i := range visits {
		if n := strings.Count(one.saw.String(), fmt.Sprintf(`"%d"`, 1000+i)); n != 1 {
			t.Errorf("answer %d was seen %d times", i, n)
		}
	}
}
