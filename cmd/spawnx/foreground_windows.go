package main

import "os"

// caught: Windows knows ctrl-c only.
var caught = []os.Signal{os.Interrupt}

func realTime() []os.Signal { return nil }

// handle: the console has sent ctrl-c to the program too.
func (f *foreground) handle(os.Signal) {
	if _, over := f.program.Process().Exit(); over {
		f.orphan(os.Interrupt)
	}
}

func (f *foreground) suspend(bool) {}

func inBackground() bool { return false }

// handedOver: descriptors are not inherited by number here.
func handedOver(int) bool { return false }
