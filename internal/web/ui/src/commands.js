// What each debugger is told. at: a breakpoint at path and line; off: without the one
// given. Where a debugger is not listed the names are the commands.
const quote = s => JSON.stringify(s);
const base = path => path.slice(path.lastIndexOf("/") + 1);
const javaClass = path => base(path).replace(/\.java$/, "");

const usual = {
  run: "run", continue: "continue", step: "step", next: "next", finish: "finish",
  at: (path, line) => `break ${path}:${line}`,
  off: b => `delete ${b.id}`,
};

const all = {
  gdb: {
    run: "-exec-run", continue: "-exec-continue", step: "-exec-step", next: "-exec-next", finish: "-exec-finish",
    at: (path, line) => `-break-insert ${quote(`${path}:${line}`)}`,
    off: b => `-break-delete ${b.id}`,
    frames: "-stack-list-frames",
    variables: (thread, frame) => `-stack-list-variables --thread ${thread} --frame ${frame} --all-values`,
    main: "-file-list-exec-source-file",
  },
  pdb: { run: "continue", finish: "return", off: b => `clear ${b.id}` },
  lldb: {
    at: (path, line) => `breakpoint set --file ${quote(path)} --line ${line}`,
    off: b => `breakpoint delete ${b.id}`,
  },
  jdb: {
    continue: "cont", finish: "step up",
    at: (path, line) => `stop at ${javaClass(path)}:${line}`,
    off: (b, path) => `clear ${javaClass(path)}:${b.line}`,
  },
  dlv: { run: "continue", finish: "stepout", off: b => `clear ${b.id}` },
  bashdb: { run: "continue" },
  perl: { run: "c", continue: "c", step: "s", next: "n", finish: "r", at: (path, line) => `b ${line}`, off: b => `B ${b.line}` },
  node: {
    run: "cont", continue: "cont", finish: "out",
    at: (path, line) => `setBreakpoint(${quote(base(path))}, ${line})`,
    off: (b, path) => `clearBreakpoint(${quote(base(path))}, ${b.line})`,
  },
};

export const commandsOf = debuggerName => ({ ...usual, ...all[debuggerName] });
