"""pomona features from and to Google Cloud Storage: a server that speaks its JSON API."""
import io
import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import DENIED, WAIT, FaultProxy, answer  # noqa: E402

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "fake-gcs-server").exists(), reason=".deps/servers/fake-gcs-server is not there")

ODD = ["a b.jpg", "a+b.jpg", "a%20b.jpg", "100%.jpg", "a//b.jpg", "a/", "ä/ö €.jpg", "苹果/🍎.jpg", "q?x=1&y#z.jpg",
       "a'\"\\b.jpg", "a.jpg", "a/b.jpg", "a-/b.jpg"]


def jpeg(seed):
    data = io.BytesIO()
    photograph(seed).save(data, "JPEG")
    return data.getvalue()


@pytest.fixture(scope="module")
def gcs(tmp_path_factory):
    with servers.fake_gcs(tmp_path_factory.mktemp("fake-gcs-server")) as server:
        for bucket in ("photos", "tables", "odd"):
            server.create(bucket)
        for i in range(24):
            server.put("photos", f"set one/{('apple', 'cherry red', 'tomato')[i % 3]}/{i:02}.jpg", jpeg(i))
        yield server


def table(server, name):
    return pd.read_parquet(io.BytesIO(server.get("tables", name)))


def test_from_bucket_to_bucket(gcs, tmp_path):
    args = (*PIXELS, "--pca", 2)
    pomona("features", "gs://photos/set one", "-o", "gs://tables/first", *args, env=gcs.env)
    assert gcs.keys("tables", "first/") == [f"first/{n}" for n in (
        ".pomona/manifest.sqlite", "errors.parquet", "features.parquet", "pca.parquet", "projection.parquet", "run.json")]
    rows = table(gcs, "first/features.parquet")
    assert list(rows.path) == [f"gs://photos/{name}" for name in gcs.keys("photos")]
    for name in gcs.keys("photos"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(gcs.get("photos", name))
    pomona("features", tmp_path / "set one", "-o", tmp_path / "out", *args)
    for name, column in (("features", "features"), ("pca", "pca_features")):
        local = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        remote = table(gcs, f"first/{name}.parquet")
        assert [list(a) for a in local[column]] == [list(a) for a in remote[column]]
        assert list(local.label) == list(remote.label)
    assert "up to date" in pomona("features", "gs://photos/set one/", "-o", "gs://tables/first/", *args, env=gcs.env)


def test_one_object(gcs):
    pomona("features", "gs://photos/set one/apple/00.jpg", "-o", "gs://tables/one", *PIXELS, env=gcs.env)
    assert list(table(gcs, "one/features.parquet").path) == ["gs://photos/set one/apple/00.jpg"]


def test_odd_names(gcs):
    for i, name in enumerate(ODD):
        gcs.put("odd", name, b"" if name.endswith("/") else jpeg(i))
    pomona("features", "gs://odd", "-o", "gs://tables/o d+d %41/ü", *PIXELS, env=gcs.env)
    rows = table(gcs, "o d+d %41/ü/features.parquet")
    assert list(rows.path) == sorted((f"gs://odd/{name}" for name in ODD if not name.endswith("/")), key=str.encode)
    assert len(table(gcs, "o d+d %41/ü/errors.parquet")) == 0


def test_only_what_changed_is_read(gcs):
    def run():
        return pomona("features", "gs://photos/delta", "-o", "gs://tables/delta", *PIXELS, env=gcs.env)
    for i in range(4):
        gcs.put("photos", f"delta/{i}.jpg", jpeg(i))
    run()
    gcs.put("photos", "delta/1.jpg", jpeg(11))
    gcs.put("photos", "delta/5.jpg", jpeg(5))
    gcs.remove("photos", "delta/3.jpg")
    assert "2 carried over, 1 dropped" in run()
    rows = table(gcs, "delta/features.parquet")
    pomona("features", "gs://photos/delta", "-o", "gs://tables/fresh", *PIXELS, env=gcs.env)
    fresh = table(gcs, "fresh/features.parquet")
    assert list(rows.path) == list(fresh.path) == [f"gs://photos/delta/{i}.jpg" for i in (0, 1, 2, 5)]
    assert [list(a) for a in rows.features] == [list(a) for a in fresh.features]


def test_thousands_are_listed_in_parts(gcs):
    """Pages hold 1000: what follows is cut at the names of folders, and asked for at once."""
    gcs.create("many")
    names = [f"{'abcdefgh'[i % 8]}/{'xy!'[i % 3]}/{i:05}.jpg" for i in range(1500)] + [f"a{i % 100}.jpg" for i in range(100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: gcs.put("many", name, b"x"), names))
    wanted = sorted((f"gs://many/{name}" for name in set(names)), key=str.encode)
    done = subprocess.run([BINARY, "ls", "gs://many"], env=gcs.env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == wanted
    done = subprocess.run([BINARY, "ls", "gs://many/c/y"], env=gcs.env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [path for path in wanted if path.startswith("gs://many/c/y/")]


def test_large_tables_go_in_chunks(gcs, tmp_path):
    """Beyond 32 MiB: several requests make one object."""
    (tmp_path / "noise").mkdir()
    noise = [np.random.default_rng(i).bytes(640 * 640 * 3) for i in range(28)]
    for i, pixels in enumerate(noise):
        Image.frombytes("RGB", (640, 640), pixels).save(tmp_path / "noise" / f"{i:02}.png", compress_level=0)
    pomona("features", tmp_path / "noise", "-o", "gs://tables/large", "--model", "pixels", "--size", "640", env=gcs.env)
    assert len(gcs.get("tables", "large/features.parquet")) > 32 << 20
    rows = table(gcs, "large/features.parquet")
    assert all((row == np.frombuffer(pixels, np.uint8)).all() for row, pixels in zip(rows.features, noise)) and len(rows) == 28


RANGE = re.compile(rb"content-range: bytes (\d+)-(\d+)/(\d+)", re.I)


class Uploads:
    """Answers for resumable uploads, by their heads: at first a portal's page, then that half of the bytes or none were taken, as a server
    may say; the object at last."""

    def __init__(self, port, portal=1, stalls=1):
        self.port, self.portal, self.stalls, self.half = port, portal, stalls, True
        self.ranges = []

    def __call__(self, head):
        if head.startswith(b"POST /upload/") and b"uploadType=resumable" in head:
            return b"HTTP/1.1 200 OK\r\nLocation: http://127.0.0.1:%d/session\r\nContent-Length: 0\r\n\r\n" % self.port
        if not head.startswith(b"PUT /session"):
            return None
        if self.portal:
            self.portal -= 1
            return answer(b"200 OK", b"<html>hotel Wi-Fi: please log in</html>")
        first, last, total = map(int, RANGE.search(head).groups())
        self.ranges.append((first, last, total))
        if self.half:
            self.half = False
            return answer(b"308 Resume Incomplete", b"", b"Range: bytes=0-%d\r\n" % (total // 2))
        if self.stalls:
            self.stalls -= 1
            return answer(b"308 Resume Incomplete", b"", b"Range: bytes=0-%d\r\n" % (first - 1) if first else b"")
        return answer(b"200 OK", json.dumps({"size": str(total), "generation": "7"}).encode())


def uploaded(gcs, photo, code=0, **answers):
    with FaultProxy(int(gcs.url.rsplit(":", 1)[1]), 1, 0) as proxy:
        proxy.script = Uploads(proxy.port, **answers)
        said = pomona("features", photo, "-o", "gs://tables/scripted", *PIXELS, "--fresh", code=code,
                      env={**gcs.env, "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{proxy.port}"})
        return said, proxy.script.ranges


def test_an_upload_goes_on_where_the_server_says(gcs, tmp_path):
    photograph(1).save(tmp_path / "a.png")
    ranges = uploaded(gcs, tmp_path / "a.png")[1]
    first, second, third = ranges[:3]
    assert first[0] == 0 and second[0] == third[0] == first[2] // 2 + 1 and third[1] == first[2] - 1
    said, ranges = uploaded(gcs, tmp_path / "a.png", stalls=99, code=1)
    assert "the upload does not get on" in said and len(ranges) < 10


def test_another_machine_continues(gcs, tmp_path):
    args = ("features", "gs://photos/moving", "-o", "gs://tables/moving", *PIXELS)
    here, there = ({**gcs.env, "XDG_STATE_HOME": str(tmp_path / name)} for name in ("here", "there"))
    for i in range(4):
        gcs.put("photos", f"moving/{i}.jpg", jpeg(i))
    pomona(*args, env=here)
    assert "up to date" in pomona(*args, env=there)
    gcs.put("photos", "moving/7.jpg", jpeg(7))
    assert "4 carried over" in pomona(*args, env=there)


def test_doctor(gcs):
    done = subprocess.run([BINARY, "doctor", "gs://tables/checked"], env=gcs.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("nobody (STORAGE_EMULATOR_HOST)", "an object was written", "and removed again"):
        assert words in done.stdout + done.stderr
    assert gcs.keys("tables", "checked") == []


def refused(gcs, pattern, source, dest, code=1, once=0):
    """What a job says where the requests that match are refused, as Google words it; the first `once` are not, and have come by then."""
    who = "who@example.iam.gserviceaccount.com does not have access"
    body = json.dumps({"error": {"code": 403, "message": who, "errors": [{"reason": "forbidden", "message": who}]}}).encode()
    seen, refuse_from = [], []

    def script(head):
        if not re.match(pattern, head):
            return None
        if len(seen) < once:
            return seen.append(head)
        refuse_from.append(time.time() + (0.5 if once else 0))
        return WAIT if time.time() < refuse_from[0] else answer(b"403 Forbidden", body)
    with FaultProxy(int(gcs.url.rsplit(":", 1)[1]), 1, 0) as proxy:
        proxy.script = script
        return pomona("features", source, "-o", dest, *PIXELS, code=code,
                      env={**gcs.env, "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{proxy.port}"})


def test_access_that_is_denied(gcs):
    """From the very start, for one object, and for all of them: the same words as for s3://, and who, what permission and what to do."""
    names = [f"denied/{i:02}.jpg" for i in range(40)]
    for i, name in enumerate(names):
        gcs.put("photos", name, jpeg(i))
    listing, reading = rb"GET /storage/v1/b/photos/o\?", rb"GET /storage/v1/b/photos/o/denied%2F\S*\?alt=media"
    asked = "as nobody (STORAGE_EMULATOR_HOST)): who@example.iam.gserviceaccount.com does not have access"
    for pattern, words in ((listing, ("(storage.objects.list " + asked,)), (reading, (
            "(storage.objects.get " + asked, "so it was with the 31 asked for before", "--retry-failed"))):
        said = refused(gcs, pattern, "gs://photos/denied", "gs://tables/denied", code=1)
        for wanted in (*DENIED, *words):
            assert wanted in said, said
        assert gcs.keys("tables", "denied") == []
    said = refused(gcs, rb"GET /storage/v1/b/photos/o/denied%2F", "gs://photos/denied", "gs://tables/withdrawn", once=20)
    assert "the permission was withdrawn. With it, the same command continues" in said
    refused(gcs, rb"GET /storage/v1/b/photos/o/denied%2F07", "gs://photos/denied", "gs://tables/one-denied", code=2)
    assert list(table(gcs, "one-denied/errors.parquet").path) == ["gs://photos/denied/07.jpg"]
    said = refused(gcs, rb"POST /upload/", "gs://photos/denied", "gs://tables/closed")
    assert "(storage.objects.create " + asked in said


def test_failures_say_what_to_do(gcs):
    def said(env, *args):
        return pomona("features", *args, "-o", "gs://tables/no", *PIXELS, env={**gcs.env, **env}, code=1)
    assert "check the names of bucket and object" in said({}, "gs://nothing-here")
    assert "gs://photos/none is no object" in said({}, "gs://photos/none")
    assert "in 5 attempts" in said({"STORAGE_EMULATOR_HOST": "http://127.0.0.1:1"}, "gs://photos")
    assert "names no bucket" in said({}, "gs://")
    assert gcs.keys("tables", "no") == []
