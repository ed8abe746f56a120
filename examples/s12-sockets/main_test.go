//go:build linux

package main

import (
	"strings"
	"testing"
)

func TestBothClientsTalkToTheSameShell(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir()) // where the certificate is made
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := "greeting=hello; echo set > set\n" +
		"echo $greeting again > hello again\n" +
		"with a wrong token: not admitted\n"
	if got := out.String(); got != want {
		t.Errorf("it prints\n%s\nwant\n%s", got, want)
	}
}
