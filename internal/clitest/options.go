package clitest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say how tests are run.
type Options struct {
	// Update rewrites files of the archive that differ from what came: those of
	// screen, and the second file of cmp.
	Update bool
	// Jobs is how many tests run at a time; 0 is one for each processor.
	Jobs int
	// Retries is how often a test that failed is run again. One that passes
	// then is flaky.
	Retries int
	// Repeat is how often each test is run; 0 is once.
	Repeat int
	// Timeout bounds each test, Wait each wait in it. Zero is 10 min and 30 s.
	Timeout, Wait time.Duration
	// Chunk cuts the reads of programs' output.
	Chunk Chunk
	// Keep is the folder that gets what failures leave, and the folders of the
	// tests that failed; "" is one of ours, without the latter.
	Keep string
}

// A Chunk says into how small pieces reads of a program's output are cut. The zero Chunk does not cut.
type Chunk struct {
	size int    // each read; 0: none or random
	seed uint64 // of random pieces
	on   bool
}

// ParseChunk reads a number of bytes, 1 as a rule, or random:SEED.
func ParseChunk(s string) (Chunk, error) {
	if seed, ok := strings.CutPrefix(s, "random:"); ok {
		n, err := strconv.ParseUint(seed, 10, 64)
		if err != nil {
			return Chunk{}, fmt.Errorf("%q is no seed\nhint: write a number: random:1", seed)
		}
		return Chunk{seed: n, on: true}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return Chunk{}, fmt.Errorf("%q says no size of reads\nhint: write 1, or random:SEED", s)
	}
	return Chunk{size: n, on: true}, nil
}

// cutter returns what tells the size of each read, nil where they are not cut. The same seed and test give
// the same sizes.
func (c Chunk) cutter(test string) func() int {
	switch {
	case !c.on:
		return nil
	case c.size > 0:
		return func() int { return c.size }
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(test)) // never fails
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(c.seed, h.Sum64()))
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return 1 + r.IntN(1<<r.IntN(9)) // small ones and large ones
	}
}

// ParseShard reads i/n.
func ParseShard(s string) (i, n int, err error) {
	left, right, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(left)
	n, err2 := strconv.Atoi(right)
	if !ok || err1 != nil || err2 != nil || i < 1 || n < 1 || i > n {
		return 0, 0, fmt.Errorf("%q is no shard\nhint: write 1/3 for the first of three", s)
	}
	return i, n, nil
}
