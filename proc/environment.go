package proc

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// environment returns the child's environment, without duplicates.
func environment(s Spec) ([]string, error) {
	var env []string
	inherits := s.Env == nil || s.EnvKeep != nil
	if inherits {
		env = os.Environ()
	}
	if s.EnvKeep != nil {
		env = slices.DeleteFunc(env, func(entry string) bool {
			name, _, _ := strings.Cut(entry, "=")
			return !slices.Contains(s.EnvKeep, name)
		})
	}
	// Our PWD would be wrong in another folder; one that the Spec names itself stands.
	if i := slices.IndexFunc(env, isOf("PWD")); inherits && s.Dir != "" && i >= 0 {
		dir, err := filepath.Abs(s.Dir)
		if err != nil {
			return nil, err
		}
		env[i] = "PWD=" + dir
	}
	env = append(env, s.Env...)
	if s.Stdio != Pipes && !slices.ContainsFunc(env, isOf("TERM")) {
		env = append(env, "TERM=xterm-256color")
	}
	if len(s.Env) == 0 && runtime.GOOS != "windows" { // package os names nothing twice
		return env, nil
	}
	return lastWins(env), nil
}

// isOf returns whether an entry of an environment is that of name.
func isOf(name string) func(entry string) bool {
	return func(entry string) bool { return strings.HasPrefix(entry, name+"=") }
}

// lastWins keeps the last value of each name, at its place.
func lastWins(env []string) []string {
	seen := make(map[string]bool, len(env))
	kept := make([]string, 0, len(env))
	for _, entry := range slices.Backward(env) {
		name, _, _ := strings.Cut(entry, "=")
		if runtime.GOOS == "windows" {
			// Names have no case there; "=C:=C:\dir" holds the folder of a drive.
			name = strings.ToUpper(name)
			if name == "" {
				name = entry
			}
		}
		if !seen[name] {
			seen[name] = true
			kept = append(kept, entry)
		}
	}
	slices.Reverse(kept)
	return kept
}
