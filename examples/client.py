#!/usr/bin/env python3
"""A client of a spawnx session in Python's standard library, written from session/PROTOCOL.md.

    client.py NAME                       a program that runs under a name
    client.py spawnx:PATH                a unix socket
    client.py spawnx:HOST:PORT           TLS; the token in SPAWNX_TOKEN, the certificate's fingerprint in SPAWNX_FINGERPRINT

Its standard input goes to the program, the program's output to its standard output, and it ends with the
program's status. When the connection breaks it comes back and goes on at the byte, in both directions.
"""
import hashlib
import json
import os
import select
import socket
import ssl
import struct
import sys
import time
import uuid

HELLO, DATA, ACK, GAP, PAINT, CONTROL = 1, 2, 3, 4, 5, 6
INPUT, OUTPUT, STDERR = 0, 1, 2


class Refused(Exception):
    """The server said why not."""


def folder():
    """Where named programs are (section 1)."""
    run = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(run) and os.path.isdir(run) and os.stat(run).st_uid == os.geteuid():
        return os.path.join(run, "spawnx")
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(state, "spawnx", "run")


def connect(address):
    if not address.startswith("spawnx:"):
        name, _, channel = address.partition(".")
        address = "spawnx:" + os.path.join(folder(), name, channel + ".control" if channel else "control")
    where = address[len("spawnx:"):]
    if "/" in where:
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(where)
        except OSError as e:
            raise OSError(e.errno, e.strerror, where) from None  # Python does not say where
        return s
    host, _, port = where.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the fingerprint says more
    s = context.wrap_socket(socket.create_connection((host, int(port))))
    if hashlib.sha256(s.getpeercert(True)).hexdigest() != os.environ.get("SPAWNX_FINGERPRINT", ""):
        raise Refused("the server's certificate has another fingerprint")
    return s


class Session:
    def __init__(self, address, **hello):
        self.address, self.hello = address, hello
        self.client = uuid.uuid4().hex
        self.epoch = None
        self.next = {OUTPUT: 0, STDERR: 0}   # the next byte wanted, by lane
        self.acked = {OUTPUT: 0, STDERR: 0}
        self.sent = b""                      # input that is not acknowledged; it begins at self.accepted
        self.accepted = 0
        self.requests = 0
        self.exit = None
        self.sock = None
        self.come()

    def come(self):
        """Connect, and say hello; the second time, go on where the first connection ended."""
        self.sock = connect(self.address)
        self.buffer = b""
        hello = {"spawnx": 1, "client": self.client, **self.hello}
        if os.environ.get("SPAWNX_TOKEN"):
            hello["token"] = os.environ["SPAWNX_TOKEN"]
        if self.epoch:
            hello.update(epoch=self.epoch, replay="offset", offset=self.next[OUTPUT], stderr=self.next[STDERR])
        try:
            self.frame(HELLO, 0, json.dumps(hello).encode())
        except BrokenPipeError:
            pass  # the server has closed, and may have said why
        while True:
            kind, lane, payload = self.read()
            if kind == HELLO:
                break
            if kind == CONTROL and json.loads(payload).get("event") == "error":
                raise Refused(json.loads(payload)["error"])
        welcome = json.loads(payload)
        if self.epoch and welcome["epoch"] != self.epoch:
            raise Refused("another program has the name now")
        if not self.epoch:
            self.next = {OUTPUT: max(welcome["output"], 0), STDERR: max(welcome["stderr"], 0)}
        self.acked = dict(self.next)
        self.epoch, self.window, self.typed = welcome["epoch"], welcome["window"], welcome["typed"]
        self.welcome = welcome
        self.sent = self.sent[welcome["input"] - self.accepted:]
        self.accepted = welcome["input"]
        rest, self.sent = self.sent, b""
        self.write(rest)

    def frame(self, kind, lane, payload):
        self.sock.sendall(struct.pack(">BBH", kind, lane, len(payload)) + payload)

    def read(self):
        """The next frame."""
        def need(n):
            while len(self.buffer) < n:
                more = self.sock.recv(65536)
                if not more:
                    raise ConnectionError("the server closed the connection")
                self.buffer += more
        need(4)
        kind, lane, n = struct.unpack(">BBH", self.buffer[:4])
        need(4 + n)
        payload, self.buffer = self.buffer[4:4 + n], self.buffer[4 + n:]
        return kind, lane, payload

    def pending(self):
        """Whether read may return without the socket being readable."""
        return bool(self.buffer) or isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def room(self):
        """How much may be written now."""
        return self.typed - len(self.sent)

    def write(self, data):
        """Send input, at most room() bytes."""
        for i in range(0, len(data), 32768):
            part = data[i:i + 32768]
            self.frame(DATA, INPUT, struct.pack(">Q", self.accepted + len(self.sent)) + part)
            self.sent += part

    def request(self, do, **members):
        """Send a request; the answer comes as an event with this id."""
        self.requests += 1
        self.frame(CONTROL, 0, json.dumps({"id": self.requests, "do": do, **members}).encode())
        return self.requests

    def take(self):
        """Take one frame: (lane, bytes) of output, ("gap", from, to), an event as a dict, or None."""
        kind, lane, payload = self.read()
        if kind == DATA and lane in self.next:
            (at,) = struct.unpack(">Q", payload[:8])
            assert at == self.next[lane], "a hole that no GAP told of"
            self.next[lane] = at + len(payload) - 8
            if self.next[lane] - self.acked[lane] >= self.window // 8:
                self.acked[lane] = self.next[lane]
                self.frame(ACK, lane, struct.pack(">Q", self.next[lane]))
            return lane, payload[8:]
        if kind == GAP and lane in self.next:
            begin, end = struct.unpack(">QQ", payload[:16])
            self.next[lane] = self.acked[lane] = end
            self.frame(ACK, lane, struct.pack(">Q", end))
            return "gap", begin, end
        if kind == ACK and lane == INPUT:
            (to,) = struct.unpack(">Q", payload[:8])
            self.sent, self.accepted = self.sent[to - self.accepted:], to
        if kind == CONTROL:
            event = json.loads(payload)
            if event.get("event") == "exit":
                self.exit = event["exit"]
            elif event.get("event") == "error" and "input" in event:
                self.sent, self.accepted = b"", event["input"]
            elif event.get("event") == "error":
                raise Refused(event["error"])
            return event
        return None


def status(exit):
    """As a shell counts."""
    return 128 + exit["signal"] if exit["signal"] else exit["code"]


def main(address):
    session = Session(address, who="client.py")
    typing = True
    while session.exit is None:
        try:
            wanted = [session.sock] + ([sys.stdin.buffer.raw] if typing and session.room() > 0 else [])
            ready = [session.sock] if session.pending() else select.select(wanted, [], [])[0]
            if session.sock in ready:
                got = session.take()
                if isinstance(got, tuple) and got[0] == "gap":
                    print(f"\n[{got[2] - got[1]} bytes lost]", file=sys.stderr)
                elif isinstance(got, tuple):
                    out = sys.stdout.buffer if got[0] == OUTPUT else sys.stderr.buffer
                    out.write(got[1])
                    out.flush()
                continue
            data = sys.stdin.buffer.raw.read(min(session.room(), 32768))
            if data:
                session.write(data)
            else:
                typing = False
                session.request("eof")
        except ConnectionError:
            time.sleep(0.1)
            session.come()
    session.request("collect")
    while "id" not in (session.take() or {}):
        pass
    return status(session.exit)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1]))
    except (Refused, OSError) as e:
        sys.exit(f"client.py: {e}")
