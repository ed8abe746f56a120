package main

import (
	"fmt"
	"slices"
	"strings"
)

// A workload is one question: contestants do the same work, and the rates of their doing it are compared.
type workload struct {
	name   string
	title  string // what is done
	unit   string // of the rates: "ops/s" or "MB/s"
	limit  string // the contestant that is the limit
	target string // what spawnx is to reach, for the table; "" where nothing was set
	runs   []run
	extra  []string // further figures to show
	rounds int      // at most so many, 0: as many as are asked for
}

// A run is one contestant with its command line. Slow ones are given less work: rates are compared.
type run struct {
	who  string
	argv []string
}

const (
	lim         = "C limit"
	us          = "spawnx"
	pexpect     = "pexpect"
	pexpectFast = "pexpect tuned"
	tcl         = "expect"
	netflix     = "go-expect"
	tmux        = "tmux"
	socat       = "socat"
	bareGo      = "go direct"
	goRegexp    = "go regexp"
)

// A place is where the programs of a run were built.
type place struct {
	self, bin, peers, scratch string
	quick                     bool
}

// n is an amount of work, a tenth of it where it has to be quick.
func (p place) n(amount int) string {
	if p.quick {
		amount = max(amount/10, min(amount, 32))
	}
	return fmt.Sprint(amount)
}

func (p place) c(prog string, args ...string) run {
	return run{lim, append([]string{p.bin + "/" + prog}, args...)}
}

func (p place) goes(who string, args ...string) run {
	return run{who, append([]string{p.self, "as", who}, args...)}
}

func (p place) tcl(args ...string) run {
	return run{tcl, append([]string{"expect", p.peers + "/expect_peer.tcl"}, args...)}
}

// python is Debian's, which has Debian's pexpect.
const python = "/usr/bin/python3"

func (p place) pexpect(args ...string) run {
	return run{pexpect, append([]string{python, p.peers + "/pexpect_peer.py", "plain"}, args...)}
}

func (p place) pexpectFast(args ...string) run {
	return run{pexpectFast, append([]string{python, p.peers + "/pexpect_peer.py", "tuned"}, args...)}
}

func workloads(p place) []workload {
	return slices.Concat(
		spawns(p), pingPongs(p), finds(p), linear(p), fanouts(p), relays(p), sessions(p), startups(p), dialogs(p),
	)
}

func spawns(p place) []workload {
	var all []workload
	for _, w := range []struct{ name, title, width string }{
		{"spawn/1", "start /bin/true on a terminal, read to its end, reap it: one after another", "1"},
		{"spawn/16", "the same, 16 at a time", "16"},
	} {
		one := workload{
			name: w.name, title: w.title, unit: "ops/s", limit: lim, target: ">= 1 x C, ahead of every peer",
			runs: []run{
				p.c("spawn", p.n(160), w.width),
				p.goes(us, "spawn", p.n(160), w.width),
				p.goes(netflix, "spawn", p.n(160), w.width),
				p.tcl("spawn", p.n(160), w.width),
				p.pexpect("spawn", "16", w.width),
				p.pexpectFast("spawn", p.n(160), w.width),
				p.goes(bareGo, "spawn", p.n(160), w.width),
			},
		}
		if w.width == "1" {
			one.runs = append(one.runs, run{socat, []string{p.bin + "/startup", p.n(100), "socat", "-u", "EXEC:/bin/true,pty,stderr", "STDOUT"}})
		}
		all = append(all, one)
	}
	return all
}

func pingPongs(p place) []workload {
	pty := workload{
		name: "pingpong/pty", title: "send a line to cat on a terminal without echo, expect its answer", unit: "ops/s", limit: lim,
		target: ">= 0.95 x C, ahead of every peer", extra: []string{"p50_us", "p99_us"},
		runs: []run{
			p.c("pingpong", "pty", p.n(8000)),
			p.goes(us, "pingpong", "pty", p.n(8000)),
			p.goes(netflix, "pingpong", "pty", p.n(8000)),
			p.tcl("pingpong", "pty", p.n(4000)),
			p.pexpect("pingpong", "pty", p.n(20)),
			p.pexpectFast("pingpong", "pty", p.n(4000)),
			p.goes(tmux, "pingpong", p.n(1000)),
			{socat, []string{p.bin + "/pingpong", "pipe", p.n(5000), "socat", "-b65536", "STDIO", "EXEC:cat,pty,raw,echo=0"}},
			p.goes(bareGo, "pingpong", "pty", p.n(8000)),
		},
	}
	pipe := workload{
		name: "pingpong/pipe", title: "the same on pipes", unit: "ops/s", limit: lim, target: ">= 0.95 x C, ahead of every peer",
		extra: []string{"p50_us", "p99_us"},
		runs: []run{
			p.c("pingpong", "pipe", p.n(20000)),
			p.goes(us, "pingpong", "pipe", p.n(20000)),
			p.tcl("pingpong", "pipe", p.n(4000)),
			p.pexpectFast("pingpong", "pipe", p.n(1000)),
			p.goes(bareGo, "pingpong", "pipe", p.n(20000)),
		},
	}
	return []workload{pty, pipe}
}

// A search is a set of patterns; each is r and a regular expression or t and a text.
type search struct {
	name, title string
	patterns    []string
}

var searches = []search{
	{"literal", "a text", []string{"tdisk 47 of 11 full"}},
	{"captures", "a regular expression with captures", []string{`r(\w+): disk (\d+) of (\d+) full`}},
	{"nocase", "a regular expression with (?i)", []string{`r(?i)DISK 47 of 11 FULL`}},
	{"eight", "8 texts at once", []string{
		"tpanic at", "tSegmentation", "tpassword", "tlogin incorrect", "tout of memory", "tdisk 47", "tBUG: soft", "tkilled by",
	}},
	// the first bytes of these are in every line
	{"literal-common", "a text whose beginning is in every line", []string{"trequest 0000beef failed"}},
	{"captures-common", "a regular expression whose beginning is in every line",
		[]string{`rrequest ([0-9a-f]+) failed: disk (\d+)`}},
	{"eight-common", "8 texts whose beginnings are in every line", []string{
		"trequest lost", "trequest zero", "tworker gone", "tworker died", "trequest 0000beef f", "tINFO end", "tms, status 5", "tworker -1",
	}},
}

func finds(p place) []workload {
	var all []workload
	for _, stdio := range []string{"pipe", "pty"} {
		for _, s := range searches {
			amount, where, target := 200_000_000, "a pipe", ">= 600 MB/s a core"
			switch {
			case stdio == "pty":
				amount, where, target = 50_000_000, "a terminal", "<= 1.05 x the time of C"
			case strings.HasPrefix(s.name, "literal"):
				target = ">= 0.5 x C"
			}
			all = append(all, p.find("find/"+stdio+"/"+s.name, "find "+s.title+" behind log lines on "+where, target, stdio, "found", "log", amount, s.patterns))
		}
		all = append(all, p.find("nolines/"+stdio, "50 MB without a newline on a "+stdio+", a pattern that never matches, the end", "",
			stdio, "absent", "bare", 50_000_000, []string{`r(\w+): disk (\d+) of (\d+) FULL`}))
	}
	return all
}

// find has the slower contestants do less: what is compared is bytes per second, and longer output costs some of
// them more than in proportion.
func (p place) find(name, title, target, stdio, want, kind string, amount int, patterns []string) workload {
	with := func(amount int, more ...string) []string {
		feed := []string{p.bin + "/feed", kind, p.n(amount)}
		return append(append(more, feed...), append([]string{"for"}, patterns...)...)
	}
	drain := func(amount int) []string { return []string{stdio, p.n(amount), p.bin + "/feed", kind, p.n(amount)} }
	w := workload{
		name: name, title: title, unit: "MB/s", limit: lim, target: target, extra: []string{"peak_kib"},
		runs: []run{
			p.c("drain", drain(amount)...),
			p.goes(us, with(amount, "find", stdio, want)...),
			p.tcl(with(500_000, "find", stdio, want)...),
			p.pexpect(with(100_000, "find", stdio, want)...),
			p.pexpectFast(with(1_000_000, "find", stdio, want)...),
		},
	}
	if stdio == "pty" {
		w.runs = append(w.runs, p.goes(netflix, with(4_000, "find", stdio, want)...))
	} else {
		w.runs = append(w.runs, run{goRegexp, p.goes(bareGo, with(10_000_000, "find", stdio, want)...).argv})
	}
	return w
}

// linear shows that twice the output takes twice the time, in the same memory.
func linear(p place) []workload {
	w := workload{name: "linear", title: "a regular expression behind 50, 100, 200 and 400 MB on a pipe: the rate stays, and the memory", unit: "MB/s",
		target: "the same rate", extra: []string{"peak_kib"}}
	for _, mb := range []int{50, 100, 200, 400} {
		f := p.find("", "", "", "pipe", "found", "log", mb*1_000_000, []string{`r(\w+): disk (\d+) of (\d+) full`})
		w.runs = append(w.runs, run{fmt.Sprintf("spawnx %d MB", mb), f.runs[1].argv})
	}
	w.limit = w.runs[0].who
	return []workload{w}
}

func fanouts(p place) []workload {
	bytes := p.n(200_000_000)
	ten := strings.TrimSuffix(strings.Repeat("/dev/null:", 10), ":")
	log := p.scratch + "/log"
	feed := p.bin + "/feed"
	one := func(name, title, sinks string) workload {
		return workload{name: name, title: title, unit: "MB/s", limit: lim, extra: []string{"peak_kib"}, runs: []run{
			p.c("fanout", bytes, sinks, feed, "log", bytes),
			p.goes(us, "fanout", bytes, sinks, feed, "log", bytes),
			{"tee", []string{p.bin + "/drain", "pipe", bytes, "sh", "-c", feed + " log " + bytes + " | tee " + strings.ReplaceAll(sinks, ":", " ") + " >/dev/null"}},
		}}
	}
	return []workload{
		one("copy/log", "bridge.Copy of a program's output to a log file", log),
		one("copy/10", "bridge.Copy to 10 readers (each to /dev/null)", ten),
	}
}

// relays compare command lines, as that is what socat and cat are. All have the same pipes around them.
func relays(p place) []workload {
	link := func(args ...string) []string { return append([]string{p.bin + "/spawnx", "link"}, args...) }
	through := func(who string, bytes int, cmd ...string) run {
		return run{who, append([]string{p.bin + "/relayed", p.n(bytes)}, cmd...)}
	}
	pingpong := func(who string, cmd ...string) run {
		return run{who, append([]string{p.bin + "/pingpong", "pipe", p.n(20_000)}, cmd...)}
	}
	const all, some = 2_000_000_000, 1_000_000_000
	log := p.scratch + "/relay.log"
	return []workload{
		{
			name: "relay/unobserved", title: "our input to our output, which nobody else sees, through pipes of 1 MiB", unit: "MB/s",
			limit: lim, target: ">= 0.9 x C, ahead of every peer", extra: []string{"peak_kib"},
			runs: []run{
				through(lim, all, p.bin+"/splice"),
				through(us, all, link("--chain", "-", "-")...),
				through(socat, all, "socat", "-u", "-b65536", "STDIN", "STDOUT"),
				through("cat", all, "cat"),
			},
		},
		{
			name: "relay/log", title: "the same with a copy to a log file", unit: "MB/s", limit: lim, extra: []string{"peak_kib"},
			runs: []run{
				through(lim, some, p.bin+"/splice", log),
				through(us, some, link("--chain", "--tee", log, "-", "-")...),
				through("tee", some, "tee", log),
			},
		},
		{
			name: "relay/latency", title: "send a line to cat behind a relay, both on pipes, and read its answer", unit: "ops/s", limit: lim,
			target: "p50 <= 1.5 x that of C", extra: []string{"p50_us", "p99_us"},
			runs: []run{
				pingpong(lim, p.bin+"/relay", "cat"),
				pingpong(us, link("-", "cat")...),
				pingpong(socat, "socat", "-b65536", "STDIO", "EXEC:cat,pipes"),
			},
		},
	}
}

func sessions(p place) []workload {
	var all []workload
	for _, n := range []int{1000, 3000} {
		args := []string{p.n(n), p.n(100)}
		w := workload{
			name: fmt.Sprintf("sessions/%d", n), title: fmt.Sprintf("%d terminals with cat at once, 100 exchanges each (peers fewer)", n), unit: "ops/s", limit: lim,
			extra: []string{"p50_us", "p99_us", "kib_each", "threads"}, rounds: 5,
			runs: []run{
				p.c("sessions", args...),
				p.goes(us, append([]string{"sessions"}, args...)...),
				p.goes(netflix, "sessions", p.n(n), p.n(30)),
				p.pexpectFast("sessions", p.n(n), p.n(50)),
			},
		}
		if n == 1000 {
			w.runs = append(w.runs, p.tcl("sessions", p.n(200), p.n(20))) // it takes half a minute to start 1,000
		} else {
			w.target = "<= 32 threads, <= 40 KiB each"
		}
		all = append(all, w)
	}
	return all
}

func startups(p place) []workload {
	timed := func(who string, n int, cmd ...string) run {
		return run{who, append([]string{p.bin + "/startup", p.n(n)}, cmd...)}
	}
	return []workload{{
		name: "startup", title: "start-up of a command line that runs true", unit: "ops/s", limit: "sh -c true", target: "<= 2 x sh + 3 ms",
		runs: []run{
			timed("sh -c true", 50, "sh", "-c", "true"),
			timed("spawnx run true", 50, p.bin+"/spawnx", "run", "true"),
			timed("spawnx run --stdio pty true", 50, p.bin+"/spawnx", "run", "--stdio", "pty", "true"),
			timed("expect -c", 20, "expect", "-c", "spawn -noecho true; expect eof"),
			timed("python3 -c 'import pexpect'", 10, python, "-c", "import pexpect"),
		},
	}}
}

func dialogs(p place) []workload {
	return []workload{{
		name: "dialog", title: "a 10-line dialog with bash: 200 commands, each answer read up to the next prompt", unit: "ops/s", limit: lim,
		runs: []run{
			p.c("dialog", "200"),
			p.goes(us, "dialog", "200"),
			p.goes(netflix, "dialog", "200"),
			p.tcl("dialog", "200"),
			p.pexpect("dialog", p.n(30)),
			p.pexpectFast("dialog", "200"),
		},
	}}
}
