package clitest

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/tools/txtar"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/internal/lazy"
)

// A Test is a test file that was read and checked.
type Test struct {
	// Name is the file's path as it was found, with slashes.
	Name string
	// Err is what is wrong with the file; such a test fails without being run.
	Err error

	path  string
	data  []byte // the file as it was read
	lines []line
	files []file
}

// screenSuffix ends the names of the archive's files that hold screens.
const screenSuffix = ".screen"

// A line is one of the script that says something.
type line struct {
	number int // in the file, from 1
	text   string
	phase  bool // it begins with #: a heading
	words  []word
}

// A word consists of pieces; variables are expanded in those that are not quoted.
type word []piece

type piece struct {
	text   string
	quoted bool
}

// A file of the archive.
type file struct {
	name string
	data []byte
	line int // of its first line, in the test file
	from int // where its data begins and ends in the test file
	to   int
}

// Find returns the test files at the paths, sorted: a file as it is, a folder
// with all *.txtar below it. Without paths it looks below the current folder.
// Files and folders whose names begin with a dot, such as the lock files of
// editors, and folders of other programs' making such as node_modules, are left out.
func Find(paths []string) (files []string, err error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, pathError(path, err)
		}
		if !info.IsDir() {
			files = append(files, filepath.Clean(path))
			continue
		}
		n := len(files)
		err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && name != path && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
				return fs.SkipDir
			case strings.HasSuffix(name, ".txtar") && !strings.HasPrefix(entry.Name(), ".") && isFile(name, entry):
				files = append(files, filepath.Clean(name))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(files) == n {
			return nil, fmt.Errorf("no tests (*.txtar) below %s", escape.Visible(path))
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// isFile reports whether an entry of a folder is a file, or leads to one: a fifo would be waited for.
func isFile(name string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.Type().IsRegular()
	}
	info, err := os.Stat(name)
	return err != nil || info.Mode().IsRegular() // that it leads nowhere is told when it is read
}

func pathError(path string, err error) error {
	if os.IsNotExist(err) {
		return fmt.Errorf("%s is not there", escape.Visible(path))
	}
	return err
}

// Read reads a test file. What is wrong with its text is in Test.Err; the error
// is for a file that cannot be read.
func Read(path string) (*Test, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, pathError(path, err)
	}
	t := parse(filepath.ToSlash(path), data)
	t.path = path
	return t, nil
}

// ReadAll reads tests, several at a time. The error is that of the first one that has one.
func ReadAll(paths []string) ([]*Test, error) {
	tests, errs := make([]*Test, len(paths)), make([]error, len(paths))
	var next atomic.Int64
	var readers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(paths); i = int(next.Add(1)) - 1 {
				tests[i], errs[i] = Read(paths[i])
			}
		})
	}
	readers.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return tests, nil
}

// parse reads the text of a test and checks all that can be checked without running it.
func parse(name string, data []byte) *Test {
	t := &Test{Name: name, data: data}
	archive := txtar.Parse(data)
	if bytes.IndexByte(archive.Comment, 0) >= 0 {
		t.Err = t.at(1, fmt.Errorf("this is no text"))
		return t
	}
	t.place(archive)
	var wrong mistakes
	commands := 0
	for i, text := range strings.Split(strings.TrimPrefix(string(archive.Comment), byteOrderMark), "\n") {
		l := line{number: i + 1, text: strings.TrimRight(text, " \t\r")}
		var err error
		if l.phase = strings.HasPrefix(text, "#"); !l.phase {
			l.words, err = split(text)
		}
		if err == nil {
			err = check(l.words)
		}
		if err != nil {
			wrong = append(wrong, t.at(l.number, err))
		}
		if len(l.words) > 0 || err != nil {
			commands++
		}
		if l.phase || len(l.words) > 0 {
			t.lines = append(t.lines, l)
		}
	}
	for i, f := range t.files {
		for _, other := range t.files[:i] {
			if other.name == f.name {
				wrong = append(wrong, t.at(f.line-1, fmt.Errorf("a second file %s: the first is in line %d", escape.Quote(f.name), other.line-1)))
			}
		}
		if err := checkFile(f); err != nil {
			wrong = append(wrong, t.at(f.line, fmt.Errorf("%s: %w", escape.Visible(f.name), err)))
		}
	}
	switch {
	case len(wrong) > 0:
		t.Err = wrong
	case commands == 0:
		t.Err = t.at(1, hinted("begin it with commands, such as exec or spawn; skip leaves a test out", "no command is in this test"))
	}
	return t
}

// byteOrderMark is what some editors begin a file with.
const byteOrderMark = "\ufeff"

// place notes where in the test file the files of its archive lie.
func (t *Test) place(archive *txtar.Archive) {
	at := min(len(archive.Comment), len(t.data)) // the library adds a line end where the last is missing
	for _, f := range archive.Files {
		marker := bytes.IndexByte(t.data[at:], '\n') + 1
		if marker == 0 { // the marker is the file's last line, without an end
			marker = len(t.data) - at
		}
		at += marker
		end := min(at+len(f.Data), len(t.data))
		t.files = append(t.files, file{
			name: f.Name, data: f.Data, from: at, to: end, line: 1 + bytes.Count(t.data[:at], []byte("\n")),
		})
		at = end
	}
}

// script returns the lines of the script, as they stand there.
func (t *Test) script() []string {
	text := t.data
	if len(t.files) > 0 {
		first := t.files[0].from
		text = text[:bytes.LastIndexByte(text[:max(first-1, 0)], '\n')+1]
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}

// file returns the archive's file of this name.
func (t *Test) file(name string) *file {
	for i := range t.files {
		if t.files[i].name == name {
			return &t.files[i]
		}
	}
	return nil
}

// replaced is the text of the test with these files' data in the place of the old, and new files at the end;
// all else stays byte for byte.
func (t *Test) replaced(updates map[string][]byte) []byte {
	var b bytes.Buffer
	endLine := func() {
		if b.Len() > 0 && b.Bytes()[b.Len()-1] != '\n' {
			b.WriteByte('\n')
		}
	}
	at := 0
	for _, f := range t.files {
		if data, ok := updates[f.name]; ok {
			b.Write(t.data[at:f.from])
			endLine() // its marker may have none
			b.Write(data)
			at = f.to
		}
	}
	b.Write(t.data[at:])
	for _, name := range slices.Sorted(maps.Keys(updates)) {
		if t.file(name) == nil {
			endLine()
			fmt.Fprintf(&b, "-- %s --\n%s", name, updates[name])
		}
	}
	return b.Bytes()
}

// at says in which line of the test an error is.
func (t *Test) at(number int, err error) error {
	return &lineError{t.Name, number, err}
}

// A lineError is an error of one line.
type lineError struct {
	file string
	line int
	err  error
}

func (e *lineError) Error() string {
	return fmt.Sprintf("%s:%d: %v", escape.Visible(e.file), e.line, e.err)
}
func (e *lineError) Unwrap() error { return e.err }

// split cuts a line into words at blanks. Between single quotes blanks are kept and variables not
// expanded; two of them in there are one. A # at the start of a word begins a comment.
func split(text string) (words []word, err error) {
	var (
		w      word
		open   = false // a word has begun
		quoted = false
		start  int // of the present piece
	)
	end := func(to int) {
		if to > start || quoted {
			w = append(w, piece{text[start:to], quoted})
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\'' && i+1 < len(text) && text[i+1] == '\'':
			end(i + 1) // with one of the two
			i++
			start = i + 1
		case quoted && c == '\'':
			end(i)
			quoted, start = false, i+1
		case quoted:
		case c == '\'':
			if open {
				end(i)
			}
			open, quoted, start = true, true, i+1
		case c == ' ' || c == '\t' || c == '\r':
			if open {
				end(i)
				words, w, open = append(words, w), nil, false
			}
		case !open && c == '#':
			return words, nil
		case !open:
			open, start = true, i
		}
	}
	if quoted {
		return nil, &problem{what: "a quote is not closed", hint: "write '' for a quote between quotes: 'don''t'"}
	}
	if open {
		end(len(text))
		words = append(words, w)
	}
	return words, nil
}

// fixed reports whether the word holds no variables.
func (w word) fixed() bool {
	for _, p := range w {
		if !p.quoted && strings.Contains(p.text, "$") {
			return false
		}
	}
	return true
}

// expand puts the values of variables in: $NAME, ${NAME}, and ${NAME@R} for use in a regular expression.
func (w word) expand(getenv func(string) string) string {
	var b strings.Builder
	for _, p := range w {
		if p.quoted {
			b.WriteString(p.text)
		} else {
			b.WriteString(expand(p.text, getenv))
		}
	}
	return b.String()
}

func expand(s string, getenv func(string) string) string {
	if !strings.Contains(s, "$") {
		return s
	}
	return os.Expand(s, func(name string) string {
		if plain, ok := strings.CutSuffix(name, "@R"); ok {
			return regexp.QuoteMeta(getenv(plain))
		}
		return getenv(name)
	})
}

// check finds the mistakes of a line that can be seen without running it.
func check(words []word) error {
	if err := cmp.Or(tornQuotes(words), shellWords(words)); err != nil {
		return err
	}
	args := make([]string, len(words))
	fixed := true
	for i, w := range words {
		args[i] = w.expand(func(string) string { return "" })
		fixed = fixed && w.fixed()
		if !fixed { // what the word will be is not known yet, and what follows may be its arguments
			return nil
		}
	}
	if len(args) == 0 {
		return nil
	}
	_, err := parseCall(args)
	return err
}

// tornQuotes finds double quotes that were to hold words together.
func tornQuotes(words []word) error {
	for i, w := range words {
		if w[0].quoted || !strings.HasPrefix(w[0].text, `"`) || len(w) == 1 && w[0].text != `"` && strings.HasSuffix(w[0].text, `"`) {
			continue
		}
		for j, end := range words[i+1:] {
			if last := end[len(end)-1]; !last.quoted && strings.HasSuffix(last.text, `"`) {
				var whole []string
				for _, w := range words[i : i+j+2] {
					text := ""
					for _, p := range w {
						text += p.text
					}
					whole = append(whole, text)
				}
				text := strings.Trim(strings.Join(whole, " "), `"`)
				return hinted("write '"+strings.ReplaceAll(text, "'", "''")+"'", "quotes are single: double ones hold no words together")
			}
		}
	}
	return nil
}

// operator is what a shell would not give to the program.
var operator = lazy.Regexp(`^(\||\|\||&&|;|<[^>]*|<<.*|[0-9]*>.*|&>.*)$`)

// shellWords finds the words of a shell in a line that runs a program or handles files: here they would be
// arguments, and the test would check nothing of what it seems to.
func shellWords(words []word) error {
	name := slices.IndexFunc(words, func(w word) bool { return w[0].text == "exec" || w[0].text == "spawn" || isFileCommand(w[0].text) })
	if name < 0 {
		return nil
	}
	for i, w := range words[name+1:] {
		last := w[len(w)-1]
		text := last.text
		middle := text == "&" && name+1+i < len(words)-1
		if last.quoted || !strings.HasSuffix(text, ";") && (len(w) > 1 || !middle && !operator.Get().MatchString(text)) {
			continue
		}
		return hinted(fmt.Sprintf("one command a line, or exec sh -c '...'; as an argument write '%s'", text), "%s: there is no shell here: %s would be an argument", words[name][0].text, text)
	}
	return nil
}

func isFileCommand(name string) bool {
	return slices.ContainsFunc(fileCommands(), func(c command) bool { return c.name == name })
}

// mistakes are all that are wrong with a test.
type mistakes []error

// mostMistakes are told of a test.
const mostMistakes = 10

func (m mistakes) Error() string {
	var texts []string
	for _, err := range m[:min(len(m), mostMistakes)] {
		texts = append(texts, err.Error())
	}
	if more := len(m) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("… (%d more)", more))
	}
	return strings.Join(texts, "\n")
}
func (m mistakes) Unwrap() []error { return m }

// checkFile finds mistakes in a file of the archive.
func checkFile(f file) error {
	if !strings.HasSuffix(f.name, screenSuffix) {
		return nil
	}
	return golden.Check(string(f.data))
}
