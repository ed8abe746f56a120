// Package procfs reads Linux's /proc as typed values: processes, threads, what
// each thread waits for in the kernel, descriptors and mappings.
//
// It decides nothing. Each file has a parser, a function of bytes, and a reader
// that names the process. Reading changes nothing in the process and does not
// stop it; every value may be out of date when it is returned.
//
// Errors answer to errors.Is: fs.ErrNotExist where the process or thread is gone
// (or there is no /proc), fs.ErrPermission where the kernel does not let us look.
// All functions may be called concurrently.
package procfs
