package proc

import (
	"sync"
	"time"

	"github.com/spawnx/spawnx/internal/ready"
	"github.com/spawnx/spawnx/ptyio"
)

// tells has f called, once, when the process has ended; f waits for nothing, and its at is in the order of the ends. It
// reports false where nobody tells. Who waits for the program's output, out, may see the end, too, and first: one thread is
// woken then, where else one sees the end, and wakes another by closing the terminal.
func (c *child) tells(out *ptyio.File, f func(at time.Time)) bool {
	switch {
	case c.asked != nil:
		c.keeper.tell(c.asked, f)
		return true
	case c.pidfd == nil:
		return false
	}
	var mu sync.Mutex // held until watch is known
	var watch *ready.Watch
	told := sync.OnceFunc(func() {
		mu.Lock()
		watch.End() // f gives the pidfd back
		mu.Unlock()
		f(time.Now())
	})
	return c.useFd(func(fd int) (err error) {
		mu.Lock()
		defer mu.Unlock()
		watch, err = ready.Add(fd, ready.In, func(uint32) { told() })
		if conn, cerr := c.pidfd.SyscallConn(); err == nil && cerr == nil && out != nil {
			out.Beside(conn, told)
		}
		return err
	}) == nil
}
