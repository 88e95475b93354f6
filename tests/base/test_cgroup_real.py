#!/usr/bin/env python3
"""pomona doctor in a control group made here, and in a mount namespace with files of version 2. What this machine does not let one do is
skipped by name.

usage: test_cgroup_real.py POMONA
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

POMONA = sys.argv[1]
MIB = 1 << 20
V2, V1 = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory")


def skip(what):
    print(f"SKIPPED {what}")
    raise unittest.SkipTest(what)


def doctor(script="", *args):
    """Threads and MiB that it finds, started by a shell whose process it takes over."""
    env = {**os.environ, "POMONA_CONFIG": ""}
    done = subprocess.run(["sh", "-c", script + 'exec "$0" doctor', POMONA, *map(str, args)], env=env, capture_output=True, text=True, timeout=50)
    said = done.stdout + done.stderr
    threads, memory = re.search(r"threads +(\d+)", said), re.search(r"memory +(\d+) MiB", said)
    assert threads and memory, said
    return int(threads[1]), int(memory[1]), said


class Limits(unittest.TestCase):
    def nested(self, top, memory, **files):
        """Limits by a group below one with a tighter memory limit."""
        outer = top / f"pomona-test-{os.getpid()}"
        try:
            (outer / "inner").mkdir(parents=True)
        except OSError as error:
            skip(f"groups in {top}: {error.strerror}")
        try:
            if top == V2:
                (outer / "cgroup.subtree_control").write_text("+memory +cpu")
            (outer / memory).write_text(str(700 * MIB))
            (outer / "inner" / memory).write_text(str(800 * MIB))
            for name, text in files.items():
                (outer / "inner" / name.replace("__", ".")).write_text(text)
            return doctor('echo $$ > "$1/cgroup.procs"; ', outer / "inner")
        except OSError as error:
            return skip(f"limits in {top}: {error.strerror}")
        finally:
            (outer / "inner").rmdir()
            outer.rmdir()

    def test_groups_of_version_2(self):
        if not (V2 / "cgroup.controllers").exists():
            skip("groups of version 2: this machine has those of version 1")
        threads, memory, said = self.nested(V2, "memory.max", cpu__max="60000 100000")
        self.assertEqual((threads, memory), (1, 700), said)

    def test_groups_of_version_1(self):
        if not V1.exists():
            skip("groups of version 1: this machine has those of version 2")
        _, memory, said = self.nested(V1, "memory.limit_in_bytes")
        self.assertEqual(memory, 700, said)
        self.assertIn("by the cgroup's limit", said)

    def test_files_of_version_2_in_a_mount_namespace(self):
        """As the program sees them in a pod: /proc and /sys/fs/cgroup are where it looks."""
        own = "mount --bind \"$1/cgroup\" /proc/$$/cgroup && mount --bind \"$1/tree\" /sys/fs/cgroup && "
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, timeout=20).returncode:
            skip("a mount namespace: not allowed here")
        with tempfile.TemporaryDirectory() as folder:
            pod = Path(folder) / "tree" / "pod" / "container"
            pod.mkdir(parents=True)
            (Path(folder) / "cgroup").write_text("0::/pod/container\n")
            (pod / "cpu.max").write_text("max 100000\n")
            (pod / "memory.max").write_text(f"{900 * MIB}\n")
            (pod.parent / "cpu.max").write_text("100000 100000\n")
            (pod.parent / "memory.max").write_text(f"{800 * MIB}\n")
            threads, memory, said = doctor("exec unshare -m sh -c '" + own + "exec \"$0\" doctor' \"$0\" \"$1\"; ", folder)
        if "mount:" in said:
            skip("mounting in a namespace: not allowed here")
        self.assertEqual((threads, memory), (1, 800), said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
