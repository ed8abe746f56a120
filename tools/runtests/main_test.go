package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// What a person sees of a run: closing lines, failures with what they printed, skips with their reason.
func TestReport(t *testing.T) {
	const lines = `{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestBad","Output":"    a_test.go:1: broken\n"}
{"Action":"fail","Package":"a","Test":"TestBad"}
{"Action":"output","Package":"a","Test":"TestSkipped","Output":"    a_test.go:2: no fuel\n"}
{"Action":"skip","Package":"a","Test":"TestSkipped"}
{"Action":"output","Package":"a","Output":"FAIL\ta\t0.1s\n"}
{"Action":"fail","Package":"a"}
{"Action":"output","Package":"b","Output":"PASS\n"}
{"Action":"output","Package":"b","Output":"ok  \tb\t0.2s\n"}
{"Action":"pass","Package":"b"}
{"ImportPath":"c","Action":"build-output","Output":"c.go:1: no such thing\n"}
{"Action":"output","Package":"c","Output":"FAIL\tc [build failed]\n"}
{"Action":"fail","Package":"c"}
{"Action":"output","Package":"d","Test":"TestPanics","Output":"panic: oh\n"}
{"Action":"output","Package":"d","Output":"FAIL\td\t0.1s\n"}
{"Action":"fail","Package":"d"}
the go command speaks
`
	const want = `    a_test.go:1: broken
    a_test.go:2: no fuel
FAIL	a	0.1s
ok  	b	0.2s
c.go:1: no such thing
FAIL	c [build failed]
panic: oh
FAIL	d	0.1s
the go command speaks
`
	var got bytes.Buffer
	r := report{w: &got, output: map[test]*bytes.Buffer{}, failing: map[string]bool{}}
	r.read(strings.NewReader(lines))
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if r.passed != 1 || r.failed != 3 {
		t.Errorf("%d passed, %d failed; want 1 and 3", r.passed, r.failed)
	}
}

// A process that outlives the tests is found, also one that left session and environment behind.
func TestLeftovers(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("needs setsid (util-linux)")
	}
	var got bytes.Buffer
	_, failed, err := run([]string{"sh", "-c", "env -i setsid sleep 1000 >/dev/null 2>&1 &"}, &got)
	if err != nil || failed != 1 || !strings.Contains(got.String(), `sleep 1000`) {
		t.Errorf("failed %d, err %v, output %q; want one failure that names sleep 1000", failed, err, got.String())
	}
	got.Reset()
	if _, failed, err := run([]string{"sh", "-c", "exit 3"}, &got); err == nil || failed != 0 {
		t.Errorf("failed %d, err %v; want an error, as no test explains the status", failed, err)
	}
}
