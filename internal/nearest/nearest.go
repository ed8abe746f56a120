// Package nearest finds the word that was probably meant.
package nearest

import (
	"slices"
	"strings"
)

// Word returns the one of words that was probably meant by name, "" where none is near: where fewest letters differ,
// one and another for each four that name has, or that goes on where name, of three letters at least, ends. Upper and
// lower case are the same. Of several that are as near, it is one as long as name, and of those the first of the alphabet.
func Word(name string, words []string) (near string) {
	name = strings.ToLower(name)
	least := 2 + len(name)/4
	for _, word := range slices.Sorted(slices.Values(words)) {
		lower := strings.ToLower(word)
		d := Distance(name, lower)
		if len(name) > 2 && strings.HasPrefix(lower, name) {
			d = min(d, 1)
		}
		asNear := near != "" && d == least && len(near) != len(name) && len(lower) == len(name)
		if (d < least || asNear) && d < len(name) {
			near, least = word, d
		}
	}
	return near
}

// Distance is how many bytes have to be inserted, dropped or replaced to make b of a (Levenshtein).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0]++
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last, row[j+1] = row[j+1], min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
