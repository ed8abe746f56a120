//go:build linux

package diag

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ssh is two things: while it asks for itself it waits like any program; once
// it is connected nothing here says what the far program does.
func TestSSH(t *testing.T) {
	need(t, "ssh", "openssh-client")
	port, key := sshServer(t)
	args := func(t *testing.T, more ...string) []string {
		dir := t.TempDir()
		args := []string{"ssh", "-F", "/dev/null", "-p", port, "-o", "UserKnownHostsFile=" + filepath.Join(dir, "known"), "-o", "GlobalKnownHostsFile=/dev/null"}
		return append(append(args, more...), "127.0.0.1")
	}
	client := func(t *testing.T, more ...string) *rig { return onTerminal(t, args(t, more...)...) }
	t.Run("host key question", func(t *testing.T) {
		r := client(t)
		if ev := r.proved(); ev.Password || ev.Program != "ssh" {
			t.Errorf("%+v", ev)
		}
		if !strings.Contains(r.seen.String(), "(yes/no") {
			t.Errorf("proved before the question: %q", r.seen.String())
		}
	})
	t.Run("password", func(t *testing.T) {
		r := client(t, "-o", "StrictHostKeyChecking=no", "-o", "PreferredAuthentications=password")
		if ev := r.proved(); !ev.Password {
			t.Errorf("%+v", ev)
		}
		if !strings.Contains(r.seen.String(), "password: ") {
			t.Errorf("proved before the question: %q", r.seen.String())
		}
		t.Log(r.finding(KindPassword, "ssh"))
	})
	t.Run("connected", func(t *testing.T) {
		r := client(t, "-o", "StrictHostKeyChecking=no", "-i", key)
		f := r.finding(KindRelay, "ssh")
		until(t, "no hope of a proof", func() (Evidence, bool) {
			ev := r.waiting()
			if ev.Proved() {
				t.Fatalf("%+v after %q", ev, r.seen.String())
			}
			return ev, ev.Never && ev.Grade == Quiet
		})
		// Below a shell it is a command like any other: its end brings the shell back.
		shell := onTerminal(t, "bash", "--norc", "-i")
		shell.proved()
		shell.send(strings.Join(args(t, "-o", "StrictHostKeyChecking=no", "-i", key), " ") + "\r")
		shell.finding(KindRelay, "ssh")
		if ev := shell.waiting(); ev.Proved() || ev.Never {
			t.Errorf("below a shell: %+v", ev)
		}
		for _, line := range []string{"sleep 0.2\r", "echo hello\r"} {
			r.send(line)
			for range 200 {
				if ev := r.waiting(); ev.Proved() {
					t.Fatalf("%+v after %q", ev, r.seen.String())
				}
			}
		}
		t.Log(f, "|", r.waiting())
	})
}

// sshServer starts a server on the loopback and returns its port and a key
// that it lets in.
func sshServer(t *testing.T) (port, key string) {
	t.Helper()
	need(t, "ssh-keygen", "openssh-client")
	if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
		t.Fatal("/usr/sbin/sshd is missing: install the Debian package openssh-server")
	}
	dir := t.TempDir()
	hostKey, key := filepath.Join(dir, "host"), filepath.Join(dir, "key")
	for _, name := range []string{hostKey, key} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	check(t, os.MkdirAll("/run/sshd", 0o755)) // the server insists on it
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	_, port, err = net.SplitHostPort(l.Addr().String())
	check(t, err)
	check(t, l.Close())
	config := filepath.Join(dir, "config")
	check(t, os.WriteFile(config, []byte(fmt.Sprintf(
		"Port %s\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s.pub\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nPrintMotd no\nSetEnv HOME=%s\n",
		port, hostKey, key, dir)), 0o600))
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-f", config)
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it never ends by itself
		_ = cmd.Wait()
	})
	until(t, "the server listens", func() (error, bool) {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			err = c.Close()
		}
		return err, err == nil
	})
	return port, key
}
