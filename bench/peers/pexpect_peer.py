"""The workloads as pexpect does them: pexpect_peer.py plain|tuned WORKLOAD ARG...

"tuned" is what its manual advises to be fast: no pause before a send, a search window, larger reads. Without it, it is
as people use it.
"""
import os
import resource
import sys
import threading
import time

import pexpect
import pexpect.popen_spawn

tuned = sys.argv[1] == "tuned"  # or "plain"
work, args = sys.argv[2], sys.argv[3:]
settings = dict(timeout=600)
if tuned:
    settings.update(maxread=65536, searchwindowsize=4096)
PROMPT = "prompt> "


def field(name):
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith(name + ":"):
                return float(line.split()[1])


def report(seconds, units):
    used = resource.getrusage(resource.RUSAGE_SELF)
    print("seconds %.9f\nunits %.0f\nuser %f\nsystem %f\npeak_kib %.0f" % (seconds, units, used.ru_utime, used.ru_stime, field("VmHWM")))


def report_latency(took):
    took.sort()
    print("p50_us %.1f\np99_us %.1f" % (took[len(took) // 2] * 1e6, took[len(took) * 99 // 100] * 1e6))


def start(stdio, cmd, **more):
    if stdio == "pipe":
        more.pop("echo", None)
        child = pexpect.popen_spawn.PopenSpawn(cmd, **settings, **more)
    else:
        child = pexpect.spawn(cmd[0], cmd[1:], use_poll=True, **settings, **more)
    if tuned:
        child.delaybeforesend = None
        child.delayafterread = None
    return child


def spawn(n, width):
    def some(n):
        for _ in range(n):
            child = pexpect.spawn("/bin/true", **settings)
            child.expect(pexpect.EOF)
            child.wait()
            if tuned:
                child.ptyproc.delayafterclose = 0
            child.close()

    begin = time.monotonic()
    if width == 1:
        some(n)
    else:
        threads = [threading.Thread(target=some, args=(n // width,)) for _ in range(width)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        n = n // width * width
    report(time.monotonic() - begin, n)


def pingpong(stdio, n):
    child = start(stdio, ["cat"], echo=False)
    end = "\r\n" if stdio == "pty" else "\n"
    begin = last = 0
    took = []
    for i in range(-10, n):
        if i == 0:
            begin = last = time.monotonic()
        line = "ping %06d" % max(i, 0)
        child.sendline(line)
        child.expect_exact(line + end)
        if i >= 0:
            now = time.monotonic()
            took.append(now - last)
            last = now
    report(last - begin, n)
    report_latency(took)
    child.sendeof()


def find(stdio, want, *rest):
    cut = rest.index("for")
    cmd, patterns = list(rest[:cut]), rest[cut + 1 :]
    begin = time.monotonic()
    child = start(stdio, cmd)
    if any(p[0] == "r" for p in patterns):
        got = child.expect([pexpect.EOF] + [p[1:] for p in patterns])
    else:
        got = child.expect_exact([pexpect.EOF] + [p[1:] for p in patterns])
    assert (got == 0) == (want == "absent"), got
    report(time.monotonic() - begin, int(cmd[2]))


def sessions(n, exchanges):
    took = [0.0] * (n * exchanges)
    before = field("VmRSS")
    children = [start("pty", ["cat"], echo=False) for _ in range(n)]
    begin = time.monotonic()
    sent = [0.0] * n
    for j in range(exchanges):
        line = "ping %06d" % j
        for i, child in enumerate(children):
            sent[i] = time.monotonic()
            child.sendline(line)
        for i, child in enumerate(children):
            child.expect_exact(line + "\r\n")
            took[j * n + i] = time.monotonic() - sent[i]
    total = time.monotonic() - begin
    print("kib_each %.2f\nthreads %.0f" % ((field("VmRSS") - before) / n, field("Threads")))
    report(total, n * exchanges)
    report_latency(took)
    sys.stdout.flush()
    for child in children:
        child.kill(9)
    os._exit(0)  # its own cleaning up sleeps for each


def dialog(n):
    os.environ.update(PS1=PROMPT, TERM="dumb")
    begin = time.monotonic()
    child = start("pty", ["bash", "--norc", "--noprofile"])
    child.expect_exact(PROMPT)
    for i in range(n):
        child.sendline("echo answer $((%d * 7))" % i)
        child.expect_exact(PROMPT)
        assert child.before.endswith(b"answer %d\r\n" % (i * 7)), child.before
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.wait()
    report(time.monotonic() - begin, n)


{"spawn": spawn, "pingpong": pingpong, "find": find, "sessions": sessions, "dialog": dialog}[work](
    *(int(a) if a.isdigit() and work != "find" else a for a in args)
)
