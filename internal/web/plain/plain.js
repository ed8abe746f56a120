// The page without a build: the server paints rows of text, and keys go back.
if (location.hash.length > 1) sessionStorage.setItem("token", location.hash.slice(1)); // kept for a reload
const token = sessionStorage.getItem("token") ?? "";
history.replaceState(null, "", location.pathname);
const state = document.querySelector("#state"), list = document.querySelector("#programs"), view = document.querySelector("#screen");
const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
let terminal, app; // app: the program has asked for application cursor keys

function connect(open, hear, gone) {
  const socket = new WebSocket(address);
  socket.onopen = () => socket.send(JSON.stringify({ token, ...open }));
  socket.onmessage = e => hear(JSON.parse(e.data));
  socket.onclose = e => gone(e);
  return socket;
}

function show(name) {
  terminal?.close();
  const socket = connect({ open: "text", name }, m => {
    if (m.text === undefined) return;
    app = m.app;
    state.textContent = m.ended ? `${name} ${m.ended}` : m.drive ? `${name}: you may type` : `${name}: you watch`;
    view.replaceChildren(...rows(m.text, m.cursor));
  }, e => { if (terminal === socket && e.code !== 1000) state.textContent = `${name}: ${e.reason || "the connection is lost"}`; });
  terminal = socket;
  state.textContent = `${name}: connecting`;
  view.replaceChildren(); // what another program shows would look as if one could type
  view.focus();
}

function rows(text, cursor) {
  const lines = text.split("\n");
  if (!cursor) return [text];
  const [row, col] = cursor;
  while (lines.length < row) lines.push("");
  const line = [...lines[row - 1].padEnd(col)];
  const mark = document.createElement("span");
  mark.className = "cursor";
  mark.textContent = line[col - 1];
  const before = [...lines.slice(0, row - 1), line.slice(0, col - 1).join("")].join("\n");
  const after = [line.slice(col).join(""), ...lines.slice(row)].join("\n");
  return [before, mark, after];
}

const keys = {
  Enter: "\r", Backspace: "\x7f", Tab: "\t", Escape: "\x1b", ArrowUp: "\x1b[A", ArrowDown: "\x1b[B", ArrowRight: "\x1b[C", ArrowLeft: "\x1b[D",
  Home: "\x1b[H", End: "\x1b[F", Delete: "\x1b[3~", PageUp: "\x1b[5~", PageDown: "\x1b[6~",
};
view.onkeydown = e => {
  if (e.metaKey || e.ctrlKey && e.shiftKey) return; // the browser's
  let text = keys[e.key];
  if (app && /^\x1b\[[A-DHF]$/.test(text ?? "")) text = text.replace("[", "O");
  if (!text && e.ctrlKey && /^[a-z[\\\]]$/i.test(e.key)) text = String.fromCharCode(e.key.toUpperCase().charCodeAt(0) - 64);
  if (!text && e.key.length === 1) text = (e.altKey ? "\x1b" : "") + e.key;
  if (!text || terminal?.readyState !== WebSocket.OPEN) return;
  terminal.send(JSON.stringify({ type: text }));
  e.preventDefault();
};
view.onpaste = e => terminal?.send(JSON.stringify({ type: e.clipboardData.getData("text").replaceAll("\n", "\r") }));

let first = true;
function programs() {
  connect({ open: "programs" }, m => {
    list.replaceChildren(...m.programs.filter(p => p.running).map(p => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.textContent = p.name;
      button.onclick = () => show(p.name);
      item.append(button, " ", (p.args ?? []).join(" "));
      return item;
    }));
    if (first) {
      first = false;
      if (m.first) show(m.first);
      else state.textContent = m.programs.length ? "choose a program" : "no named program runs";
    }
  }, e => {
    if (e.code === 4401) { state.textContent = "wrong token: open the address that spawnx web has printed"; return; }
    setTimeout(programs, 1000);
  });
}
programs();
