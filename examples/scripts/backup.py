# Fetch a dump through the menu of a host: backup.py HOST FILE, the password is in DB_PW.
import os
import sys

import pexpect

host, name = sys.argv[1], sys.argv[2]
child = pexpect.spawn("ssh " + host, timeout=30, encoding="utf-8")
child.logfile_read = open("session.log", "w")

asked = False
while True:
    i = child.expect([r"\(yes/no.*\)\? ", r"[Pp]assword: ", "Permission denied",
                      r"[$#] $", pexpect.EOF, pexpect.TIMEOUT])
    if i == 0:
        child.sendline("yes")
    elif i == 1:
        if asked:
            sys.exit("wrong password")
        child.waitnoecho()
        child.sendline(os.environ["DB_PW"])
        asked = True
    elif i == 2:
        sys.exit("refused")
    elif i == 3:
        break
    else:
        sys.exit("no login: " + child.before)

child.sendline("./menu")
child.expect("Choice: ")
child.sendline("3")
child.expect("sftp> ")
child.sendline("get " + name)
if child.expect(["100%.*sftp> ", "not found.*sftp> "], timeout=600) == 1:
    sys.exit(name + " is not there")
child.sendline("bye")
child.expect(r"[$#] $")
child.sendline("wc -c " + name)
child.expect(r"(\d+) " + name)
print(name, "has", child.match.group(1), "bytes")
child.sendline("exit")
child.expect(pexpect.EOF)
child.close()
sys.exit(child.exitstatus)
