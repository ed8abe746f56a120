package main

import (
	"os"
	"runtime"
	"runtime/pprof"
)

// startProfile writes a processor profile to the file, if one is named, until the returned function is called.
func startProfile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a profile that is cut short is seen by who reads it
	}, nil
}

// heapProfile writes what the live memory is for to the file, if one is named.
func heapProfile(file string) error {
	if file == "" {
		return nil
	}
	runtime.GC()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return pprof.Lookup("heap").WriteTo(f, 0)
}
