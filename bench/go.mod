module github.com/spawnx/spawnx/bench

go 1.26.0

require (
	github.com/Netflix/go-expect v0.0.0-20220104043353-73e0943537d2
	github.com/creack/pty v1.1.24
	github.com/spawnx/spawnx v0.0.0
	golang.org/x/sys v0.49.0
)

require github.com/google/shlex v0.0.0-20191202100458-e7afc7fbc510 // indirect

replace github.com/spawnx/spawnx => ../
