package expect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// A farSide is the other end of a conversation in memory.
type farSide struct {
	t *testing.T
	net.Conn
}

func (f farSide) say(text string) {
	_, _ = io.WriteString(f.Conn, text) // when nobody reads any more, the test has what it wants
}

// hear reads exactly this, and reports anything else.
func (f farSide) hear(want string) {
	f.t.Helper()
	buf := make([]byte, len(want))
	if _, err := io.ReadFull(f.Conn, buf); err != nil || string(buf) != want {
		f.t.Errorf("far side: got %q, want %q, %v", buf, want, err)
	}
}

func talk(t *testing.T) (*expect.Console, farSide) {
	a, b := net.Pipe()
	c := expect.New(a, a)
	t.Cleanup(func() {
		c.Close()
		b.Close()
	})
	return c, farSide{t, b}
}

// cuts feeds text whole, byte by byte and at random places.
func cuts(text string) map[string][]string {
	all := map[string][]string{"whole": {text}}
	for i := range len(text) {
		all["bytes"] = append(all["bytes"], text[i:i+1])
	}
	rng := rand.New(rand.NewPCG(uint64(len(text)), 7))
	for rest := text; rest != ""; {
		n := min(1+rng.IntN(5), len(rest))
		all["random"] = append(all["random"], rest[:n])
		rest = rest[n:]
	}
	return all
}

func TestTheAnswerDoesNotDependOnReads(t *testing.T) {
	type want struct {
		index        int
		before, text string
	}
	tests := []struct {
		output string
		view   expect.View
		cases  []expect.Pattern
		want   want
	}{
		{"login: ", expect.Raw, []expect.Pattern{expect.Text("login: ")}, want{0, "", "login: "}},
		{"xx foobar", expect.Raw, []expect.Pattern{expect.Text("foobar"), expect.Text("foo")}, want{0, "xx ", "foobar"}},
		{"xx foobaz", expect.Raw, []expect.Pattern{expect.Text("foobar"), expect.Text("foo")}, want{1, "xx ", "foo"}},
		{"n: 12345\n", expect.Raw, []expect.Pattern{expect.Regexp(`\d+`)}, want{0, "n: ", "12345"}},
		{"one\ntwo\n", expect.Raw, []expect.Pattern{expect.Regexp(`.+`)}, want{0, "", "one"}},
		{"a$ b$ ", expect.Raw, []expect.Pattern{expect.Regexp(`\$ $`)}, want{0, "a$ b", "$ "}},
		{"Proceed [Y/n] ", expect.Raw, []expect.Pattern{expect.Text("[Y/n]")}, want{0, "Proceed ", "[Y/n]"}},
		{"\x1b[1mbold\x1b[0m\r\nnext\r\n", expect.Plain, []expect.Pattern{expect.Text("bold\nnext\n")}, want{0, "", "bold\nnext\n"}},
		{"\x1b]0;title\x07$ ", expect.Plain, []expect.Pattern{expect.Regexp(`(?m)^\$ $`)}, want{0, "", "$ "}},
		{"caf\xc3\xa9 \xff!", expect.Raw, []expect.Pattern{expect.Regexp(`é .!`)}, want{0, "caf", "é \xff!"}},
		{"the end", expect.Raw, []expect.Pattern{expect.Text("nothing"), expect.EOF}, want{1, "the end", ""}},
	}
	for _, tt := range tests {
		for name, pieces := range cuts(tt.output) {
			t.Run(fmt.Sprintf("%q/%s", tt.output, name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, far := talk(t)
					go func() {
						for _, p := range pieces {
							far.say(p)
						}
						far.Close()
					}()
					c = c.With(expect.Options{View: tt.view})
					m, err := c.Expect(t.Context(), tt.cases...)
					if got := (want{m.Index, m.Before, m.Text}); err != nil || got != tt.want {
						t.Errorf("got %+v, want %+v, %v", got, tt.want, err)
					}
				})
			})
		}
	}
}

// So it is where much is searched in one piece, and given up behind the search.
func TestMuchPlainTextDoesNotDependOnReads(t *testing.T) {
	line := "\x1b[1m%06d\x1b[0m a line of a log\r\n10%%\r20%%\r\r\n\x1b]0;title\x07"
	var raw, text strings.Builder
	for i := range 30000 {
		fmt.Fprintf(&raw, line, i)
		fmt.Fprintf(&text, "%06d a line of a log\n10%%\r20%%\n", i)
	}
	at := int64(strings.LastIndexByte(raw.String(), '\n') + 1)
	raw.WriteString("\x1b[1mthe\x1b[0m end\r\nrest")
	for _, most := range []int{64 << 10, 3000} {
		c, far := talk(t)
		go func() {
			rng := rand.New(rand.NewPCG(uint64(most), 7))
			for rest := raw.String(); rest != ""; {
				n := min(1+rng.IntN(most), len(rest))
				far.say(rest[:n])
				rest = rest[n:]
			}
		}()
		c = c.With(expect.Options{View: expect.Plain})
		m, err := c.Expect(t.Context(), expect.Regexp(`t(h)e end\n`))
		if err != nil {
			t.Fatal(err)
		}
		if m.Offset != at || m.End != int64(raw.Len()-len("rest")) || m.Text != "the end\n" || m.Groups[1] != "h" {
			t.Errorf("pieces of %d: %q at %d to %d, want %d", most, m.Groups, m.Offset, m.End, at)
		}
		if !strings.HasSuffix(text.String(), m.Before) || len(m.Before) < 200_000 || !m.Truncated {
			t.Errorf("pieces of %d: %d bytes before, truncated %v", most, len(m.Before), m.Truncated)
		}
		if m, err = c.Expect(t.Context(), expect.Text("rest")); err != nil || m.Before != "" {
			t.Errorf("pieces of %d: behind it %+v, %v", most, m, err)
		}
	}
}

func TestAMatchConsumesToItsEndAndNoFurther(t *testing.T) {
	c, far := talk(t)
	go far.say("user: \x1b[0m password: rest")
	c = c.With(expect.Options{View: expect.Plain})
	first, err := c.Expect(t.Context(), expect.Text("user:"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Expect(t.Context(), expect.Regexp(`(?P<word>pass\w+):`))
	if err != nil {
		t.Fatal(err)
	}
	if first.End != 5 || second.Before != "  " || second.Offset != 11 || second.End != 20 {
		t.Errorf("%+v\n%+v", first, second)
	}
	if second.Group("word") != "password" || second.Groups[0] != "password:" || second.Group("none") != "" {
		t.Errorf("groups %q", second.Groups)
	}
}

// A text is decided with its last byte: no pause is needed.
func TestTextNeedsNoPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := talk(t)
		go far.say("$ ")
		began := time.Now()
		if _, err := c.Expect(t.Context(), expect.Text("$ ")); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("took %v", d)
		}
	})
}

// What more output could change is kept until the output is quiet.
func TestUndecidedWaitsForQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := talk(t)
		go func() {
			for _, p := range []string{"1", "2", "3"} {
				far.say(p)
				time.Sleep(15 * time.Millisecond)
			}
		}()
		began := time.Now()
		m, err := c.Expect(t.Context(), expect.Regexp(`\d+`))
		if err != nil || m.Text != "123" {
			t.Errorf("%q, %v", m.Text, err)
		}
		if d := time.Since(began); d != 50*time.Millisecond {
			t.Errorf("took %v", d)
		}
		go far.say("7")
		m, err = c.With(expect.Options{Settle: -1}).Expect(t.Context(), expect.Regexp(`\d+`))
		if err != nil || m.Text != "7" {
			t.Errorf("%q, %v", m.Text, err)
		}
	})
}

func TestUndecidedIsTakenWhenTooMuchFollows(t *testing.T) {
	c, far := talk(t)
	go far.say("foo" + strings.Repeat("x", 200<<10))
	m, err := c.Expect(t.Context(), expect.Regexp(`(?s)foo(.*bar)?`))
	if err != nil || m.Text != "foo" {
		t.Errorf("%q, %v", m.Text, err)
	}
}

func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := talk(t)
		go func() {
			for range 100 {
				if _, err := far.Write([]byte(".")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		began := time.Now()
		_, err := c.Expect(t.Context(), expect.Text("never"))
		var e *expect.Error
		if !errors.As(err, &e) || !e.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v", err)
		}
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("a chatty program kept the wait for %v", d)
		}
		if !strings.HasPrefix(err.Error(), "expect: nothing matched in 30s\n  wanted   \"never\"\n  unread   \".....") {
			t.Errorf("%v", err)
		}
		_, err = c.With(expect.Options{Timeout: -1, IdleTimeout: 500 * time.Millisecond}).Expect(t.Context(), expect.Text("never"))
		if !errors.As(err, &e) || !e.Timeout() || !strings.HasPrefix(err.Error(), "expect: no output for 500ms, and nothing matched\n") {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err = c.Expect(ctx, expect.Text("never")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		far.Close()
		time.Sleep(2 * time.Second) // the far side notices
	})
}

func TestIdleMatchesSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far := talk(t)
		go func() {
			far.say("a")
			time.Sleep(time.Second)
			far.say("b")
		}()
		began := time.Now()
		m, err := c.Expect(t.Context(), expect.Idle(2*time.Second), expect.EOF)
		if err != nil || m.Before != "ab" || m.Pattern != expect.Idle(2*time.Second) {
			t.Errorf("%+v, %v", m, err)
		}
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestWhatIsNotListedIsAnError(t *testing.T) {
	c, far := talk(t)
	go func() {
		far.say("bye")
		far.Close()
	}()
	_, err := c.Expect(t.Context(), expect.Text("hello"))
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	want := "expect: the output ended before a match\n  wanted   \"hello\"\n  unread   \"bye\""
	if err.Error() != want {
		t.Errorf("%s", err)
	}
	m, err := c.Expect(t.Context(), expect.EOF)
	if err != nil || m.Before != "bye" {
		t.Errorf("nothing is lost by an error: %+v, %v", m, err)
	}
}

func TestBadCasesAreErrorsAtOnce(t *testing.T) {
	c, _ := talk(t)
	for _, p := range []expect.Pattern{expect.Regexp(`(`), nil, expect.Key("f1"), expect.On(expect.Text("x"), nil), expect.On(nil, expect.Line("x"))} {
		if _, err := c.Expect(t.Context(), expect.EOF, p); !errors.Is(err, expect.ErrPattern) {
			t.Errorf("%v: %v", p, err)
		}
	}
}

func TestRules(t *testing.T) {
	c, far := talk(t)
	go func() {
		far.say("name? ")
		far.hear("Ada\n")
		far.say("sure? ")
		far.hear("y\n")
		far.say("--More--")
		far.hear(" ")
		far.say("--More--")
		far.hear(" ")
		far.say("done\n")
		far.say("sure? ")
		far.hear("y\n")
		far.say("end\n")
	}()
	remove := c.Always(expect.On(expect.Text("sure? "), expect.Line("y")))
	m, err := c.Expect(t.Context(),
		expect.On(expect.Text("name? "), expect.Line("Ada")),
		expect.On(expect.Text("--More--"), expect.Keys("space")),
		expect.Text("done\n"))
	if err != nil || m.Index != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	if m, err = c.Expect(t.Context(), expect.Text("end\n")); err != nil {
		t.Fatal(err)
	}
	remove()
	go far.say("sure? ")
	if m, err = c.Expect(t.Context(), expect.Text("sure? ")); err != nil || m.Index != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRulesThatEndTheCall(t *testing.T) {
	c, far := talk(t)
	go far.say("one two three four ")
	done := expect.On(expect.Text("one "), func(context.Context, *expect.Console, expect.Match) error { return expect.Done })
	m, err := c.Expect(t.Context(), done, expect.EOF)
	if err != nil || m.Pattern != expect.Text("one ") || m.Index != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	boom := errors.New("boom")
	c.Always(expect.On(expect.Text("two "), func(context.Context, *expect.Console, expect.Match) error { return boom }))
	if m, err = c.Expect(t.Context(), expect.EOF); !errors.Is(err, boom) || m.Index != -1 {
		t.Errorf("%+v, %v", m, err)
	}
	// An action may itself wait on the conversation.
	inner := expect.On(expect.Text("three "), func(ctx context.Context, c *expect.Console, _ expect.Match) error {
		_, err := c.Expect(ctx, expect.Text("four "))
		return errors.Join(err, expect.Done)
	})
	if m, err = c.Expect(t.Context(), inner); err != nil {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMaxIsHowOftenARuleMayFire(t *testing.T) {
	c, far := talk(t)
	go func() {
		for range 3 {
			far.say("again? ")
			far.hear("y\n")
		}
		far.say("again? ")
	}()
	rule := expect.Rule{When: expect.Text("again? "), Do: expect.Line("y"), Max: 3}
	if _, err := c.Expect(t.Context(), rule); !errors.Is(err, expect.ErrRepeated) {
		t.Errorf("%v", err)
	}
}

func TestPasswordIsGivenOnce(t *testing.T) {
	c, far := talk(t)
	c = c.With(expect.Options{UnprovedSecrets: true})
	var log strings.Builder
	defer c.Transcript(&log)()
	go func() {
		far.say("password: ")
		far.hear("hunter2\n")
		far.say("wrong, hunter2 is not it\npassword: ")
	}()
	secret := func(context.Context) ([]byte, error) { return []byte("hunter2"), nil }
	_, err := c.Expect(t.Context(), expect.On(expect.Text("password: "), expect.Password(secret)))
	if !errors.Is(err, expect.ErrRepeated) {
		t.Fatalf("%v", err)
	}
	c.Close()
	if text := err.Error() + log.String(); strings.Contains(text, "hunter2") {
		t.Errorf("the secret shows:\n%s", text)
	}
	if !strings.Contains(log.String(), "[secret]") {
		t.Errorf("the transcript:\n%s", log.String())
	}
}

func TestSecretsAreRefusedWhereTheyMightShow(t *testing.T) {
	c, _ := talk(t)
	err := c.SendSecret(t.Context(), func(context.Context) ([]byte, error) { return []byte("hunter2"), nil })
	if !errors.Is(err, expect.ErrUnproved) {
		t.Errorf("%v", err)
	}
}

func TestCallsTakeTurns(t *testing.T) {
	c, far := talk(t)
	const n = 50
	var all sync.WaitGroup
	seen := make(chan string, n)
	for range n {
		all.Add(1)
		go func() {
			defer all.Done()
			m, err := c.Expect(t.Context(), expect.Regexp(`<(\d+)>`))
			if err != nil {
				t.Error(err)
				return
			}
			seen <- m.Groups[1]
		}()
	}
	for i := range n {
		far.say(fmt.Sprintf("<%d>", i))
	}
	all.Wait()
	close(seen)
	got := map[string]bool{}
	for s := range seen {
		got[s] = true
	}
	if len(got) != n {
		t.Errorf("%d different matches of %d", len(got), n)
	}
}

func TestSelectConsumesInExactlyOne(t *testing.T) {
	for range 50 {
		a, farA := talk(t)
		b, farB := talk(t)
		var all sync.WaitGroup
		for _, far := range []farSide{farA, farB} {
			all.Add(1)
			go func() {
				defer all.Done()
				far.say("ready\n")
			}()
		}
		which, m, err := expect.Select(t.Context(), a.When(expect.Text("ready")), b.When(expect.EOF, expect.Text("ready")))
		if err != nil || m.Text != "ready" {
			t.Fatalf("%d, %+v, %v", which, m, err)
		}
		other := []*expect.Console{b, a}[which]
		if m, err := other.Expect(t.Context(), expect.Text("ready")); err != nil || m.Before != "" {
			t.Fatalf("the other arm has lost its match: %+v, %v", m, err)
		}
		all.Wait()
	}
}

func TestSelectTakesTheFirstOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, farA := talk(t)
		b, farB := talk(t)
		go farA.say("x")
		go farB.say("x")
		time.Sleep(time.Second) // both lanes were drained
		which, _, err := expect.Select(t.Context(), b.When(expect.Text("x")), a.When(expect.Text("x")))
		if which != 0 || err != nil {
			t.Errorf("%d, %v", which, err)
		}
	})
}

func TestSelectErrors(t *testing.T) {
	a, farA := talk(t)
	b, _ := talk(t)
	farA.Close()
	if which, _, err := expect.Select(t.Context(), b.When(expect.Text("x")), a.When(expect.Text("x"))); which != 1 || !errors.Is(err, io.EOF) {
		t.Errorf("%d, %v", which, err)
	}
	if _, _, err := expect.Select(t.Context(), a.When(expect.EOF), a.When(expect.EOF)); !errors.Is(err, expect.ErrPattern) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := expect.Select(ctx, b.When(expect.Text("x"))); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// What lies further back than is kept is cut from Before, and the match says so.
func TestRetention(t *testing.T) {
	c, far := talk(t)
	go func() {
		for range 5 << 4 {
			far.say(strings.Repeat("y", 64<<10))
		}
		far.say("END 42\n")
	}()
	m, err := c.Expect(t.Context(), expect.Regexp(`END (\d+)\n`))
	if err != nil || !m.Truncated || m.Groups[1] != "42" || m.Offset != 5<<20 || m.End != 5<<20+7 {
		t.Fatalf("%v %q %v %d..%d", err, m.Text, m.Truncated, m.Offset, m.End)
	}
	if len(m.Before) < 512<<10 || len(m.Before) > 1<<20 || strings.Trim(m.Before, "y") != "" {
		t.Errorf("before has %d bytes", len(m.Before))
	}
	if st := c.Bridge().Stats(); st.Output.Memory > 1<<20 {
		t.Errorf("memory %d", st.Output.Memory)
	}
}

// A match that is itself longer than what is kept still ends in the right place.
func TestMatchLongerThanRetention(t *testing.T) {
	c, far := talk(t)
	go func() {
		far.say("BEGIN")
		for range 3 << 4 {
			far.say(strings.Repeat("z", 64<<10))
		}
		far.say("END\nnext")
	}()
	m, err := c.Expect(t.Context(), expect.Regexp(`BEGIN(z*)END\n`))
	if err != nil || !m.Truncated || m.Groups != nil || m.End != 3<<20+9 {
		t.Fatalf("%v %v %d %d", err, m.Truncated, len(m.Groups), m.End)
	}
	if m, err := c.Expect(t.Context(), expect.Text("next")); err != nil || m.Before != "" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRandomConversationsAgreeWithRegexp(t *testing.T) {
	words := []string{"a", "b", "ab", "\n", "é", "\x00", "\xff", " "}
	expressions := []string{`a+`, `b\b`, `(?m)^a`, `[^a]b`, `(a|ab)(b|\n)`, `é.`, `\x00`, `b$`, `(?m)b$`}
	rng := rand.New(rand.NewPCG(11, 12))
	for range 300 {
		var text strings.Builder
		for range 1 + rng.IntN(20) {
			text.WriteString(words[rng.IntN(len(words))])
		}
		expr := expressions[rng.IntN(len(expressions))]
		synctest.Test(t, func(t *testing.T) {
			c, far := talk(t)
			go func() {
				for _, p := range cuts(text.String())["random"] {
					far.say(p)
				}
				far.Close()
			}()
			m, err := c.Expect(t.Context(), expect.Regexp(expr), expect.EOF)
			if err != nil {
				t.Fatal(err)
			}
			loc := regexp.MustCompile(expr).FindStringIndex(text.String())
			if loc == nil && m.Pattern != expect.EOF || loc != nil && (m.Offset != int64(loc[0]) || m.End != int64(loc[1])) {
				t.Errorf("%q in %q: %+v, regexp says %v", expr, text.String(), m, loc)
			}
		})
	}
}

// A program that is still starting takes the first Command at its prompt, and no answer is another's.
func TestTheFirstCommandWaitsForThePrompt(t *testing.T) {
	for _, tt := range []struct{ name, program string }{
		{"line editor", `sleep 0.3; exec python3 -q`},
		{"by lines", `sleep 0.3; while printf '>>> ' && read -r x; do echo $(($x)); done`},
		{"no prompt before the first answer", `sleep 0.3; while read -r x; do echo $(($x)); printf '>>> '; done`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := expect.Spawn(t.Context(), proc.Command("sh", "-c", tt.program))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c = c.With(expect.Options{Prompt: expect.Text(">>> ")})
			for i := range 3 {
				got, err := c.Command(t.Context(), fmt.Sprintf("6*%d", i))
				if want := fmt.Sprintf("%d\n", 6*i); err != nil || got != want {
					t.Fatalf("answer %d: %q, %v; want %q", i, got, err, want)
				}
			}
		})
	}
}
