package clitest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/internal/clitest/report"
)

// asks prints the password that it was given, and ends with 1.
const asks = `sh -c 'stty -echo; printf "P: "; read -r p; stty echo; echo; printf "got %s\n" "$p"; exit 1'`

// A secret that was typed stands in nothing that a failed test tells or leaves, whatever failed.
func TestSecretsDoNotLeave(t *testing.T) {
	const value = `hunter2\zz"x`
	t.Setenv("PW", value)
	begin := "spawn -size 9x60 " + asks + "\nexpect 'P: '\nsendsecret env:PW\n"
	for name, script := range map[string]string{
		"wait":         begin + "wait\n",
		"expect":       begin + "expect -timeout 10ms nothing\n",
		"on":           "spawn " + asks + "\non 'P: ' '<secret env:PW>'\nwait\n",
		"stdout":       begin + "! wait\nstdout nothing\n",
		"not stdout":   begin + "! wait\n! stdout 'h[u]nter2.{3}'\n",
		"cmp":          begin + "! wait\ncmp stdout want\n-- want --\nother\n",
		"grep":         begin + "! wait\ncp stdout f\ngrep nothing f\n",
		"cut":          "spawn " + strings.Replace(asks, `"got %s\n"`, `"%03990d%s\n" 0`, 1) + "\nexpect 'P: '\nsendsecret env:PW\nwait\n",
		"screen":       begin + "expect got\nscreen none\n",
		"other screen": begin + "expect got\nscreen other\n-- other.screen --\n|other\n",
		"ended screen": begin + "! wait\nscreen other\n-- other.screen --\n|other\n",
		"another":      begin + "! wait\n@b spawn sh -c 'cat f; exit 1'\n@b wait\n",
		"before it":    "@b spawn sh -c 'cat f; sleep 100'\n@b expect got\n" + begin + "wait\n",
		"arguments":    begin + "! wait\nexec sh -c 'exit 1' $PW2\n",
		"exec":         begin + "! wait\nexec sh -c 'cat f; cat f >&2; exit 1'\n",
		"late":         begin + "! wait\nexec sh -c 'cat f; exec sleep 100'\n",
		"retry":        begin + "! wait\nretry 1ms exec sh -c 'cat f; exit 1'\n",
		"remark":       begin + "! wait\nenv PW2\nexec false\n",
		"skip":         begin + "! wait\nskip $PW2\n",
		"background":   begin + "! wait\nexec sh -c 'cat f; exit 1' &\nwait\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keep := filepath.Join(t.TempDir(), "kept")
			script, files, _ := strings.Cut(script, "-- ")
			if files != "" {
				files = "-- " + files
			}
			script = "cp from f\nenv PW2='" + value + "'\n" + script
			path := filepath.Join(t.TempDir(), "x.txtar")
			text := script + files
			if !strings.HasSuffix(text, "\n") {
				text += "\n"
			}
			if err := os.WriteFile(path, []byte(text+"-- from --\ngot "+value+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			test := readAs(t, path, "x.txtar")
			out, err := Run(t.Context(), []*Test{test}, Options{Wait: time.Second, Timeout: 3 * time.Second, Keep: keep}, quiet{})
			if err != nil {
				t.Fatal(err)
			}
			if r := out.Results[0]; name != "skip" && (r.Outcome != report.Failed || strings.Contains(r.Attempts[0].Error, "sendsecret")) {
				t.Fatalf("%s: %s", r.Outcome, r.Attempts[0].Error)
			}
			told := map[string]string{}
			for format, write := range map[string]func(b *bytes.Buffer){
				"JUnit":  func(b *bytes.Buffer) { _ = report.JUnit(b, out.Results, 0) },
				"JSON":   func(b *bytes.Buffer) { _ = report.JSON(b, out.Results, 0) },
				"GitHub": func(b *bytes.Buffer) { report.GitHub(b, out.Results, "") },
				"TAP":    func(b *bytes.Buffer) { (&report.TAP{W: b}).Done(out.Results[0]) },
				"text":   func(b *bytes.Buffer) { (&report.Text{W: b, Verbose: true}).Done(out.Results[0]) },
			} {
				var b bytes.Buffer
				write(&b)
				told[format] = b.String()
			}
			_ = filepath.WalkDir(keep, func(path string, e fs.DirEntry, err error) error {
				if err == nil && e.Name() == "work" {
					return fs.SkipDir // the test's own files are left as they are
				}
				if err == nil && !e.IsDir() {
					data, _ := os.ReadFile(path)
					told[e.Name()] = string(data)
				}
				return nil
			})
			if name != "skip" && (told["script.txt"] == "" || told["index.html"] == "") {
				t.Error("the folder lacks files")
			}
			for where, text := range told {
				if i := strings.Index(text, "unter2"); i >= 0 {
					t.Errorf("%s shows the secret: %.200s", where, text[max(0, i-100):])
				}
			}
		})
	}
}

// A secret that is given again when the test is run again is hidden also where it comes before it is typed.
func TestSecretsOfEarlierAttempts(t *testing.T) {
	t.Setenv("PW", "hunter2zz")
	flag := filepath.Join(t.TempDir(), "flag")
	r, _ := runScript(t, "spawn sh -c 'test ! -e "+flag+" || { echo hunter2\\zz; exit 1; }; "+strings.TrimPrefix(asks, "sh -c '")+
		"\nexpect 'P: '\nsendsecret env:PW\n! wait\nexec touch "+flag+"\nexec false\n", Options{Retries: 1})
	if len(r.Attempts) != 2 || !strings.Contains(r.Attempts[1].Error, "[secret]") || strings.Contains(r.Attempts[1].Error, "hunter2zz") {
		t.Errorf("%d attempts: %s", len(r.Attempts), r.Attempts[len(r.Attempts)-1].Error)
	}
}

// -u does not write a secret into the test; where the file masks it, it may stand there.
func TestUpdateWritesNoSecrets(t *testing.T) {
	t.Setenv("PW", "hunter2zz")
	begin := "spawn -size 5x40 " + asks + "\nexpect 'P: '\nsendsecret env:PW\n! wait\n"
	for _, tt := range []struct{ script, want string }{
		{"screen a\n", "x.txtar:5: screen: -u cannot write a.screen: a secret stands in it"},
		{"cmp stdout want\n-- want --\nold\n", "x.txtar:5: cmp: -u cannot write want: a secret stands in it"},
		{"screen a\n-- a.screen --\n|old\n|got [..]\n", ""},
	} {
		r, path := runScript(t, begin+tt.script, Options{Update: true})
		first, _, _ := strings.Cut(r.Attempts[0].Error, "\n")
		if data, _ := os.ReadFile(path); first != tt.want || strings.Contains(string(data), "hunter") {
			t.Errorf("%q\n%s", first, data)
		}
	}
}

// Words of ours stay, whatever the password is.
func TestVeilKeepsOurWords(t *testing.T) {
	var v veil
	v.add([]byte("secret"))
	v.add([]byte("e"))
	if got := v.words("x.txtar:3: sendsecret: typed [secret], saw secret"); got != "x.txtar:3: sendsecret: typed [secret], saw [secret]" {
		t.Error(got)
	}
	if got := v.output("e3"); got != "[secret]3" {
		t.Error(got)
	}
}
