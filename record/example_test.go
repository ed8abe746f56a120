package record_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spawnx/spawnx/record"
)

func Example() {
	var file bytes.Buffer
	w, err := record.NewWriter(&file, record.Header{Rows: 24, Cols: 80, Command: "greet"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(w, "hello\n")
	_ = w.Exit(0)
	_ = w.Close()

	r, err := record.NewReader(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Header().Command)
	if err := record.Play(context.Background(), os.Stdout, r, record.PlayOptions{IdleLimit: time.Second}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// greet
	// hello
}
