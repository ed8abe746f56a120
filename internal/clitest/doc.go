// Package clitest runs tests of command-line programs: the verb `spawnx test`.
//
// A test is a txtar archive. The text at its top is a script, one command a
// line; the files behind it are what the test begins with. The commands are
// those of rogpeppe's testscript, with the same meaning, and those of a
// dialog: spawn, expect, sendline, screen. docs/tests.md is the reference.
//
//	spawn python3 -q
//	expect '>>> '
//	sendline 6*7
//	expect 42
//	sendeof
//	wait
//
// Read finds and reads tests, a Runner runs them, each in a folder of its own
// with a fixed environment, and returns report.Results, which package report
// writes for people and machines.
package clitest
