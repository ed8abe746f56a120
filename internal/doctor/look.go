package doctor

import (
	"context"
	"os"
	"runtime"
	"time"

	"github.com/spawnx/spawnx/internal/rundir"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// Look asks the system; in and out are our own standard streams. It opens a terminal and closes it, starts a program that sleeps and ends it, starts the keeper,
// and makes the folder of named programs if it is not there.
func Look(ctx context.Context, in, out *os.File) Facts {
	f := Facts{System: runtime.GOOS, Root: os.Geteuid() == 0}
	f.Containment, f.ContainmentErr = proc.CheckContainment()
	f.OurIn, f.OurOut = ptyio.IsTerminal(in), ptyio.IsTerminal(out)
	if s, err := ptyio.Open(ptyio.PTY, ptyio.Size{}, false); err != nil {
		f.Terminal = err
	} else {
		_ = s.Close() // nothing was written to it
	}
	f.Folder, f.FolderErr = rundir.Root()
	f.ask()
	f.tryProgram(ctx)
	return f
}

// tryProgram starts a program that waits for input, and tries what can be done with one.
func (f *Facts) tryProgram(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	s := proc.Command("cat")
	s.Stdio, s.NoNewPrivs = proc.Pipes, true
	p, err := proc.Start(ctx, s)
	f.Limits = err == nil
	if err != nil {
		s.NoNewPrivs = false
		if p, err = proc.Start(ctx, s); err != nil {
			return
		}
	}
	f.examine(p.PID())
	_, _ = p.Stop(ctx) // it is a cat
	_ = p.Stdio().Close()
}
