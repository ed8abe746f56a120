package grammar

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spawnx/spawnx/proc"
)

// Command reads a CMD: words as the shell gave them. A single word with blanks that names no program is a
// whole command in one string and is split; dir is where a relative program is looked up, "" is ours.
func Command(words []string, dir string) (proc.Spec, error) {
	if len(words) == 0 || words[0] == "" {
		return proc.Spec{}, fmt.Errorf("no program is given")
	}
	if len(words) == 1 && strings.ContainsAny(words[0], " \t\n") && !isProgram(words[0], dir) {
		return proc.ParseCommand(words[0])
	}
	return proc.Command(words[0], words[1:]...), nil
}

func isProgram(name, dir string) bool {
	if !strings.Contains(name, "/") {
		_, err := exec.LookPath(name)
		return err == nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	_, err := os.Stat(name)
	return err == nil
}
