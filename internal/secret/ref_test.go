package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, s := range []string{
		"env:PW", "env:a.b", "file:/run/pw", "file:a b:c", "fd:0", "fd:3",
		"cmd:pass show r1", `cmd:sh -c 'a | b # c'`, `cmd:echo "a;b" \$x`, "ask:", "ask:One-time code",
	} {
		r, err := Parse(s)
		if err != nil || r.String() != s {
			t.Errorf("Parse(%q) = %v, %v", s, r, err)
		}
		if again, _ := Parse(s); again != r {
			t.Errorf("%q read twice is not equal", s)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const none = "not a reference to a secret: want env:NAME, file:PATH, fd:N, cmd:COMMAND or ask:PROMPT"
	for s, want := range map[string]string{
		"":                none,
		"hunter2":         none,
		"hunter2:x":       none,
		" env:PW":         none,
		"ENV:PW":          none,
		"env:":            "env: wants the name of a variable",
		"env:PW=hunter2":  "env: wants the name of a variable",
		"file:":           "file: wants a path",
		"fd:":             "fd: wants the number of a descriptor",
		"fd:-1":           "fd: wants the number of a descriptor",
		"fd:03":           "fd: wants the number of a descriptor",
		"fd:99999999999":  "fd: wants the number of a descriptor",
		"fd:hunter2":      "fd: wants the number of a descriptor",
		"cmd:":            "cmd: wants a command",
		"cmd: ":           "cmd: wants a command",
		"cmd:''":          "cmd: wants a command",
		"cmd:echo 'a":     "cmd: a quote is not closed, or a backslash is last",
		`cmd:echo a\`:     "cmd: a quote is not closed, or a backslash is last",
		"cmd:a | b":       "cmd: there is no shell here, '|' has no meaning; write sh -c '…'",
		"cmd:a; b":        "cmd: there is no shell here, ';' has no meaning; write sh -c '…'",
		"cmd:echo $HOME":  "cmd: there is no shell here, '$' has no meaning; write sh -c '…'",
		"cmd:a # b":       "cmd: there is no shell here, '#' has no meaning; write sh -c '…'",
		"cmd:a `b`":       "cmd: there is no shell here, '`' has no meaning; write sh -c '…'",
		`cmd:'a' "b" > c`: "cmd: there is no shell here, '>' has no meaning; write sh -c '…'",
		`cmd:'\' * '`:     "cmd: there is no shell here, '*' has no meaning; write sh -c '…'",
	} {
		r, err := Parse(s)
		if err == nil || err.Error() != want || r != (Ref{}) {
			t.Errorf("Parse(%q) = %v, %v, want %s", s, r, err, want)
		}
	}
}

func TestRefIsStored(t *testing.T) {
	type config struct{ A, B Ref }
	r, _ := Parse("env:PW")
	b, err := json.Marshal(config{A: r})
	if want := `{"A":"env:PW","B":""}`; string(b) != want || err != nil {
		t.Fatalf("stored as %s, %v, want %s", b, err, want)
	}
	var back config
	if err := json.Unmarshal(b, &back); err != nil || back != (config{A: r}) {
		t.Errorf("read back as %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"A":"hunter2"}`), &back); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("what is no reference: %v", err)
	}
}

// read reads a reference to its end.
func read(t *testing.T, ctx context.Context, ref string) (string, error) {
	t.Helper()
	r, err := Parse(ref)
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Read(ctx)
	defer v.Wipe()
	return string(v.Bytes()), err
}

func TestReadEnv(t *testing.T) {
	t.Setenv("SECRET_TEST_PW", "hunter2\n")
	if got, err := read(t, t.Context(), "env:SECRET_TEST_PW"); got != "hunter2\n" || err != nil {
		t.Errorf("got %q, %v, want it as it is", got, err)
	}
	t.Setenv("SECRET_TEST_PW", "")
	if got, err := read(t, t.Context(), "env:SECRET_TEST_PW"); err == nil || err.Error() != `secret "env:SECRET_TEST_PW": it is empty` {
		t.Errorf("empty: %q, %v", got, err)
	}
	os.Unsetenv("SECRET_TEST_PW") // Setenv puts it back
	if got, err := read(t, t.Context(), "env:SECRET_TEST_PW"); err == nil || err.Error() != `secret "env:SECRET_TEST_PW": the variable is not set` {
		t.Errorf("not set: %q, %v", got, err)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pw")
	for content, want := range map[string]string{
		"hunter2":                  "hunter2",
		"hunter2\n":                "hunter2",
		"hunter2\r\n":              "hunter2",
		"hunter2\n\n":              "hunter2\n",
		"hunter2\r":                "hunter2\r",
		"a\nb\n":                   "a\nb",
		" \x00\xff\n":              " \x00\xff",
		strings.Repeat("x", limit): strings.Repeat("x", limit),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := read(t, t.Context(), "file:"+path); got != want || err != nil {
			t.Errorf("a file of %.40q gives %.40q, %v", content, got, err)
		}
	}
	for content, want := range map[string]string{
		"":                           "it is empty",
		"\n":                         "it is empty",
		"\r\n":                       "it is empty",
		strings.Repeat("x", limit+1): "it is longer than 64 KiB",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		want = fmt.Sprintf("secret %q: %s", "file:"+path, want)
		if got, err := read(t, t.Context(), "file:"+path); err == nil || err.Error() != want {
			t.Errorf("a file of %.40q gives %.40q, %v, want %s", content, got, err, want)
		}
	}
	if _, err := read(t, t.Context(), "file:"+path+".no"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestReadNothing(t *testing.T) {
	if v, err := (Ref{}).Read(t.Context()); err == nil {
		t.Errorf("the zero Ref gives %q", v.Bytes())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("SECRET_TEST_PW", "hunter2")
	if got, err := read(t, ctx, "env:SECRET_TEST_PW"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of ctx: %q, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"env:PW", "file:x", "fd:3", `cmd:a 'b' "c" \d`, "cmd:a|b", "ask:x", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err == nil && r.String() != s {
			t.Fatalf("Parse(%q) prints as %q", s, r)
		}
		if command, ok := strings.CutPrefix(s, "cmd:"); ok && err == nil {
			if args, err := words(command); err != nil || len(args) == 0 {
				t.Fatalf("%q is split into %q, %v", command, args, err)
			}
		}
	})
}
