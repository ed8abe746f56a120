package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spawnx/spawnx/proc"
)

// unbuffered returns what to add to a program's environment so that it writes at once what it has to say,
// although it does not write to a terminal. stdbuf is the path of coreutils' library for programs that
// use the C library's streams; "" where there is none.
func unbuffered(args []string, kind proc.Stdio, stdbuf func() string) ([]string, error) {
	name := filepath.Base(args[0])
	if kind != proc.Pipes {
		return nil, nil // programs write to a terminal line by line
	}
	for _, known := range []string{"perl", "ruby", "java", "awk", "mawk", "lua"} {
		if name == known {
			return nil, fmt.Errorf("--unbuffered: nothing outside of %s makes it write at once\nhint: give it a terminal for its output: --stdio pty-stdout", name)
		}
	}
	env := []string{"PYTHONUNBUFFERED=1"} // only python looks at it; a script may be one
	if strings.HasPrefix(name, "python") {
		return env, nil
	}
	// With the input unbuffered too, the C library flushes a prompt without newline before it reads.
	if library := stdbuf(); library != "" {
		env = append(env, "LD_PRELOAD="+library, "_STDBUF_O=L", "_STDBUF_I=L")
	}
	return env, nil
}

// findStdbuf looks where the distributions put the library that stdbuf(1) preloads.
func findStdbuf() string {
	for _, pattern := range []string{
		"/usr/libexec/coreutils/libstdbuf.so",
		"/usr/lib/coreutils/libstdbuf.so",
		"/usr/lib/*/coreutils/libstdbuf.so",
	} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}
