package diag

import "slices"

// relay says whether a program passes on what another terminal or machine says:
// when it accepts input, that says nothing about the program behind it.
func relay(name string) bool { return slices.Contains(relays, name) }

var relays = []string{
	"ssh", "slogin", "mosh-client", "telnet", "rlogin", "rsh", "nc", "ncat", "netcat", "nc.openbsd", "nc.traditional", "socat",
	"tmux", "tmux: client", "screen", "dtach", "abduco", "zellij", "script", "rlwrap", "expect", "unbuffer", "asciinema",
	"docker", "podman", "kubectl", "lxc", "incus", "nerdctl", "ctr", "crictl", "oc", "machinectl",
	"adb", "minicom", "picocom", "cu", "tio", "websocat", "virsh",
}

// service says whether a thread is one that a runtime keeps for itself, by the
// name it gives itself. Such a thread may wake at its times; the program waits all
// the same.
func service(thread string) bool { return slices.Contains(services, thread) }

// The names are cut at 15 bytes by the kernel.
var services = []string{
	// HotSpot
	"VM Periodic Tas", "VM Thread", "Reference Handl", "Finalizer", "Signal Dispatch", "Service Thread", "Monitor Deflati",
	"Common-Cleaner", "Notification Th", "Sweeper thread", "Attach Listener", "process reaper",
	"C1 CompilerThre", "C2 CompilerThre", "GC Thread#0", "GC Thread#1", "G1 Main Marker", "G1 Conc#0", "G1 Refine#0", "G1 Service",
	// V8
	"DelayedTaskSche", "V8Worker", "SignalInspector",
}

// fullScreen and lineEditor tell programs apart that read their terminal key by key.
func fullScreen(program string) bool { return slices.Contains(fullScreens, program) }

func lineEditor(program string) bool { return slices.Contains(lineEditors, program) }

var (
	fullScreens = []string{
		"vi", "vim", "vim.basic", "vim.tiny", "nvim", "view", "emacs", "nano", "pico", "micro", "joe", "less", "more", "most", "man", "pager",
		"top", "htop", "btop", "atop", "iotop", "watch", "mc", "dialog", "whiptail", "tig", "lazygit", "fzf", "ncdu", "ranger", "nmtui", "mutt", "w3m", "lynx",
	}
	lineEditors = []string{
		"bash", "sh", "dash", "zsh", "fish", "ksh", "python", "ipython", "gdb", "sqlite", "bc", "psql", "mysql", "ftp", "sftp", "lftp", "node", "irb", "lua", "tclsh", "R", "jshell", "php", "gp", "octave",
	}
)
