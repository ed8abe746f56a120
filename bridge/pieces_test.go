package bridge_test

import (
	"io"
	"sync"
	"testing"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

// With pieces every read brings at most that many bytes, and nothing is lost, on a terminal and on pipes.
func TestPieces(t *testing.T) {
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		var mu sync.Mutex
		asked := 0
		ctx := bridge.WithPieces(t.Context(), func() int {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return asked % 3 // 0 counts as 1
		})
		spec := proc.Command("sh", "-c", `printf 'abcdefghijklmnopqrstuvwxyz'`)
		spec.Stdio = kind
		b, err := bridge.Start(ctx, spec)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		got, err := io.ReadAll(b.Output().Reader("test", bridge.Block))
		if err != nil || string(got) != "abcdefghijklmnopqrstuvwxyz" {
			t.Errorf("%v: got %q, %v", kind, got, err)
		}
		mu.Lock()
		if asked < 13 {
			t.Errorf("%v: %d reads for 26 bytes in pieces of at most 2", kind, asked)
		}
		mu.Unlock()
	}
}
