package proc

import "testing"

func BenchmarkStart(b *testing.B) {
	umask := uint32(0o022)
	for name, s := range map[string]Spec{"pipes": {}, "shim": {Umask: &umask}} {
		s.Args, s.Stdio = []string{"/bin/true"}, Pipes
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p, err := Start(b.Context(), s)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := p.Wait(b.Context()); err != nil {
					b.Fatal(err)
				}
				if err := p.Stdio().Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScan(b *testing.B) {
	for b.Loop() {
		readTasks()
	}
}
