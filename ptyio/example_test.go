//go:build unix

package ptyio_test

import (
	"fmt"
	"log"

	"github.com/spawnx/spawnx/ptyio"
)

// A program would get Child's files as its standard streams; here we write to
// them ourselves.
func ExampleOpen() {
	s, err := ptyio.Open(ptyio.PTY, ptyio.Size{Rows: 30, Cols: 100}, false)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	fmt.Fprintln(s.Child()[1], "hello")
	buf := make([]byte, 100)
	n, err := s.Out.Read(buf)
	fmt.Printf("%q %v\n", buf[:n], err)
	// Output: "hello\r\n" <nil>
}

func ExampleMode_Interprets() {
	s, err := ptyio.Open(ptyio.PTY, ptyio.Size{}, false)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	mode, err := s.Terminal.Mode()
	fmt.Println(mode.Interprets(3), err)
	mode.Signals = false
	fmt.Println(mode.Interprets(3) == "", s.Terminal.SetMode(mode))
	// Output:
	// INTR <nil>
	// true <nil>
}

func ExampleParseSize() {
	size, err := ptyio.ParseSize("50x132")
	fmt.Println(size.Rows, size.Cols, err)
	_, err = ptyio.ParseSize("80")
	fmt.Println(err)
	// Output:
	// 50 132 <nil>
	// size "80" is not ROWSxCOLS, as in 24x80
}
