// What each debugger is told: its profile's commands, which come with the state, and
// these where it has none of its own.
const usual = {
  run: "run", continue: "continue", step: "step", next: "next", finish: "finish",
  break: "break {path}:{line}", clear: "delete {id}",
};

// What only gdb has: answers that are data, not text.
const machine = {
  frames: "-stack-list-frames",
  variables: "-stack-list-variables --thread {thread} --frame {frame} --all-values",
  main: "-file-list-exec-source-file",
};

export const commandsOf = state => ({ ...usual, ...state.commands, ...(state.debugger === "gdb" ? machine : {}) });

// fill puts values in their places; they may stand between quotes.
export const fill = (command, values) =>
  command.replace(/\{(\w+)\}/g, (all, name) => name in values ? String(values[name]).replace(/["'\\]/g, "\\$&") : all);

// place is what a command may say of a line of a file.
export function place(path, line) {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return { path, file, class: file.replace(/\.[^.]*$/, ""), line };
}
