package diag

import (
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"path"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/procfs"
	"golang.org/x/sys/unix"
)

// What a C program has printed and not flushed lies in the buffers of its FILEs.
// glibc keeps all of them in a list that begins at _IO_list_all, an exported
// symbol, and the layout of struct _IO_FILE is part of its binary interface
// (bits/types/struct_FILE.h): on machines with 8-byte pointers
//
//	  0  int   flags              0xfbad in the upper half
//	 32  char *write_base         what was written and not flushed
//	 40  char *write_ptr          lies between these two
//	104  FILE *chain              the next one
//	112  int   fileno
const (
	fileMagic     = 0xfbad0000
	filePutting   = 0x800 // the buffer is one of output
	fileWriteBase = 32
	fileWritePtr  = 40
	fileChain     = 104
	fileNumber    = 112
	fileSize      = 120
	mostFiles     = 64
	mostHeld      = 4096 // bytes of text that a snapshot keeps of one FILE
)

// heldBy returns what lies in the stdio buffers of a process; false when that
// cannot be known: another C library, a static program without symbols, no right
// to look.
func heldBy(pid int, maps []procfs.Mapping) ([]Held, bool) {
	list, ok := fileList(pid, maps)
	if !ok {
		return nil, false
	}
	var next [8]byte
	if !peek(pid, list, next[:]) {
		return nil, false
	}
	var held []Held
	for range mostFiles {
		at := binary.NativeEndian.Uint64(next[:])
		if at == 0 {
			break
		}
		var file [fileSize]byte
		if !peek(pid, at, file[:]) {
			return nil, false
		}
		flags := binary.NativeEndian.Uint32(file[:])
		if flags&0xffff0000 != fileMagic {
			return nil, false // not the layout that is known
		}
		base, end := binary.NativeEndian.Uint64(file[fileWriteBase:]), binary.NativeEndian.Uint64(file[fileWritePtr:])
		if flags&filePutting != 0 && end > base && end-base < 1<<30 {
			text := make([]byte, min(end-base, mostHeld))
			if !peek(pid, base, text) {
				return nil, false
			}
			fd := int(int32(binary.NativeEndian.Uint32(file[fileNumber:])))
			held = append(held, Held{FD: fd, Bytes: int(end - base), Text: string(text)})
		}
		copy(next[:], file[fileChain:])
	}
	return held, true
}

// fileList returns where a process has _IO_list_all: in its libc, else, when it
// is linked statically, in itself.
func fileList(pid int, maps []procfs.Mapping) (addr uint64, ok bool) {
	exe, _ := procfs.Exe(pid) // "": no mapping is it
	for _, m := range maps {
		if m.Offset == 0 && (path.Base(m.Path) == "libc.so.6" || m.Path == exe) && m.Path != "" {
			s := symbolOf(pid, m)
			if s.value == 0 {
				continue
			}
			if s.fixed {
				return s.value, true
			}
			return m.Start + s.value, true
		}
	}
	return 0, false
}

// A symbol is where a file says that _IO_list_all is; value 0: it does not.
type symbol struct {
	value uint64
	fixed bool // an address, not a distance from where it is loaded
}

// symbols remembers what was found: a C library has thousands of symbols.
var symbols sync.Map

// A library is a file as it was at one time.
type library struct {
	device, inode uint64
	size          int64
	changed       time.Time
}

func symbolOf(pid int, m procfs.Mapping) symbol {
	// As the process sees it, which may have another root. The file may have been replaced since, by whatever the program
	// likes: to open a fifo would wait.
	f, err := os.OpenFile("/proc/"+strconv.Itoa(pid)+"/root"+m.Path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return symbol{}
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return symbol{}
	}
	st := info.Sys().(*syscall.Stat_t)
	k := library{uint64(st.Dev), st.Ino, info.Size(), info.ModTime()}
	if s, ok := symbols.Load(k); ok {
		return s.(symbol)
	}
	s := findSymbol(f)
	symbols.Store(k, s)
	return s
}

func findSymbol(file io.ReaderAt) symbol {
	f, err := elf.NewFile(file)
	if err != nil {
		return symbol{}
	}
	if f.Class != elf.ELFCLASS64 {
		return symbol{} // another layout
	}
	for _, table := range []func() ([]elf.Symbol, error){f.DynamicSymbols, f.Symbols} {
		all, err := table()
		if err != nil {
			continue // no such table
		}
		for _, s := range all {
			if s.Name == "_IO_list_all" && s.Section != elf.SHN_UNDEF {
				return symbol{s.Value, f.Type == elf.ET_EXEC}
			}
		}
	}
	return symbol{}
}
