"""Processes of this machine, by /proc: their descendants, their memory, their end."""
import os
import signal
from pathlib import Path


def _parents():
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(stat.parent.name)] = int(stat.read_text().rsplit(") ", 1)[1].split()[1])
        except (OSError, IndexError):  # it has just ended
            pass
    return found


def descendants(ancestor):
    parents, found = _parents(), []
    below = {ancestor}
    while below := {pid for pid, parent in parents.items() if parent in below}:
        found += below
    return found


def kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def memory(word):
    """Megabytes (resident, proportional share) of each process whose command has the word; the largest first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if word in command:
                lines = dict(line.split(":") for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
                found.append({name: round(int(lines[name].split()[0]) / 1024) for name in ("Rss", "Pss")})
        except (OSError, ValueError, KeyError):
            pass
    return sorted(found, key=lambda process: -process["Rss"])
