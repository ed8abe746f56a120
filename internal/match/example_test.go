package match_test

import (
	"fmt"

	"github.com/spawnx/spawnx/internal/match"
)

func Example() {
	set, err := match.Compile([]match.Pattern{
		{Text: "password: "},
		{Text: `(\w+) login: `, Regexp: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	text := ""
	var scan match.Scan
	set.Start(&scan)
	for _, piece := range []string{"Debian 13\nwe", "b1 log", "in: "} {
		text += piece
		fmt.Println(scan.Feed([]byte(piece)))
	}
	found, _ := scan.Decided()
	start, groups, _ := set.Locate(found, []byte(text), 0)
	fmt.Println(found.Case, start, found.End, text[groups[2]:groups[3]])
	// Output:
	// false
	// false
	// true
	// 1 10 22 web1
}
