// The list of named programs, and what is shown of them.
import { DebuggerView } from "./debugger.js";
import { element } from "./dom.js";
import { Socket } from "./socket.js";
import { TerminalPane } from "./terminal.js";

const list = document.querySelector("#programs"), status = document.querySelector("#status"), main = document.querySelector("#view");
let programs = [], drive = false, view = null, key = "", known = false;

// The address says which program is shown, behind "#/": a reload shows it again.
const wanted = () => decodeURIComponent(location.hash.replace(/^#\/?/, ""));
addEventListener("hashchange", show);

function show() {
  const name = wanted(), p = programs.find(p => p.name === name && p.running);
  document.title = name ? `${name} · spawnx` : "spawnx";
  mark();
  if (!p) {
    if (!view) main.replaceChildren(element("p", { className: "empty", textContent: known ? (name ? `${name} is not running` : programs.length ? "choose a program" : "no named program runs") : "" }));
    return; // what one that has ended has shown stays
  }
  const now = `${p.name} ${p.started} ${p.debugger} ${drive}`; // another program may have got the name
  if (now === key) return;
  key = now;
  view?.close();
  view = p.debugger ? new DebuggerView(p.name, drive) : new TerminalPane(p.name, p.name);
  main.replaceChildren(view.root);
  view.show();
}

function mark() {
  const name = wanted();
  for (const b of list.querySelectorAll("button")) b.setAttribute("aria-current", String(b.textContent === name));
}

function fill() {
  const names = programs.filter(p => p.running).map(p => p.name);
  if (names.join() === [...list.querySelectorAll("button")].map(b => b.textContent).join()) return;
  list.replaceChildren(...names.map(name => {
    const button = element("button", { type: "button", textContent: name, title: (programs.find(p => p.name === name).args ?? []).join(" ") });
    button.onclick = () => { location.hash = `/${encodeURIComponent(name)}`; };
    return element("li", {}, button);
  }));
}

new Socket({
  hello: () => ({ open: "programs" }),
  hear: m => {
    ({ programs, drive } = m);
    if (!known && !wanted() && m.first) history.replaceState(null, "", `#/${encodeURIComponent(m.first)}`);
    known = true;
    status.textContent = drive ? "you may type" : "you watch";
    fill();
    show();
  },
  change: (state, why) => {
    if (state === "lost" || state === "missing" || state === "done") status.textContent = "reconnecting";
    if (state === "denied") status.textContent = why === "wrong token" ? "wrong token: open the address that spawnx web has printed" : why;
  },
});
