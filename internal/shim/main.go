package shim

import (
	"encoding/json"
	"os"
	"strconv"
)

// Main returns at once in a process that was not started as a helper, and notes that the binary can be re-executed. In
// a helper it does the job and never returns. It is called from one goroutine, first in main. giveBack sets a
// terminal to saved settings.
func Main(giveBack func(tty *os.File, saved []byte) error) {
	if len(os.Args) == 0 || os.Args[0] != Arg0 {
		ready.Store(true)
		return
	}
	os.Exit(help(os.Args[1:], giveBack))
}

// help is a helper's life, if it does not become the program: its exit status.
func help(args []string, giveBack func(*os.File, []byte) error) int {
	if len(args) != 1 {
		return usage()
	}
	fd, err := strconv.Atoi(args[0])
	if err != nil || fd < 0 {
		return usage()
	}
	closeOnExec(fd)
	link := os.NewFile(uintptr(fd), "link")
	defer link.Close()
	plan, err := ReadPlan(link)
	if err != nil {
		return report(link, fail("plan", err))
	}
	switch plan.Role {
	case Exec:
		return report(link, become(plan))
	case Restore:
		if waitForDeath(link) {
			if err := giveBack(os.Stdin, plan.Saved); err != nil {
				return 1
			}
		}
		return 0
	case Keep:
		if err := keep(link, plan); err != nil {
			return report(link, fail("keep", err))
		}
		return 0
	}
	return report(link, &Failure{Step: "plan", Text: "unknown role " + strconv.Quote(string(plan.Role))})
}

// waitForDeath waits for what comes first on the lifeline: a byte (the holder gave the terminal back itself) or its
// end (the holder died). It reports whether it was the end.
func waitForDeath(link *os.File) bool {
	var b [1]byte
	n, _ := link.Read(b[:])
	return n == 0
}

// report tells the parent why there will be no program. If nobody listens any more, nobody is left to tell.
func report(link *os.File, f *Failure) int {
	data, err := json.Marshal(f)
	if err == nil {
		_, _ = link.Write(data)
	}
	return 127
}

// usage: a helper that was not started by us has nobody to tell but the person who tried.
func usage() int {
	_, _ = os.Stderr.WriteString(Arg0 + ": this is started by the program itself only\n")
	return 125
}
