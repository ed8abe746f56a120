package clitest

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/lazy"
)

// Systems and processors that Go knows: each is a condition.
var (
	systems = []string{"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl",
		"netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows", "zos"}
	unixes = []string{"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "linux", "netbsd", "openbsd",
		"solaris"}
	processors = []string{"386", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "loong64", "mips", "mips64",
		"mips64le", "mips64p32", "mips64p32le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x",
		"sparc", "sparc64", "wasm"}
	others    = []string{"unix", "short", "net", "link", "symlink", "root", "gc", "gccgo"}
	goRelease = lazy.Regexp(`^go1\.([1-9][0-9]*)$`)
)

// checkCond returns an error for a condition that nobody knows.
func checkCond(name string) error {
	if strings.HasPrefix(name, "exec:") && name != "exec:" || goRelease.Get().MatchString(name) ||
		slices.Contains(systems, name) || slices.Contains(processors, name) || slices.Contains(others, name) {
		return nil
	}
	return hinted("known are [unix] [linux] and other systems, [amd64] and other processors, [exec:PROGRAM] [net] [root]"+
		" [short] [symlink] [link], and [!...] of each", "unknown condition %s", escape.Quote(name))
}

// holds reports whether a condition that checkCond knows holds.
func (s *state) holds(name string) bool {
	switch name {
	case runtime.GOOS, runtime.GOARCH, runtime.Compiler:
		return true
	case "unix":
		return slices.Contains(unixes, runtime.GOOS)
	case "root":
		return os.Geteuid() == 0
	case "net":
		return hasNetwork()
	case "link", "symlink":
		return s.canLink(name)
	}
	if program, ok := strings.CutPrefix(name, "exec:"); ok {
		return s.inPath(program)
	}
	if m := goRelease.Get().FindStringSubmatch(name); m != nil {
		return !olderGo(m[1])
	}
	return false
}

// hasNetwork: an interface other than the loopback is up and has an address.
func hasNetwork() bool {
	interfaces, _ := net.Interfaces() // no interfaces, no network
	for _, i := range interfaces {
		if addresses, _ := i.Addrs(); i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 && len(addresses) > 0 {
			return true
		}
	}
	return false
}

// canLink tries it.
func (s *state) canLink(how string) bool {
	target := filepath.Join(s.tmp, "link-target")
	name := filepath.Join(s.tmp, "link-name")
	defer os.Remove(target)
	defer os.Remove(name)
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		return false
	}
	if how == "link" {
		return os.Link(target, name) == nil
	}
	return os.Symlink(target, name) == nil
}

// inPath reports whether the test would find the program.
func (s *state) inPath(program string) bool {
	if strings.ContainsRune(program, filepath.Separator) {
		return isProgram(s.abs(program))
	}
	for _, dir := range filepath.SplitList(s.getenv("PATH")) {
		if dir != "" && isProgram(filepath.Join(s.abs(dir), program)) {
			return true
		}
	}
	return false
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	if err == nil && runtime.GOOS == "windows" {
		return !info.IsDir()
	}
	if err != nil && runtime.GOOS == "windows" {
		info, err = os.Stat(path + ".exe")
		return err == nil && !info.IsDir()
	}
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// olderGo reports whether the Go that built this is older than 1.minor.
func olderGo(minor string) bool {
	version, _, _ := strings.Cut(strings.TrimPrefix(runtime.Version(), "go1."), ".")
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		version = version[:end]
	}
	have, err := strconv.Atoi(version)
	want, err2 := strconv.Atoi(minor)
	return err == nil && (err2 != nil || have < want) // a development version has every feature
}
