// Package keys turns names of keys into the bytes that a terminal sends for
// them, and back. The names are those of the KEY grammar:
//
//	enter tab esc space backspace delete insert up down left right
//	home end pgup pgdn f1 … f20, or any single character,
//
// each after any of the prefixes ctrl-, alt- and shift-. The bytes are
// those of xterm, as the terminal type xterm-256color promises them.
//
// What a terminal cannot send apart from another key is an error, not the other
// key: ctrl-enter, shift-1.
package keys
