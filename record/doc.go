// Package record writes and reads recordings of terminals: asciicast files,
// which asciinema and its players understand. It writes version 3 and reads
// versions 1 to 3.
//
//	w, err := record.NewWriter(file, record.Header{Rows: 24, Cols: 80})
//	io.Copy(w, program)
//	w.Exit(0)
//	w.Close()
//
// A recording holds the bytes that were written exactly, also where they are
// no UTF-8. The format holds text only, so output that is none is written as
// the text that a terminal would show, with U+FFFD for each bad byte, which any
// player shows, and before it stands an event "b" with the bytes in base64,
// which players leave out and a Reader puts in the text's place.
//
// The package knows nothing of secrets: what is written to it stays in the file.
// Mask first.
package record
