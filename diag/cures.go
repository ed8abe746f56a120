package diag

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// heldBack explains what a process holds in a buffer of its own: exactly, where
// it is a C program that can be looked into; else, for programs that are known for
// it, by what such programs do.
func heldBack(s Snapshot, l Lanes, p Process, found []Finding) []Finding {
	var all []Finding
	writing := slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.Wait.Op == Write || t.State == "R" })
	for _, h := range p.Held {
		if writing {
			break // it is about to leave, or changes while we look
		}
		stream := map[int]string{1: "its output", 2: "its errors"}[h.FD]
		minor := stream == ""
		if minor {
			stream = fmt.Sprintf("what it writes to descriptor %d", h.FD)
		}
		all = append(all, Finding{
			Who: p.who(), PID: p.PID, Kind: KindHeld, Grade: Kernel,
			What: fmt.Sprintf("holds %s back", stream),
			Why:  fmt.Sprintf("%d bytes in its stdio buffer: %s", h.Bytes, quoted(h.Text)),
			Held: h.Text, HeldSize: h.Bytes,
			Evidence: fmt.Sprintf("FILE of descriptor %d: write_ptr - write_base = %d", h.FD, h.Bytes),
			Cure:     cureUnless(minor, l, p.program()),
			minor:    minor,
		})
	}
	if len(all) > 0 || !suspicious(l, p, found) {
		return all
	}
	b, ok := buffers()[p.program()]
	if !ok {
		return nil
	}
	return []Finding{{
		Who: p.who(), PID: p.PID, Kind: KindHeld, Grade: Pattern,
		What: "may hold its output back", Why: b.habit + " when its output is no terminal",
		Evidence: fmt.Sprintf("it waits for input, its output is a pipe, it has written %d bytes", max(p.Written, 0)),
		Cure:     cure(p.program()),
	}}
}

// block: every usual buffer is a multiple.
const block = 4096

// suspicious: it waits for input, has taken all there was, its output is a pipe
// of ours, and what it wrote is nothing or whole blocks.
func suspicious(l Lanes, p Process, found []Finding) bool {
	waits := slices.ContainsFunc(found, func(f Finding) bool { return f.Kind == KindInput && f.Grade == Kernel })
	toPipe := slices.ContainsFunc(p.Pipes, func(e End) bool { return e.FD == 1 && l.lane(e.Link) != "" })
	return waits && toPipe && l.Unread <= 0 && l.Untaken <= 0 && (p.Written < 0 || p.Written%block == 0)
}

// A habit is how a program holds its output back, and what makes it stop.
type habit struct{ habit, cure string }

// buffers are the programs that are known for it, by the name without version.
func buffers() map[string]habit {
	return map[string]habit{
		"python":  {"python writes in blocks", "python -u, or --unbuffered (PYTHONUNBUFFERED=1)"},
		"perl":    {"perl writes in blocks", "$| = 1 in the program"},
		"ruby":    {"ruby writes in blocks", "$stdout.sync = true in the program"},
		"java":    {"java may write in blocks", "System.out with autoflush, or flush()"},
		"awk":     {"awk writes in blocks", "fflush() in the program, or mawk -W interactive"},
		"mawk":    {"mawk writes in blocks", "fflush() in the program, or mawk -W interactive"},
		"gawk":    {"gawk writes in blocks", "fflush() in the program"},
		"sed":     {"sed writes in blocks", "sed -u"},
		"grep":    {"grep writes in blocks", "grep --line-buffered"},
		"egrep":   {"grep writes in blocks", "grep --line-buffered"},
		"fgrep":   {"grep writes in blocks", "grep --line-buffered"},
		"tcpdump": {"tcpdump writes in blocks", "tcpdump -l"},
		"jq":      {"jq writes in blocks", "jq --unbuffered"},
		"lua":     {"lua writes in blocks", `io.stdout:setvbuf("no") in the program`},
		"php":     {"php may write in blocks", "output_buffering=0"},
		"tclsh":   {"tcl writes in blocks", "fconfigure stdout -buffering line in the program"},
		"bc":      {"bc writes in blocks", ""},
		"tr":      {"tr writes in blocks", ""},
		"cut":     {"cut writes in blocks", ""},
		"node":    {"node writes at once as a rule", ""},
	}
}

// cureUnless is the cure, but nothing for files of the program's own: they harm
// no dialog.
func cureUnless(minor bool, l Lanes, program string) string {
	switch {
	case minor:
		return ""
	case l.TTY != "" && l.OutputPipe == 0:
		return "--unbuffered, or fflush() in the program: on a terminal too a line goes out with its end"
	}
	return cure(program)
}

// cure says what makes a program write at once.
func cure(program string) string {
	const always = "--stdio pty-stdout"
	if b := buffers()[program]; b.cure != "" {
		return always + ", or " + b.cure
	}
	return always + ", or --unbuffered"
}

// Unbuffered returns env with what is known to make programs write at once: for
// python its own variable, for programs that use the C library's stdio dynamically
// the library of coreutils' stdbuf (output and input without buffers: with input
// buffered, a prompt without newline would stay). What it does not reach: static
// programs, setuid ones, perl, ruby, java. Without that library only the variable
// is set, and the error says so.
func Unbuffered(env []string) ([]string, error) {
	env = set(env, "PYTHONUNBUFFERED", "1")
	lib := stdbuf()
	if lib == "" {
		return env, fmt.Errorf("libstdbuf.so of coreutils is not installed")
	}
	env = set(env, "_STDBUF_O", "0")
	env = set(env, "_STDBUF_I", "0")
	return set(env, "LD_PRELOAD", strings.TrimPrefix(get(env, "LD_PRELOAD")+":"+lib, ":")), nil
}

// stdbuf returns where coreutils keeps the library of stdbuf, or "".
func stdbuf() string {
	for _, pattern := range []string{
		"/usr/libexec/coreutils/libstdbuf.so", "/usr/lib/coreutils/libstdbuf.so", "/usr/lib64/coreutils/libstdbuf.so",
		"/usr/lib/*/coreutils/libstdbuf.so",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		for _, name := range found {
			if _, err := os.Stat(name); err == nil {
				return name
			}
		}
	}
	return ""
}

func get(env []string, key string) string {
	for _, kv := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(kv, key+"="); ok {
			return v
		}
	}
	return ""
}

// set returns a copy of env with a variable.
func set(env []string, key, value string) []string {
	kept := slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, key+"=") })
	return append(kept, key+"="+value)
}
