"""What workers read by themselves, and what they make of pixels, without a session."""
import subprocess

import pytest
import servers
from conftest import environment, python_of

READ = """
import sys
from pomona.spark._sources import read
for path in sys.argv[1:]:
    try:
        print(read(path).decode())
    except Exception as error:
        print("failed:", str(error)[:100])
"""
LABELS = """
from pomona.spark._label import Label
for pattern, path, label in (
    ("{label}/*", "s3://photos/Apple Red/17.jpg", "Apple Red"), ("{label}/*", "17.jpg", None), ("{label}/*/*", "photos/apple/ripe/17.jpg", "apple"),
    ("{label}_*", "photos/red_apple_17.jpg", "red_apple"), ("train/{label}/*", "photos/test/apple/17.jpg", None), ("{label}/*", None, None),
    ("a?c/{label}.*", "abc/x.y.z", "x.y"), ("a?c/{label}.*", "xabc/x.y.z", None), ("{label}/*", "a\\nb/c", "a\\nb"),
):
    assert Label(pattern).of(path) == label, (pattern, path, Label(pattern).of(path))
"""


def run(code, *arguments, **extra):
    command = [str(python_of("peers-spark4")), "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=environment("peers-spark4", **extra), check=True, timeout=60, capture_output=True, text=True).stdout.splitlines()


def test_labels():
    """As docs/job.md has them."""
    run(LABELS)


@pytest.mark.skipif(not (servers.SERVERS / "versitygw").exists(), reason=".deps/servers/versitygw is not there")
def test_a_bucket(tmp_path):
    """Of Spark's and of the program's kind of URI, with the credentials of the environment."""
    with servers.versitygw(tmp_path) as server:
        server.client.create_bucket(Bucket="photos")
        for name in ("a/1.jpg", "ä b/100%.jpg", "a%20b.jpg"):
            server.put("photos", name, f"this is {name}".encode())
        paths = ["s3a://photos/a/1.jpg", "s3://photos/ä b/100%.jpg", "s3://photos/a%20b.jpg", "s3://photos/none.jpg"]
        extra = {name: value for name, value in server.env.items() if name.startswith("AWS_")}
        found = run(READ, *paths, **extra)
    assert found[:3] == ["this is a/1.jpg", "this is ä b/100%.jpg", "this is a%20b.jpg"] and "failed" in found[3], found
