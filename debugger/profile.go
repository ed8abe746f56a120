package debugger

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spawnx/spawnx/proc"
)

// A Profile is what must be known of a debugger to run it for front ends: plain
// data. The regular expressions are Go's, and see plain text, line by line; ""
// matches nothing.
type Profile struct {
	Name  string `json:"name"`
	About string `json:"about"` // one line for people
	// Args are the debugger and its arguments. "{program...}" stands for the program and its arguments, "{program}" for
	// the program and "{args...}" for the rest, "{tty}" and "{mi}", also inside a word, for the names of terminals, "{port}"
	// for a TCP port of this machine that nobody uses.
	// Where the program is an option (-p 4711) or missing, a "--args" before it is left out.
	Args []string `json:"args"`
	// Variants replace Args for programs whose name Match matches.
	Variants []Variant `json:"variants,omitempty"`
	Env      []string  `json:"env,omitempty"`  // added to the environment
	Init     []string  `json:"init,omitempty"` // commands, given once it is ready

	Prompt       string `json:"prompt"`                 // the end of the output when a command is awaited
	Continuation string `json:"continuation,omitempty"` // the end of the output when a command is to go on: that of a front end is given up with ^C
	Question     string `json:"question,omitempty"`     // the end of the output when the person is asked something
	Async        bool   `json:"async,omitempty"`        // the prompt is shown while the program runs, too: a Location says that it stopped
	// StopsFirst: before it takes commands the program has to stop at its start, which comes after the first prompt.
	StopsFirst bool   `json:"stops_first,omitempty"`
	Run        string `json:"run,omitempty"` // a line behind the prompt that lets the program run
	// Location, Breakpoint, Deleted and Exited match lines. Their groups are named: file, path, class (of Java, instead of
	// file), line, func, thread, id, reason, status. A file is looked for where the debugger runs and beside the program.
	Location   string `json:"location,omitempty"`   // where it stopped
	Breakpoint string `json:"breakpoint,omitempty"` // one was made
	Deleted    string `json:"deleted,omitempty"`    // one is gone
	Exited     string `json:"exited,omitempty"`     // the program has ended
	Failed     string `json:"failed,omitempty"`     // the debugger complains of a command
	// Sets and Clears match commands, as they stand behind the prompt, of debuggers that say nothing when a breakpoint is
	// made or deleted. Without a file the present one is meant.
	Sets   string `json:"sets,omitempty"`
	Clears string `json:"clears,omitempty"`

	// Interrupt is the command that stops the program while it runs; "" is ^C at the console.
	Interrupt string `json:"interrupt,omitempty"`
	// Commands are for front ends, by what they mean: run, continue, next, step, finish, break, clear, quit;
	// backtrace and locals, whose answers are text for people. In them stand {path}, {file} (its last part), {class} (without what is
	// behind the dot), {line} and {id} for a place and a breakpoint.
	Commands map[string]string `json:"commands,omitempty"`
}

// A Variant is how a debugger is started for some programs.
type Variant struct {
	Match string   `json:"match"` // a regular expression for the program's name
	Args  []string `json:"args"`
}

//go:embed profiles/*.json
var builtin embed.FS

// Profiles returns the names of all profiles: those that come with spawnx and
// those of the user, which go first where they have the same name: files
// NAME.json in spawnx/debuggers below the user's configuration folder.
func Profiles() []string {
	var names []string
	add := func(files []string) {
		for _, f := range files {
			names = append(names, strings.TrimSuffix(path.Base(filepath.ToSlash(f)), ".json"))
		}
	}
	files, _ := fs.Glob(builtin, "profiles/*.json") // the pattern is sound
	add(files)
	if dir, err := userProfiles(); err == nil {
		files, _ := filepath.Glob(filepath.Join(dir, "*.json")) // as above, unless the folder's name is a pattern
		add(files)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func userProfiles() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "spawnx", "debuggers"), err
}

// LookupProfile returns the profile of this name: see Profiles. It is an
// fs.ErrNotExist when there is none.
func LookupProfile(name string) (Profile, error) {
	if name == "" || strings.ContainsAny(name, `/\.`) {
		return Profile{}, unknownProfile(name)
	}
	if dir, err := userProfiles(); err == nil {
		file := filepath.Join(dir, name+".json")
		data, err := os.ReadFile(file)
		if err == nil {
			return ParseProfile(data, file)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return Profile{}, err
		}
	}
	data, err := builtin.ReadFile("profiles/" + name + ".json")
	if err != nil {
		return Profile{}, unknownProfile(name)
	}
	return ParseProfile(data, name+".json")
}

func unknownProfile(name string) error {
	return fmt.Errorf("no profile %q (there are %s): %w", name, strings.Join(Profiles(), ", "), fs.ErrNotExist)
}

// ParseProfile reads a profile and checks it. The file's name is for errors.
func ParseProfile(data []byte, file string) (Profile, error) {
	var p Profile
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Profile{}, fmt.Errorf("%s: %w", file, err)
	}
	switch {
	case p.Name == "":
		return Profile{}, fmt.Errorf("%s: \"name\" is missing", file)
	case len(p.Args) == 0:
		return Profile{}, fmt.Errorf("%s: \"args\" is missing", file)
	case p.Prompt == "" && p.Name != "gdb":
		return Profile{}, fmt.Errorf("%s: \"prompt\" is missing", file)
	}
	if _, err := p.compile(); err != nil {
		return Profile{}, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// patterns are a profile's regular expressions; nil matches nothing.
type patterns struct {
	prompt, continuation, question, run, location, breakpoint, deleted, exited, failed, sets, clears *regexp.Regexp
	// begins is prompt at the start of a line that goes on, of a debugger that shows it while the program runs: what the
	// program writes may stand right behind it. Else nil.
	begins *regexp.Regexp
}

func (p Profile) compile() (c patterns, err error) {
	for _, one := range []struct {
		name, text string
		to         **regexp.Regexp
	}{
		{"prompt", p.Prompt, &c.prompt}, {"continuation", p.Continuation, &c.continuation}, {"question", p.Question, &c.question}, {"run", p.Run, &c.run}, {"location", p.Location, &c.location},
		{"breakpoint", p.Breakpoint, &c.breakpoint}, {"deleted", p.Deleted, &c.deleted}, {"exited", p.Exited, &c.exited},
		{"failed", p.Failed, &c.failed}, {"sets", p.Sets, &c.sets}, {"clears", p.Clears, &c.clears},
	} {
		if one.text == "" {
			continue
		}
		if *one.to, err = regexp.Compile(one.text); err != nil {
			return c, fmt.Errorf("%q: %w", one.name, err)
		}
	}
	if begins, ok := strings.CutSuffix(p.Prompt, "$"); ok && p.Async {
		if c.begins, err = regexp.Compile(begins); err != nil {
			return c, fmt.Errorf("\"prompt\": %w", err)
		}
	}
	for _, v := range p.Variants {
		if _, err := regexp.Compile(v.Match); err != nil {
			return c, fmt.Errorf("\"variants\": %w", err)
		}
	}
	return c, nil
}

// prompt is the Prompt as a PATTERN, for those who speak to the console as to any program: that it waits for input
// does not show where it listens to others besides.
func (p Profile) prompt() string {
	if p.Prompt == "" {
		return "(gdb) "
	}
	re := p.Prompt
	if line, ok := strings.CutPrefix(re, "^"); ok {
		re = `(?:^|\r)` + line // line editors go back to the line's start
	}
	return "/" + re + "/m"
}

// spec is how the debugger is started on a program, with terminals by name.
func (p Profile) spec(program proc.Spec, terminals map[string]string) proc.Spec {
	spec := program
	args := p.Args
	for _, v := range p.Variants {
		if len(program.Args) > 0 && regexp.MustCompile(v.Match).MatchString(program.Args[0]) { // compiled before
			args = v.Args
			break
		}
	}
	spec.Args = nil
	for i, a := range args {
		switch {
		case a == "{program...}":
			spec.Args = append(spec.Args, program.Args...)
		case a == "{program}":
			spec.Args = append(spec.Args, program.Args[:min(1, len(program.Args))]...)
		case a == "{args...}":
			spec.Args = append(spec.Args, program.Args[min(1, len(program.Args)):]...)
		case a == "--args" && i+1 < len(args) && args[i+1] == "{program...}" && (len(program.Args) == 0 || strings.HasPrefix(program.Args[0], "-")):
		default:
			for name, terminal := range terminals {
				a = strings.ReplaceAll(a, "{"+name+"}", terminal)
			}
			if strings.Contains(a, "{port}") {
				a = strings.ReplaceAll(a, "{port}", strconv.Itoa(freePort()))
			}
			spec.Args = append(spec.Args, a)
		}
	}
	if len(p.Env) > 0 {
		if spec.Env == nil && spec.EnvKeep == nil {
			spec.Env = os.Environ()
		}
		spec.Env = append(slices.Clone(spec.Env), p.Env...)
	}
	return spec
}

// freePort is a port of loopback that is free at the moment, 0 when there is none.
func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// hasTTY says whether the program gets a terminal of its own.
func (p Profile) hasTTY() bool {
	all := strings.Join(p.Args, " ")
	for _, v := range p.Variants {
		all += " " + strings.Join(v.Args, " ")
	}
	return strings.Contains(all, "{tty}")
}
