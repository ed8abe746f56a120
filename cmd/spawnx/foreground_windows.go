package main

import "os"

// caughtAtOnce: Windows knows ctrl-c only.
var caughtAtOnce = []os.Signal{os.Interrupt}

var caughtAtTerminals []os.Signal

func caughtLater() []os.Signal { return nil }

func ignoreBrokenPipe() {}

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
