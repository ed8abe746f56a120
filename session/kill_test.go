//go:build unix

package session_test

func serveUntilKilled([]string) {}
