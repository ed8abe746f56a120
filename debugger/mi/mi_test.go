package mi_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/debugger/mi"
)

func pair(name string, v mi.Value) mi.Pair { return mi.Pair{Name: name, Value: v} }

func TestParse(t *testing.T) {
	tests := []struct {
		line string
		want mi.Record
	}{
		{"(gdb) ", mi.Record{Kind: mi.Prompt}},
		{"(gdb)", mi.Record{Kind: mi.Prompt}},
		{"(gdb) \r", mi.Record{Kind: mi.Prompt}},
		{"^done", mi.Record{Kind: mi.Result, Class: "done"}},
		{"12^running", mi.Record{Kind: mi.Result, Token: "12", Class: "running"}},
		{"007^exit\r", mi.Record{Kind: mi.Result, Token: "007", Class: "exit"}},
		{`3^error,msg="No symbol \"x\" in current context.",code="undefined-command"`, mi.Record{Kind: mi.Result, Token: "3", Class: "error",
			Results: mi.Tuple{pair("msg", mi.Const(`No symbol "x" in current context.`)), pair("code", mi.Const("undefined-command"))}}},
		{`*stopped,reason="breakpoint-hit",frame={addr="0x1",args=[{name="n",value="3"}]},thread-id="1"`, mi.Record{Kind: mi.Exec, Class: "stopped",
			Results: mi.Tuple{pair("reason", mi.Const("breakpoint-hit")),
				pair("frame", mi.Tuple{pair("addr", mi.Const("0x1")), pair("args", mi.List{pair("", mi.Tuple{pair("name", mi.Const("n")), pair("value", mi.Const("3"))})})}),
				pair("thread-id", mi.Const("1"))}}},
		{`=thread-group-added,id="i1"`, mi.Record{Kind: mi.Notify, Class: "thread-group-added", Results: mi.Tuple{pair("id", mi.Const("i1"))}}},
		{`+download,{section=".text"}`, mi.Record{Kind: mi.Status, Class: "download", Results: mi.Tuple{pair("", mi.Tuple{pair("section", mi.Const(".text"))})}}},
		{`~"tab\there\nand \\ \"quote\" \033[1m\303\244"`, mi.Record{Kind: mi.Console, Text: "tab\there\nand \\ \"quote\" \x1b[1mä"}},
		{`&"\377\376"`, mi.Record{Kind: mi.Log, Text: "\xff\xfe"}},
		{`@"x"`, mi.Record{Kind: mi.Target, Text: "x"}},
		{`~""`, mi.Record{Kind: mi.Console}},
		// several locations: tuples without a name
		{`=breakpoint-modified,bkpt={number="1"},{number="1.1"}`, mi.Record{Kind: mi.Notify, Class: "breakpoint-modified", Results: mi.Tuple{
			pair("bkpt", mi.Tuple{pair("number", mi.Const("1"))}), pair("", mi.Tuple{pair("number", mi.Const("1.1"))})}}},
		{`^done,script={"silent","p x"}`, mi.Record{Kind: mi.Result, Class: "done", Results: mi.Tuple{
			pair("script", mi.Tuple{pair("", mi.Const("silent")), pair("", mi.Const("p x"))})}}},
		{`^done,stack=[frame={level="0"},frame={level="1"}],e=[],t={}`, mi.Record{Kind: mi.Result, Class: "done", Results: mi.Tuple{
			pair("stack", mi.List{pair("frame", mi.Tuple{pair("level", mi.Const("0"))}), pair("frame", mi.Tuple{pair("level", mi.Const("1"))})}),
			pair("e", mi.List(nil)), pair("t", mi.Tuple(nil))}}},
		// what is no line of gdb's
		{"", mi.Record{Kind: mi.Other}},
		{"hello", mi.Record{Kind: mi.Other, Text: "hello"}},
		{"42 is the answer\r", mi.Record{Kind: mi.Other, Text: "42 is the answer"}},
		{"(gdb) p 1", mi.Record{Kind: mi.Other, Text: "(gdb) p 1"}},
	}
	for _, tt := range tests {
		got, err := mi.Parse([]byte(tt.line))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", tt.line, got, err, tt.want)
		}
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		`^`:                       "column 2: a class is missing",
		`*** done`:                "column 2: a class is missing",
		`^done,`:                  "column 7: '=' is missing",
		`^done,a`:                 "column 8: '=' is missing",
		`^done,a=`:                "column 9: a value is missing",
		`^done,a="x`:              "a string does not end",
		`^done,a="x\`:             "a string does not end",
		`^done,a={b="1"`:          "column 15: '}' is missing",
		`^done,a=[b="1"}`:         "column 15: ']' is missing",
		`^done,a="1" `:            "column 12: something follows",
		`^done;a="1"`:             "column 6: ',' is missing",
		`~no quotes`:              `column 2: '"' is missing`,
		`~"a"b`:                   "column 5: something follows",
		`^done,a=` + nested(1000): "values nest too deep",
	} {
		got, err := mi.Parse([]byte(line))
		if err == nil || !strings.Contains(err.Error(), want) || got.Kind != mi.Other || got.Text != line {
			t.Errorf("%.40q: %+v, %v; want an error with %q", line, got, err, want)
		}
	}
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestTuple(t *testing.T) {
	r, err := mi.Parse([]byte(`^done,bkpt={number="1",locations=[{number="1.1"}]},n="a",n="b"`))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Results.String("bkpt", "number"); got != "1" {
		t.Errorf("number %q", got)
	}
	if got := r.Results.Tuple("bkpt").List("locations"); len(got) != 1 || got[0].Value.(mi.Tuple).String("number") != "1.1" {
		t.Errorf("locations %+v", got)
	}
	if r.Results.Get("bkpt", "no") != nil || r.Results.String("n", "x") != "" || r.Results.Tuple("no") != nil || r.Results.List("n") != nil {
		t.Error("what is not there is there")
	}
	if got := r.Results.String("n"); got != "a" {
		t.Errorf("the first n is %q", got)
	}
}

func TestJSON(t *testing.T) {
	for line, want := range map[string]string{
		`^done`:                                     `{}`,
		`^done,b="1",a={},l=[]`:                     `{"b":"1","a":{},"l":[]}`,
		`^done,n="1",m="2",n="3"`:                   `{"n":["1","3"],"m":"2"}`,
		`^done,bkpt={number="1"},{number="2"}`:      `{"bkpt":{"number":"1"},"":[{"number":"2"}]}`,
		`^done,stack=[frame={l="0"},frame={l="1"}]`: `{"stack":[{"l":"0"},{"l":"1"}]}`,
		`^done,s="\377\""`:                          `{"s":"\ufffd\""}`,
	} {
		r, err := mi.Parse([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		got, err := json.Marshal(r.Results)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", line, got, err, want)
		}
	}
}

// The lines do not depend on how the bytes were cut.
func TestLines(t *testing.T) {
	whole := "^done\r\n\n(gdb) \n~\"a\\n\"\n" + strings.Repeat("x", 70_000) + "\nrest"
	collect := func(cut func(left int) int) (lines []string) {
		var l mi.Lines
		for p := []byte(whole); len(p) > 0; {
			n := cut(len(p))
			l.Feed(p[:n], func(line []byte, lost int64) { lines = append(lines, fmt.Sprintf("%s %d", line, lost)) })
			p = p[n:]
		}
		return append(lines, "rest: "+string(l.Rest()))
	}
	want := collect(func(left int) int { return left })
	if len(want) != 6 || want[5] != "rest: rest" || want[0] != "^done\r 0" {
		t.Fatalf("%.200q", want)
	}
	if got := collect(func(int) int { return 1 }); !reflect.DeepEqual(got, want) {
		t.Errorf("byte by byte: %.200q", got)
	}
	for range 100 {
		if got := collect(func(left int) int { return 1 + rand.IntN(left) }); !reflect.DeepEqual(got, want) {
			t.Fatalf("cut at random: %.200q", got)
		}
	}
}

func TestALineThatIsTooLong(t *testing.T) {
	var l mi.Lines
	var got []int64
	each := func(line []byte, lost int64) { got = append(got, int64(len(line)), lost) }
	piece := make([]byte, 1<<20)
	for range 20 {
		l.Feed(piece, each)
	}
	l.Feed([]byte("\nnext\n"), each)
	if want := []int64{mi.MaxLine, 4 << 20, 4, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"main": "main", "a b": `"a b"`, "": `""`, `a"b\`: `"a\"b\\"`, "a\nb": `"a\nb"`, "-x": `"-x"`, "prog.c:12": "prog.c:12",
	} {
		if got := mi.Quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if token, rest := mi.SplitToken("12-exec-run"); token != "12" || rest != "-exec-run" {
		t.Errorf("%q %q", token, rest)
	}
}

// Everything that the real gdb says is in the language, and says what it should.
func TestGDB(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "prog.c")
	if err := os.WriteFile(source, []byte(`#include <stdio.h>
struct point { int x, y; const char *name; };
static int sum(struct point p) { return p.x + p.y; }
int main(void) {
	struct point p = { 1, 2, "caf\303\251 \377 \"q\"\n" };
	int list[3] = { 1, 2, 3 };
	return sum(p) + list[0] - 4;
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "prog")
	if out, err := exec.CommandContext(t.Context(), "cc", "-g", "-O0", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "gdb", "-nx", "-q", "--interpreter=mi", program)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBUGINFOD_URLS=")
	cmd.Stdin = strings.NewReader(strings.Join([]string{
		"1-break-insert sum", "2-exec-run", "3-stack-list-frames", "4-stack-list-variables --all-values", "5-data-evaluate-expression p",
		"6-var-create - * p", "7-var-list-children --all-values var1", "8-break-list", "9-stack-list-frames 99", `10-interpreter-exec console "info registers rip"`,
		"11-thread-info", "12-list-features", "13-exec-continue", "14-gdb-exit",
	}, "\n") + "\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	results, kinds := map[string]mi.Record{}, map[mi.Kind]int{}
	var l mi.Lines
	l.Feed(out, func(line []byte, _ int64) {
		r, err := mi.Parse(line)
		if err != nil || r.Kind == mi.Other {
			t.Errorf("%q: %v", line, err)
		}
		kinds[r.Kind]++
		if r.Kind == mi.Result {
			results[r.Token] = r
		}
	})
	for token, want := range map[string]struct {
		class, path, value string
	}{
		"1":  {"done", "bkpt func", "sum"},
		"2":  {"running", "", ""},
		"5":  {"done", "value", `{x = 1, y = 2, name = `},
		"7":  {"done", "numchild", "3"},
		"8":  {"done", "BreakpointTable nr_rows", "1"},
		"9":  {"error", "msg", "-stack-list-frames: "},
		"14": {"exit", "", ""},
	} {
		r := results[token]
		var got string
		if want.path != "" {
			got = r.Results.String(strings.Fields(want.path)...)
		}
		if r.Class != want.class || !strings.HasPrefix(got, want.value) {
			t.Errorf("%s: %+v, want %+v", token, r, want)
		}
	}
	if s := results["5"].Results.String("value"); !strings.Contains(s, `\377`) || !strings.Contains(s, "\\n") {
		t.Errorf("the bytes of the name: %q", s)
	}
	for _, k := range []mi.Kind{mi.Exec, mi.Notify, mi.Console, mi.Prompt} {
		if kinds[k] == 0 {
			t.Errorf("no %s", k)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`12^done,bkpt={number="1",l=[{a="b"},{a="c"}]},{x="\303\251"}`, `*stopped,reason="x"`, "(gdb) ", `~"a\\\""`, "^", "1^done,a=[[[{",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := mi.Parse(line)
		if err != nil && r.Kind != mi.Other {
			t.Fatalf("%+v with %v", r, err)
		}
		b, err := json.Marshal(r.Results)
		if err != nil || !json.Valid(b) {
			t.Fatalf("%q: %s, %v", line, b, err)
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\nb\r\nc"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		var l mi.Lines
		var got []byte
		for p := data; len(p) > 0; {
			n := min(1+int(size), len(p))
			l.Feed(p[:n], func(line []byte, _ int64) { got = append(append(got, line...), '\n') })
			p = p[n:]
		}
		if got = append(got, l.Rest()...); string(got) != string(data) {
			t.Fatalf("%q became %q", data, got)
		}
	})
}

func ExampleParse() {
	r, err := mi.Parse([]byte(`12^done,bkpt={number="1",file="prog.c",line="7"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	bkpt := r.Results.Tuple("bkpt")
	fmt.Println(r.Kind, r.Token, r.Class, bkpt.String("file"), bkpt.String("line"))
	// Output: result 12 done prog.c 7
}
