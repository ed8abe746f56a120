// A connection that comes back by itself.

// The token stands behind the # of the address that spawnx web prints. It is kept for
// this tab, so that a reload works, and taken out of sight.
function takeToken() {
  const hash = location.hash.slice(1);
  if (hash && !hash.startsWith("/")) {
    sessionStorage.setItem("token", hash);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token") ?? "";
}
const token = takeToken();

const wrongToken = 4401, missing = 4404, refused = 1008, done = 1000;
const soon = 200, late = 5000; // milliseconds until the next try

export class Socket {
  #url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
  #delay = soon;
  #timer = 0;
  #ws = null;
  #closed = false;

  // hello returns the first message, of each connection; hear gets the messages;
  // change the state: "open", "lost", "missing", "denied" or "done", with a reason.
  constructor({ hello, hear, change }) {
    Object.assign(this, { hello, hear, change });
    this.retry = () => { if (this.#timer) this.#open(); };
    addEventListener("online", this.retry);
    document.addEventListener("visibilitychange", this.retry);
    this.#open();
  }

  #open() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const ws = this.#ws = new WebSocket(this.#url);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => ws.send(JSON.stringify({ token, ...this.hello() }));
    ws.onmessage = e => {
      if (this.#closed || ws !== this.#ws) return;
      if (this.#delay !== soon || !ws.heard) { // it works: the next loss is a new one
        this.#delay = soon;
        ws.heard = true;
        this.change("open", "");
      }
      this.hear(typeof e.data === "string" ? JSON.parse(e.data) : e.data);
    };
    ws.onclose = e => {
      if (this.#closed || ws !== this.#ws) return;
      if (e.code === wrongToken || e.code === refused) return this.change("denied", e.reason || "refused");
      if (e.code === done) return this.change("done", "");
      this.change(e.code === missing ? "missing" : "lost", e.reason);
      this.#timer = setTimeout(() => this.#open(), this.#delay);
      this.#delay = Math.min(this.#delay * 2, late);
    };
  }

  // send sends an object as JSON, bytes as they are; what is said while there is no
  // connection is lost, and false returned.
  send(message) {
    if (this.#ws.readyState !== WebSocket.OPEN) return false;
    this.#ws.send(message instanceof Uint8Array ? message : JSON.stringify(message));
    return true;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    removeEventListener("online", this.retry);
    document.removeEventListener("visibilitychange", this.retry);
    this.#ws.close();
  }
}
