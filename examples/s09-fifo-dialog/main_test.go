//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// The test binary plays the server and the clients.
func TestMain(m *testing.M) {
	if os.Getenv("PLAY_S09") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "PLAY_S09=1", "GORACE=atexit_sleep_ms=0") // else each race-checked exit takes a second
	cmd.Stderr = os.Stderr
	return cmd
}

func server(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := command(t, "-dir", dir, "-server")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// Clients in processes of their own ask at once, some before there is a server, and each gets its own reply. The
// server is stopped and started again.
func TestManyClients(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	for round := range 3 {
		var all sync.WaitGroup
		client := func(pid func() int, n int) {
			all.Go(func() {
				request := fmt.Sprintf("Hello %d of round %d", n, round)
				got, err := command(t, "-dir", dir, request).Output()
				if want := fmt.Sprintf("Server %d got: [%s]\n", pid(), request); string(got) != want || err != nil {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
		}
		pid := make(chan int, 5)
		for n := range 5 {
			client(func() int { return <-pid }, n)
		}
		s := server(t, dir)
		for range 5 {
			pid <- s.Process.Pid
		}
		for n := range 5 {
			client(func() int { return s.Process.Pid }, 5+n)
		}
		all.Wait()
		s.Process.Signal(syscall.SIGTERM)
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(dir); !os.IsNotExist(err) {
			t.Errorf("the folder is left: %v", err)
		}
	}
}

// A client that is no Go program, and one that sends nonsense, beside the others.
func TestShellAndNonsense(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	s := server(t, dir)
	if _, err := command(t, "-dir", dir, "is it there?").Output(); err != nil {
		t.Fatal(err)
	}
	const script = `cd "$1"; mkfifo -m 600 me; echo nonsense >requests; echo "me Hello" >requests; cat me; rm me`
	got, err := exec.Command("sh", "-ec", script, "sh", dir).Output()
	if want := fmt.Sprintf("Server %d got: [Hello]\n", s.Process.Pid); string(got) != want || err != nil {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
