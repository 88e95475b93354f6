"""pomona ls: listings that go into pipes."""
import os
import subprocess

import pytest
from conftest import BINARY


def ls(*args, code=0, **options):
    done = subprocess.run([BINARY, "ls", *map(str, args)], capture_output=True, timeout=60, **options)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr.decode()


@pytest.fixture
def tree(tmp_path):
    for name in ("b/2.jpg", "b/10.txt", "a", ".hidden", "new\nline"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * len(name))
        os.utime(tmp_path / name, ns=(0, 1_763_742_794_123_456_789))
    return tmp_path


def test_paths_in_order(tree):
    out, err = ls(tree)
    assert out.decode() == "".join(f"{tree}/{n}\n" for n in ("a", "b/10.txt", "b/2.jpg", "new\nline")) and err == ""
    assert ls(tree / "a")[0].decode() == f"{tree}/a\n"
    assert ls("--limit", 2, tree)[0].count(b"\n") == 2


def test_long_and_null(tree):
    rows = [row.split(b"\t") for row in ls("-l0", tree)[0].split(b"\0")[:-1]]
    assert rows[1] == [b"8", b"2025-11-21T16:33:14.123456789Z", str(tree / "b/10.txt").encode()]
    assert rows[3][2].endswith(b"/new\nline") and len(rows) == 4


def test_a_reader_that_leaves_ends_it_in_silence(tmp_path):
    for i in range(5000):
        (tmp_path / f"{i:04}-{'x' * 100}").touch()
    done = subprocess.run(f"{BINARY} ls {tmp_path} | head -1; echo ${{PIPESTATUS[0]}}", shell=True, executable="/bin/bash",
                          capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and done.stdout.splitlines()[1] == "141"


def test_failures(tree):
    assert "nowhere" in ls(tree / "nowhere", code=1)[1]
    assert "name one place" in ls(code=1)[1]
    (tree / "dangling").symlink_to("nothing")
    out, err = ls(tree, code=2)
    assert out.count(b"\n") == 5 and "dangling" in err
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "ls", tree], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and "cannot write to the standard output" in done.stderr
