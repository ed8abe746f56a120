// One live terminal.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { element, pane } from "./dom.js";
import { Socket } from "./socket.js";

const picture = 1; // the first byte of a message that paints the whole screen
const ackEvery = 64 << 10; // bytes shown between two acks; the server waits at four times as much
const encoder = new TextEncoder();

const dark = matchMedia("(prefers-color-scheme: dark)");
const themes = {
  dark: { background: "#1e2125", foreground: "#dfe3e8", cursor: "#6cb2f7", selectionBackground: "#3d5a80" },
  light: {
    background: "#ffffff", foreground: "#1d2126", cursor: "#0b5cad", cursorAccent: "#ffffff", selectionBackground: "#b9d6f5",
    yellow: "#8a6d00", brightYellow: "#8a6d00", green: "#1a7f37", brightGreen: "#1a7f37", cyan: "#0a7c86", brightCyan: "#0a7c86",
    white: "#6b7280", brightWhite: "#3b4048",
  },
};
const theme = () => dark.matches ? themes.dark : themes.light;

export class TerminalPane {
  #received = null; // the offset behind the last byte that came; null: none has
  #acked = 0;
  #drive = false;

  // interrupt is asked whether it takes a ^C; absent is called when there is no such
  // terminal, heard when there is output.
  constructor(name, title, { interrupt, absent, heard } = {}) {
    Object.assign(this, { interrupt, heard });
    this.fit = element("button", { type: "button", textContent: "fit", title: "make the program's terminal as large as this pane", disabled: true });
    this.fit.onclick = () => this.#resize();
    Object.assign(this, pane("terminal", title, this.fit));
    this.term = new Terminal({
      theme: theme(), fontFamily: "ui-monospace, 'DejaVu Sans Mono', monospace", fontSize: 13, scrollback: 5000,
      cursorBlink: false, disableStdin: true, rows: 24, cols: 80,
    });
    this.addon = new FitAddon();
    this.term.loadAddon(this.addon);
    silence(this.term);
    this.recolor = () => { this.term.options.theme = theme(); };
    dark.addEventListener("change", this.recolor);
    this.term.onData(data => this.#type(encoder.encode(data)));
    this.term.onBinary(data => this.#type(Uint8Array.from(data, c => c.charCodeAt(0))));
    this.term.attachCustomKeyEventHandler(e => {
      if (e.key !== "." || !e.ctrlKey) return true;
      if (e.type === "keydown") document.querySelector("#view button:not(:disabled), nav button")?.focus();
      e.preventDefault();
      return false;
    });
    this.socket = new Socket({
      hello: () => ({ open: "terminal", name, ...(this.#received === null ? {} : { offset: this.#received }) }),
      hear: m => m instanceof ArrayBuffer ? this.#output(m) : this.#told(m),
      change: (state, why) => {
        if (state === "missing" && this.#received === null) absent?.();
        this.root.dataset.state = state;
        if (state !== "done") this.note.textContent = { open: this.#role(), lost: "reconnecting", missing: "not running", denied: why }[state];
      },
    });
  }

  // show is called when the pane is in the page.
  show() {
    this.term.open(this.body);
    this.term.textarea?.setAttribute("aria-label", `${this.root.getAttribute("aria-label")}, terminal; ctrl-dot leaves it`);
  }

  #role() { return this.#drive ? "" : "you watch"; }

  #told(m) {
    if (m.drive !== undefined) {
      this.#drive = m.drive;
      this.term.options.disableStdin = !m.drive;
      this.fit.disabled = !m.drive;
      this.note.textContent = this.#role();
    }
    if (m.rows > 0 && m.cols > 0) this.term.resize(m.cols, m.rows);
    if (m.rows === 0) this.term.options.convertEol = true; // on pipes nobody makes a CR LF of a newline
    if (m.ended) this.note.textContent = m.ended;
  }

  #output(buffer) {
    const view = new DataView(buffer), data = new Uint8Array(buffer, 9);
    const at = Number(view.getBigUint64(1));
    const painted = view.getUint8(0) === picture;
    const end = painted ? at : at + data.length;
    if (painted) this.term.reset();
    this.#received = end;
    this.heard?.();
    this.term.write(data, () => {
      if (!painted && end - this.#acked < ackEvery) return;
      this.#acked = end;
      this.socket.send({ ack: end });
    });
  }

  #type(bytes) {
    if (!this.#drive) return;
    if (bytes.length === 1 && bytes[0] === 3 && this.interrupt?.()) return;
    this.socket.send(bytes);
  }

  #resize() {
    const size = this.addon.proposeDimensions();
    if (size) this.socket.send({ resize: [Math.max(2, size.rows), Math.max(10, size.cols)] });
  }

  close() {
    dark.removeEventListener("change", this.recolor);
    this.socket.close();
    this.term.dispose();
    this.root.remove();
  }
}

// silence keeps the terminal from answering what the program asks it: the program's
// own terminal does, once, however many pages look on.
function silence(term) {
  const taken = () => true;
  for (const id of [
    { final: "c" }, { prefix: ">", final: "c" }, { prefix: "=", final: "c" }, { prefix: ">", final: "q" },
    { final: "n" }, { prefix: "?", final: "n" }, { final: "t" },
    { intermediates: "$", final: "p" }, { prefix: "?", intermediates: "$", final: "p" },
  ]) term.parser.registerCsiHandler(id, taken);
  term.parser.registerDcsHandler({ intermediates: "$", final: "q" }, taken);
  for (const colour of [4, 10, 11, 12]) term.parser.registerOscHandler(colour, data => data.includes("?"));
}
