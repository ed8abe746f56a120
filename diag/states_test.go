//go:build linux

package diag

import (
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// need fails when a program that the tests drive is missing, with the Debian
// package that has it.
func need(t testing.TB, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is missing: install the Debian package %s", program, pkg)
	}
	return path
}

// A state is a program in a known state, made by a real program.
type state struct {
	name  string
	start func(t testing.TB) *rig
	steps []step // what is typed to get there
	kind  Kind   // the finding that must come
	who   string // whose: the beginning of Who
	what  string // a part of its line
	proof bool   // Waiting must prove it; else Waiting must never
	later bool   // it may come to be proved
}

// A step types something when the program has printed something ("" at once,
// when it is proved to wait).
type step struct{ after, typed string }

// command starts a program of a Debian package on a terminal.
func command(pkg string, args ...string) func(testing.TB) *rig {
	return func(t testing.TB) *rig {
		need(t, args[0], pkg)
		return onTerminal(t, args...)
	}
}

func py(code string) func(testing.TB) *rig { return command("python3", python, "-c", code) }

func piped(pkg string, args ...string) func(testing.TB) *rig {
	return func(t testing.TB) *rig {
		need(t, args[0], pkg)
		return onPipes(t, args...)
	}
}

var states = []state{
	// waiting for input, for a line
	{name: "cat", start: command("coreutils", "cat"), kind: KindInput, who: "cat", what: "waits for input: it reads its terminal (kernel)", proof: true},
	{name: "cat on pipes", start: piped("coreutils", "cat"), kind: KindInput, who: "cat", what: "waits for input: it reads its input (kernel)", proof: true},
	{name: "bash read", start: command("bash", "bash", "-c", "read -p 'Name? ' x"), kind: KindInput, who: "bash", proof: true},
	{name: "dash read", start: command("dash", "dash", "-c", "read x"), kind: KindInput, who: "dash", proof: true},
	{name: "read in a child", start: command("dash", "sh", "-c", "(read x; echo $x); true"), kind: KindInput, who: "sh", proof: true},
	{name: "python input", start: py("input('Name? ')"), kind: KindInput, who: python, proof: true},
	{name: "python asyncio", start: py(asyncio), kind: KindInput, who: python, proof: true},
	{name: "perl", start: command("perl", "perl", "-e", "$x = <STDIN>"), kind: KindInput, who: "perl", proof: true},
	{name: "ruby", start: command("ruby", "ruby", "-e", "gets"), kind: KindInput, who: "ruby", proof: true},
	{name: "gawk", start: command("gawk", "gawk", "{print}"), kind: KindInput, who: "gawk", proof: true},
	{name: "mawk", start: command("mawk", "mawk", "{print}"), kind: KindInput, who: "mawk", proof: true},
	{name: "grep", start: command("grep", "grep", "x"), kind: KindInput, who: "grep", proof: true},
	{name: "sed", start: command("sed", "sed", "s/a/b/"), kind: KindInput, who: "sed", proof: true},
	{name: "lua", start: command("lua5.4", "lua5.4", "-e", "io.read()"), kind: KindInput, who: "lua", proof: true},
	{name: "ed", start: command("ed", "ed"), kind: KindInput, who: "ed", proof: true},
	{name: "su -c read", start: command("util-linux", "su", "-c", "read x", "nobody", "-s", "/bin/sh"), kind: KindInput, who: "sh", proof: true},
	{name: "C, dynamic", start: compiled("cc", "gcc", cInput), kind: KindInput, proof: true},
	{name: "C, static", start: compiled("cc", "gcc", cInput, "-static"), kind: KindInput, proof: true},
	{name: "C++", start: compiled("c++", "g++", cppInput), kind: KindInput, proof: true},
	{name: "Go", start: ourselves("read"), kind: KindInput, proof: true},
	{name: "Go, bufio in a goroutine", start: ourselves("goroutine"), kind: KindInput, proof: true},
	{name: "java", start: javaInput, kind: KindInput, who: "java", proof: true},
	{name: "python with a thread that waits for it", start: py("import threading\ne=threading.Event()\nthreading.Thread(target=e.wait,daemon=True).start()\ninput()"), kind: KindInput, proof: true},
	{name: "bash with a sleeping job", start: command("bash", "bash", "--norc", "-i"), steps: []step{{"", "sleep 1000 &\r"}, {"[1]", ""}}, kind: KindLineEditor, who: "bash", proof: true},
	{name: "sort", start: command("coreutils", "sort"), kind: KindInput, who: "sort", proof: true},
	{name: "xargs", start: command("findutils", "xargs", "echo"), kind: KindInput, who: "xargs", proof: true},
	{name: "tclsh", start: command("tcl", "tclsh"), kind: KindInput, who: "tclsh", proof: true},
	{name: "busybox", start: command("busybox-static", "busybox", "cat"), kind: KindInput, who: "busybox", proof: true},
	{name: "under timeout", start: command("coreutils", "timeout", "1000", "cat"), kind: KindInput, who: "cat", proof: true},
	{name: "under strace", start: command("strace", "strace", "-o", "/dev/null", "cat"), kind: KindInput, who: "cat", proof: true},
	{name: "below python", start: py("import subprocess; subprocess.run(['cat'])"), kind: KindInput, who: "cat", proof: true},
	{name: "below gdb's shell", start: command("gdb", "gdb", "-q", "-nx", "--batch", "-ex", "shell read x"), kind: KindInput, who: "sh", proof: true},
	{name: "bash select", start: command("bash", "bash", "-c", "select x in a b; do :; done"), kind: KindInput, who: "bash", proof: true},
	{name: "perl select", start: command("perl", "perl", "-e", "use IO::Select; IO::Select->new(\\*STDIN)->can_read()"), kind: KindInput, who: "perl", proof: true},
	{name: "ruby select", start: command("ruby", "ruby", "-e", "IO.select([STDIN])"), kind: KindInput, who: "ruby", proof: true},
	{name: "epoll", start: py("import select; e=select.epoll(); e.register(0,1); e.poll()"), kind: KindInput, who: python, what: "waits for input: it reads its terminal", proof: true},
	{name: "ppoll in C", start: compiled("cc", "gcc", cPpoll), kind: KindInput, proof: true},
	{name: "readv in C", start: compiled("cc", "gcc", cReadv), kind: KindInput, proof: true},
	{name: "a thread reads in C", start: compiled("cc", "gcc", cThread, "-pthread"), kind: KindInput, proof: true},

	// passwords
	{name: "python getpass", start: py("import getpass; getpass.getpass()"), kind: KindPassword, who: python, what: "waits for a password: echo is off, it reads its terminal (kernel)", proof: true},
	{name: "passwd", start: command("passwd", "passwd", "nobody"), kind: KindPassword, who: "passwd", proof: true},
	{name: "bash read -s", start: command("bash", "bash", "-c", "read -s x"), kind: KindPassword, who: "bash", proof: true},
	{name: "stty -echo", start: command("dash", "sh", "-c", "stty -echo; read x"), kind: KindPassword, who: "sh", proof: true},
	{name: "ssh-keygen", start: keyWithPassphrase, kind: KindPassword, who: "ssh-keygen", proof: true},
	{name: "openssl passwd", start: command("openssl", "openssl", "passwd"), kind: KindPassword, who: "openssl", proof: true},

	// line editors
	{name: "bash prompt", start: command("bash", "bash", "--norc", "-i"), kind: KindLineEditor, who: "bash", proof: true},
	{name: "python prompt", start: command("python3", python, "-q"), kind: KindLineEditor, who: python, proof: true},
	{name: "sqlite3", start: command("sqlite3", "sqlite3"), kind: KindLineEditor, who: "sqlite3", proof: true},
	{name: "bc", start: command("bc", "bc", "-q"), kind: KindLineEditor, who: "bc", proof: true},
	{name: "gdb prompt", start: command("gdb", "gdb", "-q", "-nx"), kind: KindLineEditor, who: "gdb", proof: true},
	{name: "irb", start: command("ruby", "irb"), kind: KindLineEditor, who: "irb", proof: true},
	{name: "php -a", start: command("php-cli", "php", "-a"), kind: KindLineEditor, who: "php", proof: true},
	{name: "lua", start: command("lua5.4", "lua5.4", "-i"), kind: KindLineEditor, who: "lua", proof: true},
	{name: "bash read -e", start: command("bash", "bash", "-c", "read -e x"), kind: KindLineEditor, who: "bash", proof: true},

	// full-screen programs
	{name: "less", start: command("less", "less", "/usr/share/common-licenses/GPL-3"), kind: KindFullScreen, who: "less", proof: true},
	{name: "vim", start: command("vim", "vim", "-u", "NONE"), kind: KindFullScreen, who: "vim"},
	{name: "top", start: command("procps", "top"), kind: KindFullScreen, who: "top"},
	{name: "htop", start: command("htop", "htop"), kind: KindFullScreen, who: "htop"},
	{name: "more", start: command("util-linux", "more", "/usr/share/common-licenses/GPL-3"), kind: KindFullScreen, who: "more", proof: true},
	{name: "man", start: command("less", "sh", "-c", "cat /usr/share/common-licenses/GPL-3 | less"), kind: KindFullScreen, who: "less", proof: true},

	// accept input, prove nothing
	{name: "bash read -t", start: command("bash", "bash", "-c", "read -t 1000 x"), kind: KindAccepts, who: "bash", what: "wakes by itself"},
	{name: "select beside a socket", start: py("import select,socket; a,b=socket.socketpair(); s=socket.socket(); s.listen(); select.select([0,s],[],[])"), kind: KindAccepts, what: "waits for other things too: socket:["},
	{name: "poll beside a child's pipe", start: py("import select,subprocess; p=subprocess.Popen(['sleep','1000'],stdout=subprocess.PIPE); select.select([0,p.stdout],[],[])"), kind: KindAccepts, what: "waits for other things too: pipe:["},
	{name: "timerfd", start: compiled("cc", "gcc", cTimer), kind: KindAccepts, what: "a timer"},
	{name: "raw reads with a time", start: py("import tty,sys,os,termios\ntty.setraw(0); a=termios.tcgetattr(0); a[6][termios.VMIN]=0; a[6][termios.VTIME]=2; termios.tcsetattr(0,0,a)\nwhile 1: os.read(0,1)"), kind: KindAccepts, what: "wakes by itself"},
	{name: "node prompt", start: command("nodejs", "node", "-i"), kind: KindAccepts, who: "node", later: true}, // V8 has work to do for some seconds
	{name: "node with a timer", start: command("nodejs", "node", "-e", "setInterval(()=>{},50); process.stdin.on('data',()=>{})"), kind: KindAccepts, who: "node"},
	{name: "node reads stdin", start: command("nodejs", "node", "-e", "process.stdin.on('data',()=>{})"), kind: KindInput, who: "node", proof: true},
	{name: "select with a time", start: py("import select\nwhile 1: select.select([0],[],[],0.2)"), kind: KindAccepts, what: "wakes by itself"},
	{name: "a thread reads, the main one sleeps (reader)", start: py(threadReads), kind: KindAccepts, what: "a thread beside the one that reads sleeps"},
	{name: "a thread reads, the main one sleeps", start: py(threadReads), kind: KindSleeps},
	{name: "Go: a goroutine reads, main sleeps", start: ourselves("read and sleep"), kind: KindSleeps},
	{name: "Go: a goroutine reads, main waits for the network", start: ourselves("read and network"), kind: KindNetwork},

	// relays
	{name: "script", start: command("bsdutils", "script", "-qc", "cat", "/dev/null"), kind: KindRelay, who: "script"},
	{name: "behind script", start: command("bsdutils", "script", "-qc", "cat", "/dev/null"), kind: KindInput, who: "cat", what: "at another terminal"},
	{name: "nc", start: listener("netcat-openbsd", "nc"), kind: KindRelay, who: "nc"},
	{name: "telnet", start: listener("telnet", "telnet"), kind: KindRelay, who: "telnet"},
	{name: "socat", start: listener("socat", "socat"), kind: KindRelay, who: "socat"},
	{name: "tmux", start: tmux, kind: KindRelay, who: "tmux"},
	{name: "expect", start: command("expect", "expect", "-c", "spawn -noecho cat; interact"), kind: KindRelay, who: "expect"},

	{name: "su --pty", start: command("util-linux", "su", "--pty", "-c", "read x", "nobody", "-s", "/bin/sh"), kind: KindRelay, who: "su"},
	{name: "a relay with a timer", start: py("import pty,select,os; m,s=os.openpty(); e=select.poll(); e.register(0,1); e.register(m,1)\nwhile 1: e.poll(500)"), kind: KindRelay, who: python},
	{name: "python pty.spawn", start: py("import pty; pty.spawn('cat')"), kind: KindRelay, who: python},
	{name: "screen", start: screen, kind: KindRelay, who: "SCREEN"},
	{name: "expect waits", start: command("expect", "expect", "-c", "spawn -noecho cat; expect never"), kind: KindRelay, who: "expect"},

	// busy in one way or another
	{name: "an orphan computes", start: command("dash", "sh", "-c", "(sh -c 'while :; do :; done' &); read x"), kind: KindComputes, who: "sh"},
	{name: "a thread computes", start: py("import threading\ndef f():\n while 1: pass\nthreading.Thread(target=f,daemon=True).start()\ninput()"), kind: KindComputes},
	{name: "tail -f", start: command("coreutils", "tail", "-f", "/etc/passwd"), kind: KindWaits, who: "tail", what: "waits for changes of files"},
	{name: "watch", start: command("procps", "watch", "-n1000", "date"), kind: KindSleeps, who: "watch"},
	{name: "asyncio sleeps", start: py("import asyncio\nasync def m(): await asyncio.sleep(1000)\nasyncio.run(m())"), kind: KindSleeps, who: python},
	{name: "io_uring", start: compiled("cc", "gcc", cUring), kind: KindUnknown, what: "io_uring"},
	{name: "a timed lock", start: py("import threading; threading.Event().wait(1000)"), kind: KindSleeps, what: "until a lock or a time"},
	{name: "python computes", start: py("print('on')\nwhile 1: pass"), kind: KindComputes, who: python},
	{name: "bash computes", start: command("bash", "bash", "-c", "while :; do :; done"), kind: KindComputes, who: "bash"},
	{name: "node computes", start: command("nodejs", "node", "-e", "while(1);"), kind: KindComputes, who: "node"},
	{name: "Go computes", start: ourselves("compute"), kind: KindComputes},
	{name: "python sleeps", start: py("import time; time.sleep(1000)"), kind: KindSleeps, who: python},
	{name: "python sleeps after a prompt", start: py("import time; print('name: ',end='',flush=True); time.sleep(1000); input()"), kind: KindSleeps, who: python},
	{name: "perl sleeps", start: command("perl", "perl", "-e", "sleep 1000"), kind: KindSleeps, who: "perl"},
	{name: "ruby sleeps", start: command("ruby", "ruby", "-e", "sleep 1000"), kind: KindSleeps, who: "ruby"},
	{name: "Go sleeps", start: ourselves("sleep"), kind: KindSleeps},
	{name: "sleep", start: command("coreutils", "sleep", "1000"), kind: KindSleeps, who: "sleep", what: "sleeps for 16m40s (kernel)"},
	{name: "python at a socket", start: py("import socket; a,b=socket.socketpair(); print('name: ',end='',flush=True); a.recv(1)"), kind: KindNetwork, who: python},
	{name: "python accepts", start: py("import socket; s=socket.socket(); s.listen(); s.accept()"), kind: KindNetwork, what: "waits for a connection"},
	{name: "python waits for a lock", start: py("import threading; l=threading.Lock(); l.acquire(); l.acquire()"), kind: KindWaits, what: "waits for a lock"},
	{name: "python waits for a signal", start: py("import signal; signal.pause()"), kind: KindWaits, what: "waits for a signal"},
	{name: "sh waits for a child", start: command("dash", "sh", "-c", "sleep 1000; true"), kind: KindChild, who: "sh", what: "waits for a child: sleep 1000"},
	{name: "bash runs a child", start: command("bash", "bash", "--norc", "-i"), steps: []step{{"", "sleep 1000\r"}}, kind: KindSleeps, who: "sleep"},
	{name: "vim sleeps", start: command("vim", "vim", "-u", "NONE", "-c", "sleep 1000"), kind: KindSleeps, who: "vim"},
	{name: "flock", start: flock, kind: KindWaits, who: "flock", what: "waits for a lock on"},
	{name: "a fifo nobody opens", start: fifo, kind: KindWaits, what: "waits to open something"},
	{name: "pipeline", start: command("dash", "sh", "-c", "sleep 1000 | cat"), kind: KindPeer, who: "cat", what: "it reads what comes from"},
	{name: "a worker behind cat", start: command("dash", "sh", "-c", "cat | sleep 1000"), kind: KindSleeps, who: "sleep"},
	{name: "a pipeline that waits", start: command("dash", "sh", "-c", "cat | cat | sed -u s/a/b/"), kind: KindInput, who: "cat", proof: true},
	{name: "a server beside a question", start: command("dash", "sh", "-c", "sleep 1000 & read x"), kind: KindInput, who: "sh", proof: true},
	{name: "full pipe in a pipeline", start: command("dash", "sh", "-c", "yes | sleep 1000"), kind: KindPeer, who: "yes", what: "sleep 1000"},
	{name: "stopped job", start: command("bash", "bash", "--norc", "-i"), steps: []step{{"", "cat\r"}, {"", "\x1a"}}, kind: KindStopped, who: "cat", what: "is stopped: by a signal, in the background", proof: true},
	{name: "zombie", start: command("dash", "sh", "-c", "true & exec sleep 1000"), kind: KindZombie, who: "sh", what: "sleep 1000"},
	{name: "gdb at a breakpoint", start: gdb("start\r"), kind: KindStopped, what: "is stopped: gdb", proof: true}, // gdb is at its prompt then
	{name: "gdb while the program sleeps", start: gdb("run sleep\r"), kind: KindSleeps},
	{name: "gdb while the program asks", start: gdb("run\r"), kind: KindInput, proof: true},
	{name: "yes on a terminal", start: command("coreutils", "yes"), kind: KindBlocked, who: "yes"},
	{name: "yes on pipes", start: piped("coreutils", "yes"), kind: KindBlocked, who: "yes"},
}

func TestStates(t *testing.T) {
	for _, s := range states {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r := s.start(t)
			for _, step := range s.steps {
				if step.after == "" {
					r.proved()
				} else {
					until(t, step.after, func() (string, bool) {
						_, _ = r.flush() // an end shows below
						return r.seen.String(), strings.Contains(r.seen.String(), step.after)
					})
				}
				r.send(step.typed)
			}
			var all []Finding
			f := until(t, fmt.Sprintf("finding %q", s.kind), func() (Finding, bool) {
				if s.kind != KindBlocked {
					_, _ = r.flush() // an end shows in the findings
				}
				snapshot, _ := Take(r.lanes()) // a program that ended shows in the findings
				all = Explain(snapshot)
				for _, f := range all {
					if f.Kind == s.kind && strings.HasPrefix(f.Who, s.who) && strings.Contains(f.String(), s.what) {
						return f, true
					}
				}
				if len(all) == 0 {
					return Finding{}, false
				}
				return all[0], false
			})
			t.Log(f, "|", f.Evidence)
			if s.proof {
				ev := r.proved()
				if s.kind == KindPassword != ev.Password {
					t.Errorf("evidence %+v: password is wrong", ev)
				}
				return
			}
			for range 300 {
				if s.kind == KindBlocked || s.later {
					break
				}
				if ev := r.waiting(); ev.Proved() {
					t.Fatalf("called waiting: %+v\n%v", ev, all)
				}
			}
		})
	}
}

const (
	asyncio     = "import asyncio,sys\nasync def main():\n r=asyncio.StreamReader(); await asyncio.get_event_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(r), sys.stdin); await r.readline()\nasyncio.run(main())"
	threadReads = "import threading,time,sys\nthreading.Thread(target=sys.stdin.readline,daemon=True).start()\ntime.sleep(1000)"
	cInput      = `#include <stdio.h>` + "\n" + `#include <unistd.h>` + "\n" + `int main(int c, char **v) { char b[80]; if (c > 1) sleep(1000); printf("Enter value: "); return !fgets(b, sizeof b, stdin); }`
	cPpoll      = "#define _GNU_SOURCE\n#include <poll.h>\nint main() { struct pollfd p[2] = {{0, POLLIN}, {-1, POLLIN}}; return ppoll(p, 2, 0, 0); }"
	cReadv      = "#include <sys/uio.h>\nint main() { char b[9]; struct iovec v = {b, 9}; return readv(0, &v, 1); }"
	cThread     = "#include <pthread.h>\n#include <unistd.h>\nvoid *f(void *p) { read(0, &p, 1); return 0; }\nint main() { pthread_t t; pthread_create(&t, 0, f, 0); return pthread_join(t, 0); }"
	cTimer      = "#include <poll.h>\n#include <sys/timerfd.h>\nint main() { struct itimerspec s = {{0}, {1000}}; int t = timerfd_create(CLOCK_MONOTONIC, 0); timerfd_settime(t, 0, &s, 0); struct pollfd p[2] = {{0, POLLIN}, {t, POLLIN}}; return poll(p, 2, -1); }"
	cUring      = "#include <stdio.h>\n#include <linux/io_uring.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n#include <string.h>\n#include <sys/mman.h>\nint main() { struct io_uring_params p; memset(&p, 0, sizeof p); int r = syscall(SYS_io_uring_setup, 4, &p); if (r < 0) { perror(\"io_uring_setup\"); return 1; }\n" +
		"char *sq = mmap(0, p.sq_off.array + p.sq_entries * 4, 3, MAP_SHARED, r, IORING_OFF_SQ_RING); struct io_uring_sqe *e = mmap(0, p.sq_entries * sizeof *e, 3, MAP_SHARED, r, IORING_OFF_SQES);\n" +
		"static char b[9]; e->opcode = IORING_OP_READ; e->fd = 0; e->addr = (unsigned long)b; e->len = 9; *(unsigned *)(sq + p.sq_off.array) = 0; *(unsigned *)(sq + p.sq_off.tail) = 1; return syscall(SYS_io_uring_enter, r, 1, 1, IORING_ENTER_GETEVENTS, 0, 0); }"
	cppInput = `#include <iostream>` + "\n" + `int main() { std::string s; std::cout << "Enter value: "; return !std::getline(std::cin, s); }`
)

// compile builds a program and returns its path. The same one is built once.
func compile(t testing.TB, compiler, pkg, source string, flags ...string) string {
	t.Helper()
	need(t, compiler, pkg)
	lang := "c"
	if compiler == "c++" {
		lang = "c++"
	}
	key := fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, compiler, source, flags)))
	dir := filepath.Join(built, key[:16])
	src, exe := filepath.Join(dir, "source"), filepath.Join(dir, "program")
	building.Lock()
	defer building.Unlock()
	if _, err := os.Stat(exe); err == nil {
		return exe
	}
	check(t, os.Mkdir(dir, 0o755))
	check(t, os.WriteFile(src, []byte(source), 0o600))
	out, err := exec.Command(compiler, append(append([]string{"-g", "-o", exe}, flags...), "-x", lang, src)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return exe
}

func compiled(compiler, pkg, source string, flags ...string) func(testing.TB) *rig {
	return func(t testing.TB) *rig { return onTerminal(t, compile(t, compiler, pkg, source, flags...)) }
}

// ourselves starts this test binary as a Go program in a state; see TestMain.
func ourselves(state string) func(testing.TB) *rig {
	return func(t testing.TB) *rig { return onTerminal(t, os.Args[0], helperArg, state) }
}

const helperArg = "as-a-program"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == helperArg {
		program(os.Args[2])
		return
	}
	os.Exit(run(m))
}

// built is where compile puts programs, one at a time.
var (
	built    string
	building sync.Mutex
)

func run(m *testing.M) int {
	var err error
	if built, err = os.MkdirTemp("", "diag"); err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(built) }() // only tidiness
	return m.Run()
}

// program is the other program of these tests, in Go.
func program(state string) {
	readLine := func() { _, _ = os.Stdin.Read(make([]byte, 100)) } // any end of it will do
	switch state {
	case "read":
		readLine()
	case "goroutine":
		done := make(chan bool)
		go func() { readLine(); done <- true }()
		<-done
	case "read and sleep":
		go readLine()
		time.Sleep(1000 * time.Second)
	case "read and network":
		go readLine()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			_, _ = l.Accept() // nobody comes
		}
	case "compute":
		for i := 0; ; i++ {
			runtime.KeepAlive(i)
		}
	case "sleep":
		time.Sleep(1000 * time.Second)
	}
}

func javaInput(t testing.TB) *rig {
	need(t, "java", "default-jdk-headless")
	src := filepath.Join(t.TempDir(), "In.java")
	check(t, os.WriteFile(src, []byte(`class In { public static void main(String[] a) { System.out.print("Name? "); new java.util.Scanner(System.in).nextLine(); } }`), 0o600))
	return onTerminal(t, "java", src)
}

// listener starts a client of a server of ours that says nothing.
func listener(pkg, program string) func(testing.TB) *rig {
	return func(t testing.TB) *rig {
		need(t, program, pkg)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		t.Cleanup(func() { _ = l.Close() })
		host, port, err := net.SplitHostPort(l.Addr().String())
		check(t, err)
		if program == "socat" {
			return onTerminal(t, program, "-", "TCP:"+l.Addr().String())
		}
		return onTerminal(t, program, host, port)
	}
}

func tmux(t testing.TB) *rig {
	need(t, "tmux", "tmux")
	socket := filepath.Join(t.TempDir(), "socket")
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", socket, "kill-server").Run() })
	return onTerminal(t, "tmux", "-S", socket, "-f", "/dev/null", "new-session", "cat")
}

func screen(t testing.TB) *rig {
	need(t, "screen", "screen")
	dir := t.TempDir()
	check(t, os.Chmod(dir, 0o700))
	return onTerminal(t, "env", "SCREENDIR="+dir, "screen", "-c", "/dev/null", "cat")
}

func flock(t testing.TB) *rig {
	need(t, "flock", "util-linux")
	name := filepath.Join(t.TempDir(), "lock")
	f, err := os.Create(name)
	check(t, err)
	check(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	t.Cleanup(func() { _ = f.Close() })
	return onTerminal(t, "flock", name, "true")
}

func fifo(t testing.TB) *rig {
	name := filepath.Join(t.TempDir(), "fifo")
	check(t, syscall.Mkfifo(name, 0o600))
	return onTerminal(t, "cat", name)
}

func gdb(typed string) func(testing.TB) *rig {
	return func(t testing.TB) *rig {
		need(t, "gdb", "gdb")
		r := onTerminal(t, "gdb", "-q", "-nx", "-ex", "set debuginfod enabled off", compile(t, "cc", "gcc", cInput))
		r.proved()
		r.send(typed)
		return r
	}
}

// keyWithPassphrase makes a key and asks for its public half.
func keyWithPassphrase(t testing.TB) *rig {
	need(t, "ssh-keygen", "openssh-client")
	key := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "passphrase", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return command("openssh-client", "ssh-keygen", "-y", "-f", key)(t)
}
