"""Runs a command behind those walls of a systemd unit that a process can put up for itself: walls.py UNIT COMMAND...

SystemCallFilter, SystemCallErrorNumber, RestrictAddressFamilies and RestrictNamespaces are read from the unit; the groups of
system calls are those of this machine's systemd.
"""
import errno
import os
import re
import socket
import subprocess
import sys

import seccomp

CLONE_NEW_ANY = 0x7E020080  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET and TIME


def settings(path):
    lines = (line.strip() for line in open(path, encoding="utf-8"))
    return dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))


def calls_of(group):
    """The system calls of a group, with those of the groups in it."""
    command = ["systemd-analyze", "syscall-filter", "--no-pager", group]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = set()
    for line in shown.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            names |= calls_of(word)
        elif word and not word.startswith("#"):
            names.add(word)
    return names


unit = settings(sys.argv[1])
assert unit["RestrictNamespaces"] == "yes"
refusal = getattr(errno, unit["SystemCallErrorNumber"])
allowed = calls_of("@default") | calls_of(unit["SystemCallFilter"])

walls = seccomp.SyscallFilter(defaction=seccomp.ERRNO(refusal))
for name in sorted(allowed - {"clone", "clone3", "socket", "unshare", "setns"}):
    try:
        walls.add_rule(seccomp.ALLOW, name)
    except RuntimeError:
        pass  # a call that this kind of processor does not have
walls.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_NEW_ANY, 0))
# Its flags are in memory, where no filter sees them: as systemd does, it is said not to be there.
walls.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
for family in unit["RestrictAddressFamilies"].split():
    walls.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, getattr(socket, family)))
walls.load()
os.execvp(sys.argv[2], sys.argv[2:])
