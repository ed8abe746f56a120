//go:build unix

package bridge

import (
	"os"
	"os/signal"
	"syscall"
)

// watchTerminal calls resized after SIGWINCH, and continued and resized after
// SIGCONT, until stop.
func watchTerminal(resized, continued func()) (stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGCONT)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range signals {
			if s == syscall.SIGCONT {
				continued()
			}
			resized()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
