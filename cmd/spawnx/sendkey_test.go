//go:build unix

package main

import "testing"

// A menu reads the cursor keys that it has asked for; others would be Escape, and leave it.
func TestCursorKeysInAMenu(t *testing.T) {
	names(t)
	menu := []string{"dialog", "--menu", "which", "10", "30", "3", "a", "A", "b", "B"}
	does(t, 0, append([]string{"run", "--quiet", "--on", "<waiting> => <down><enter>"}, menu...)...)
	does(t, 0, append([]string{"run", "-d", "--name", "menu"}, menu...)...)
	does(t, 0, "expect", "--screen", "menu", "Cancel")
	does(t, 0, "sendkey", "menu", "down", "enter")
	does(t, 0, "wait", "menu")
}
