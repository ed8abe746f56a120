// A debugger: source with breakpoints, stack, variables, and its two terminals.
import { commandsOf, fill, place } from "./commands.js";
import { element, pane } from "./dom.js";
import { Socket } from "./socket.js";
import { TerminalPane } from "./terminal.js";

const buttons = [
  { name: "run", key: "F4", when: ["prompt", "exited"] },
  { name: "continue", key: "F5", when: ["stopped"] },
  { name: "next", key: "F10", when: ["stopped"] },
  { name: "step", key: "F11", when: ["stopped"] },
  { name: "finish", key: "shift+F11", when: ["stopped"] },
  { name: "interrupt", key: "F8", when: ["running"] },
];

export class DebuggerView {
  #state = { phase: "starting", breakpoints: [] };
  #commands = commandsOf({});
  #asked = new Map(); // id → who waits for the answer
  #id = 0;
  #path = ""; // of the source that is shown
  #frames = [];
  #frame = 0;
  #values = new Map(); // of the variables
  #changed = new Set(); // those that are others than at the last stop
  #at = ""; // function and level whose they are
  #refresh = 0;

  constructor(name, drive) {
    this.drive = drive;
    this.state = element("output", { "aria-label": "state" });
    this.buttons = buttons.map(b => {
      const button = element("button", { type: "button", disabled: true, "aria-keyshortcuts": b.key.replace("shift", "Shift") }, b.name, element("kbd", {}, b.key));
      button.onclick = () => this.#act(b.name);
      return button;
    });
    const toolbar = element("div", { className: "toolbar", role: "toolbar", "aria-label": "debugger" }, ...this.buttons, this.state);
    this.source = pane("source", "source");
    this.look = { backtrace: this.#looker("backtrace"), locals: this.#looker("locals") };
    this.stack = pane("stack", "stack", this.look.backtrace);
    this.variables = pane("variables", "variables", this.look.locals);
    this.breakpoints = pane("breakpoints", "breakpoints");
    this.side = element("div", { className: "side" }, this.stack.root, this.variables.root, this.breakpoints.root);
    this.console = new TerminalPane(`${name}.console`, "console", {
      interrupt: () => this.#interruptRunning(),
      heard: () => { if (this.#state.phase === "stopped") this.#later(200); }, // what was typed there may have changed a variable
    });
    this.tty = new TerminalPane(`${name}.tty`, "program", {
      absent: () => { this.tty.root.hidden = true; this.console.root.classList.add("wide"); },
    });
    this.root = element("div", { className: "debugger" }, toolbar, this.source.root, this.side, this.console.root, this.tty.root);
    this.key = e => this.#keyed(e);
    addEventListener("keydown", this.key);
    this.source.body.onkeydown = e => this.#walk(e);
    this.socket = new Socket({
      hello: () => ({ open: "debugger", name }),
      hear: m => this.#hear(m),
      change: (state, why) => {
        if (state !== "open") {
          for (const { fail } of this.#asked.values()) fail(new Error("the connection was lost"));
          this.#asked.clear();
          this.#show({ ...this.#state, phase: { lost: "reconnecting", missing: "ended", done: "ended", denied: why }[state] });
        }
      },
    });
  }

  show() {
    this.console.show();
    this.tty.show();
  }

  close() {
    removeEventListener("keydown", this.key);
    clearTimeout(this.#refresh);
    this.socket.close();
    this.console.close();
    this.tty.close();
    this.root.remove();
  }

  // ask gives a request and returns the answer.
  #ask(request) {
    const id = ++this.#id;
    return new Promise((answer, fail) => {
      if (!this.socket.send({ id, ...request })) return fail(new Error("no connection"));
      this.#asked.set(id, { answer, fail });
    });
  }

  // do gives a command; what the debugger complains of is shown.
  async #do(command) {
    try {
      const reply = await this.#ask({ do: command });
      if (!reply.ok) this.#say(reply.text);
      return reply;
    } catch (e) {
      this.#say(e.message);
      return { ok: false };
    }
  }

  #say(text) { this.source.note.textContent = text; }

  #act(name) {
    this.#say("");
    if (name === "interrupt") this.#ask({ interrupt: true }).catch(e => this.#say(e.message));
    else this.#do(this.#commands[name]);
  }

  // looker is a button for what a debugger can only say at its console: it is asked
  // when a person wants to know, as the console shows it too.
  #looker(name) {
    const button = element("button", { type: "button", hidden: true, textContent: "look", title: "the debugger is asked at its console" });
    button.onclick = async () => {
      const reply = await this.#do(this.#commands[name]);
      const pane = name === "locals" ? this.variables : this.stack;
      if (reply.ok) pane.body.replaceChildren(element("pre", { textContent: reply.text }));
    };
    return button;
  }

  // A ^C at the console stops the program, as a person expects, also where it was
  // started from elsewhere.
  #interruptRunning() {
    if (this.#state.phase !== "running") return false;
    this.#act("interrupt");
    return true;
  }

  #keyed(e) {
    if (e.target.closest?.(".terminal") || e.ctrlKey || e.altKey || e.metaKey) return; // there they are the program's
    const key = (e.shiftKey ? "shift+" : "") + e.key;
    const at = buttons.findIndex(b => b.key === key);
    if (at < 0) return;
    e.preventDefault();
    this.buttons[at].click(); // does nothing while it is disabled
  }

  #hear(m) {
    if (m.source !== undefined) return this.#showSource(m);
    if (m.kind === undefined) {
      const who = this.#asked.get(m.id);
      this.#asked.delete(m.id);
      return who?.answer(m);
    }
    const s = this.#state;
    switch (m.kind) {
      case "state":
        this.#commands = commandsOf(m.state);
        this.#show(m.state);
        for (const [name, pane] of [["backtrace", this.stack], ["locals", this.variables]]) {
          this.look[name].hidden = !this.#commands[name];
          pane.root.hidden = !this.#commands[name] && !this.#commands.frames;
        }
        if (m.state.phase === "stopped") this.#stopped();
        else if (this.#commands.main && !this.#path && m.state.phase !== "running") this.#mainFile();
        break;
      case "running":
        this.#show({ ...s, phase: "running" });
        break;
      case "stopped":
        this.#show({ ...s, ...m, phase: "stopped" });
        this.#stopped();
        break;
      case "exited":
        this.#show({ ...s, phase: "exited", reason: m.reason, text: m.text, status: m.status, line: 0 });
        break;
      case "prompt":
        if (s.phase === "stopped") this.#later();
        else if (s.phase === "starting") this.#show({ ...s, phase: "prompt" });
        break;
      case "question":
        this.#say(`the console asks: ${m.text ?? ""}`);
        break;
      case "breakpoint": {
        const others = s.breakpoints.filter(b => b.id !== m.breakpoint.id);
        this.#show({ ...s, breakpoints: m.deleted ? others : [...others, m.breakpoint] });
        break;
      }
    }
  }

  #show(state) {
    this.#state = state;
    const where = state.line ? ` at ${base(state.path || state.file || "")}:${state.line}` : "";
    const texts = {
      prompt: "not started", running: "running", stopped: `stopped${where}${state.reason ? ` (${state.reason})` : ""}`,
      exited: state.status === undefined ? `exited${state.text ? ` (${state.text})` : ""}` : `exited, status ${state.status}`,
    };
    this.state.value = texts[state.phase] ?? state.phase;
    this.root.dataset.phase = state.phase;
    buttons.forEach((b, i) => { this.buttons[i].disabled = !this.drive || !b.when.includes(state.phase); });
    for (const look of Object.values(this.look)) look.disabled = !this.drive || state.phase !== "stopped";
    if (state.phase !== "stopped") {
      this.#changed.clear();
      this.#frames = [];
      this.stack.body.replaceChildren();
      this.variables.body.replaceChildren();
    }
    this.#showBreakpoints();
    this.#mark();
  }

  #stopped() {
    this.#frame = 0;
    if (!this.#commands.frames) this.#open(this.#state.path || this.#state.file);
    else if (this.#state.path) this.#open(this.#state.path);
    this.#later();
  }

  #later(milliseconds = 20) {
    clearTimeout(this.#refresh);
    if (this.#commands.frames) this.#refresh = setTimeout(() => this.#inspect(), milliseconds);
  }

  // inspect asks for the stack and the variables.
  async #inspect() {
    const frames = await this.#ask({ do: this.#commands.frames }).catch(() => null);
    if (!frames?.ok || this.#state.phase !== "stopped") return;
    this.#frames = frames.mi.results.stack;
    if (this.#frame >= this.#frames.length) this.#frame = 0;
    this.#showStack();
    const variables = await this.#ask({ do: fill(this.#commands.variables, { thread: this.#state.thread || 1, frame: this.#frame }) }).catch(() => null);
    if (variables?.ok && this.#state.phase === "stopped") this.#showVariables(variables.mi.results.variables);
  }

  #showStack() {
    const items = this.#frames.map((f, level) => {
      const place = f.line ? ` ${base(f.file)}:${f.line}` : f.from ? ` ${base(f.from)}` : "";
      const button = element("button", { type: "button", "aria-current": String(level === this.#frame) }, `${level} ${f.func ?? f.addr}${place}`);
      button.onclick = () => {
        this.#frame = level;
        if (f.fullname) this.#open(f.fullname);
        this.#inspect();
      };
      return element("li", {}, button);
    });
    replaceKeepingFocus(this.stack.body, element("ol", {}, ...items));
    this.#mark();
  }

  #showVariables(list) {
    const f = this.#frames[this.#frame] ?? {}, at = `${f.func} ${this.#frames.length - this.#frame}`;
    if (at !== this.#at) {
      this.#values.clear();
      this.#changed.clear();
    }
    for (const v of list) if (this.#values.has(v.name) && this.#values.get(v.name) !== v.value) this.#changed.add(v.name);
    const rows = list.map(v => element("tr", { className: this.#changed.has(v.name) ? "changed" : "" },
      element("th", { scope: "row", textContent: v.name }), element("td", { textContent: v.value ?? "…" })));
    this.#values = new Map(list.map(v => [v.name, v.value]));
    this.#at = at;
    const table = element("table", { "aria-label": "variables" }, element("tbody", {}, ...rows));
    this.variables.body.replaceChildren(rows.length ? table : element("p", { className: "empty", textContent: "none" }));
  }

  #showBreakpoints() {
    const items = this.#state.breakpoints.map(b => {
      const text = b.what ? `${b.id} ${b.what}` : `${b.id} ${base(b.path || b.file || b.func || "")}${b.line ? `:${b.line}` : ""}`;
      const button = element("button", { type: "button" }, `${text}${b.condition ? ` if ${b.condition}` : ""}${b.hits ? `, hit ${b.hits}×` : ""}`);
      button.onclick = () => this.#open(b.path || b.file, b.line);
      return element("li", {}, button);
    });
    replaceKeepingFocus(this.breakpoints.body, items.length ? element("ul", {}, ...items)
      : element("p", { className: "empty", textContent: this.drive ? "click beside a line to set one" : "none" }));
  }

  async #mainFile() {
    const reply = await this.#ask({ do: this.#commands.main }).catch(() => null);
    const r = reply?.ok ? reply.mi.results : null;
    if (r?.fullname && !this.#path) this.#open(r.fullname, Number(r.line));
  }

  #open(path, line) {
    if (!path) return;
    this.wanted = line;
    if (path === this.#path) return this.#mark();
    this.opening = path;
    this.socket.send({ source: path });
  }

  #showSource(m) {
    if (m.source !== this.opening) return;
    this.opening = "";
    if (m.error) {
      this.#say(`${base(m.source)}: ${m.error}`);
      return;
    }
    this.#path = m.source;
    this.source.heading.textContent = base(m.source);
    this.source.heading.title = m.source;
    this.rows = m.text.replace(/\n$/, "").split("\n").map((text, i) => {
      const button = element("button", { type: "button", tabIndex: i ? -1 : 0, textContent: i + 1, "aria-label": `breakpoint at line ${i + 1}`, "aria-pressed": "false" });
      return element("div", { className: "row" }, button, element("code", { textContent: text || " " }));
    });
    const lines = element("div", { className: "lines" }, ...this.rows);
    lines.onclick = e => {
      const button = e.target.closest("button");
      if (button && this.drive) this.#toggle(Number(button.textContent));
    };
    this.source.body.replaceChildren(lines);
    this.#mark();
  }

  #here(b) {
    const path = b.path || b.file;
    return path === this.#path || !b.path && b.file && base(b.file) === base(this.#path);
  }

  #toggle(line) {
    const set = this.#state.breakpoints.filter(b => b.line === line && this.#here(b));
    this.#say("");
    const here = place(this.#path, line);
    if (set.length) for (const b of set) this.#do(fill(this.#commands.clear, { ...here, id: b.id }));
    else this.#do(fill(this.#commands.break, here));
  }

  // mark shows breakpoints and the place in the source.
  #mark() {
    if (!this.rows) return;
    const stops = new Map(this.#state.breakpoints.filter(b => this.#here(b)).map(b => [b.line, b]));
    const f = this.#frames[this.#frame] ?? this.#state;
    const current = this.#state.phase === "stopped" && (f.fullname ?? f.path ?? f.file) === this.#path ? Number(f.line) : 0;
    this.rows.forEach((row, i) => {
      const stop = stops.get(i + 1), button = row.firstChild;
      const pressed = String(!!stop);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
      button.classList.toggle("off", stop?.enabled === false);
      if (i + 1 === current) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
    const goal = this.wanted || (current !== this.shown ? current : 0);
    this.wanted = 0;
    this.shown = current;
    if (goal) this.rows[goal - 1]?.scrollIntoView({ block: "center" });
  }

  // walk moves along the gutter with the arrow keys: one tab stop for all lines.
  #walk(e) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[e.key];
    const at = by && this.rows ? this.rows.findIndex(r => r.contains(document.activeElement)) : -1;
    if (at < 0) return;
    e.preventDefault();
    const to = Math.max(0, Math.min(this.rows.length - 1, at + by));
    this.rows[at].firstChild.tabIndex = -1;
    this.rows[to].firstChild.tabIndex = 0;
    this.rows[to].firstChild.focus();
  }
}

const base = path => path.slice(path.lastIndexOf("/") + 1);

// replaceKeepingFocus fills a list anew; who had the focus in it keeps the place.
function replaceKeepingFocus(body, list) {
  const at = [...body.querySelectorAll("button")].indexOf(document.activeElement);
  body.replaceChildren(list);
  if (at >= 0) body.querySelectorAll("button")[at]?.focus();
}
