"""Two jobs on one destination in a bucket or in HDFS: the second is refused, and a job that was killed keeps nobody out for ever."""
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import WAIT, FaultProxy, answer  # noqa: E402

LOCK = ".pomona/lock"


class S3:
    """A destination, and images that may come through a proxy, on a server that speaks S3."""

    def __init__(self, server):
        self.server, self.port = server, int(server.url.rsplit(":", 1)[1])
        self.env = server.env
        for bucket in ("photos", "tables"):
            (server.create if hasattr(server, "create") else lambda b: server.client.create_bucket(Bucket=b))(bucket)

    def put(self, name, data):
        self.server.put("photos", name, data)

    def arguments(self, dest, proxy=None):
        return "features", "s3://photos", "-o", f"s3://tables/{dest}", *PIXELS

    def pca(self, table, dest):
        return "pca", table, "-o", self.arguments(dest)[3], "--pca", "2"

    def through(self, proxy):
        return {**self.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}

    def names(self, dest):
        return [key[len(dest) + 1:] for key in self.server.keys("tables", dest + "/")]

    def features(self, dest):
        return self.server.get("tables", f"{dest}/features.parquet")

    def written(self, dest):
        return self.server.client.head_object(Bucket="tables", Key=f"{dest}/features.parquet")["LastModified"]

    def make_silent_for(self, dest, seconds):
        if not hasattr(self.server, "root"):
            pytest.skip("the server's files cannot be given a time")
        past = time.time() - seconds
        os.utime(self.server.root / "tables" / dest / LOCK, (past, past))


class Google(S3):
    def arguments(self, dest, proxy=None):
        return "features", "gs://photos", "-o", f"gs://tables/{dest}", *PIXELS

    def through(self, proxy):
        return {**self.env, "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{proxy.port}"}

    def make_silent_for(self, dest, seconds):
        pytest.skip("the server's objects cannot be given a time")


class Hdfs(S3):
    def __init__(self, server):
        self.server, self.env, self.port = server, server.env, int(server.address.rsplit(":", 1)[1])

    def put(self, name, data):
        self.server.put(f"/leased/{name}", data)

    def arguments(self, dest, proxy=None):
        photos = f"hdfs://127.0.0.1:{proxy.port}/leased" if proxy else self.server.uri("/leased")
        return "features", photos, "-o", self.server.uri(f"/tables/{dest}"), *PIXELS

    def through(self, proxy):
        return self.env

    def names(self, dest):
        try:
            top = self.server.names(f"/tables/{dest}")
            return top + [f".pomona/{name}" for name in (self.server.names(f"/tables/{dest}/.pomona") if ".pomona" in top else ())]
        except urllib.error.HTTPError:
            return []

    def features(self, dest):
        return self.server.get(f"/tables/{dest}/features.parquet")

    def written(self, dest):
        return self.server.call("GET", f"/tables/{dest}/features.parquet", "GETFILESTATUS")

    def make_silent_for(self, dest, seconds):
        self.server.call("PUT", f"/tables/{dest}/{LOCK}", "SETTIMES", modificationtime=int((time.time() - seconds) * 1000))


PLACES = {"versitygw": (servers.versitygw, S3), "minio": (servers.minio, S3), "fake-gcs-server": (servers.fake_gcs, Google)}  # test_hdfs.py adds its own


def filled(place):
    for i in range(24):
        data = io.BytesIO()
        photograph(i).save(data, "JPEG")
        place.put(f"{i % 3}/{i:02}.jpg", data.getvalue())
    return place


@pytest.fixture(scope="module", params=list(PLACES))
def place(request, tmp_path_factory):
    if not (servers.SERVERS / request.param).exists():
        pytest.skip(f".deps/servers/{request.param} is not there")
    start, kind = PLACES[request.param]
    with start(tmp_path_factory.mktemp(request.param)) as server:
        yield filled(kind(server))


def filled_folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(6):
        photograph(i).save(tmp_path / "photos" / f"{i}.jpg")
    return tmp_path / "photos", "-o", tmp_path / "out", *PIXELS


class Job:
    """One that stands still: its images come through a proxy that answers nothing but the listing and the lease."""

    def __init__(self, place, tmp_path, dest):
        self.proxy = FaultProxy(place.port, 1, 0)
        self.place, self.dest, self.state = place, dest, str(tmp_path / "one")
        self.reads = threading.Event()

    def script(self, head):
        if not re.match(rb"GET \S+\.jpg", head):
            return None
        self.reads.set()
        return WAIT

    def __enter__(self):
        self.proxy.__enter__()
        self.proxy.script = self.script
        self.env = {**self.place.env, "XDG_STATE_HOME": self.state, "USER": "ana"}
        self.process = subprocess.Popen([BINARY, *self.place.arguments(self.dest, self.proxy)], stderr=subprocess.PIPE, text=True,
                                        env={**self.place.through(self.proxy), "XDG_STATE_HOME": self.state, "USER": "ana"})
        if self.reads.wait(30) and LOCK in self.place.names(self.dest):
            return self
        self.process.kill()
        raise TimeoutError(self.process.stderr.read())

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.proxy.__exit__()


def test_the_second_of_two_is_refused(place, tmp_path):
    there = {**place.env, "XDG_STATE_HOME": str(tmp_path / "two")}
    with Job(place, tmp_path, "busy") as first:
        said = pomona(*place.arguments("busy"), env=there, code=1)
        assert f"in use by another pomona: ana on {os.uname().nodename}, process {first.process.pid}, since 20" in said
        assert "choose another -o" in said
        first.process.send_signal(signal.SIGINT)
        first.process.communicate(timeout=60)
    assert place.names("busy") in ([], [".pomona"])  # given back
    assert "24 rows" in pomona(*place.arguments("busy"), env=there)
    assert LOCK not in place.names("busy")


def test_pca_is_refused_as_well(place, tmp_path):
    pomona("features", *filled_folder(tmp_path), env=place.env)
    with Job(place, tmp_path, "pca") as first:
        said = pomona(*place.pca(tmp_path / "out", "pca"), env={**place.env, "XDG_STATE_HOME": str(tmp_path / "two")}, code=1)
        assert f"in use by another pomona: ana on {os.uname().nodename}, process {first.process.pid}" in said
    pomona(*place.pca(tmp_path / "out", "pca alone"), env=place.env)
    assert sorted(place.names("pca alone")) in (["pca.parquet", "projection.parquet"], [".pomona", "pca.parquet", "projection.parquet"])


def test_a_killed_job_goes_on_at_once_where_it_ran(place, tmp_path):
    """Elsewhere it does not, as nobody there can know that it was."""
    with Job(place, tmp_path, "killed") as first:
        first.process.kill()
        first.process.wait()
        said = pomona(*place.arguments("killed"), env={**place.env, "XDG_STATE_HOME": str(tmp_path / "two")}, code=1)
        assert re.search(r"if it was killed, run this again in 1[012]\d s", said)
        assert "24 rows" in pomona(*place.arguments("killed"), env=first.env)
    assert LOCK not in place.names("killed")


def test_a_silent_job_is_replaced_and_then_ends(place, tmp_path):
    """Two minutes without a word, by the server's clock; here by the file's time."""
    there = {**place.env, "XDG_STATE_HOME": str(tmp_path / "two")}
    with Job(place, tmp_path, "silent") as first:
        first.process.send_signal(signal.SIGSTOP)
        place.make_silent_for("silent", 115)
        assert "run this again in" in pomona(*place.arguments("silent"), env=there, code=1)
        place.make_silent_for("silent", 125)
        assert "24 rows" in pomona(*place.arguments("silent"), env=there)
        written = place.written("silent")
        first.proxy.script = lambda head: None
        first.process.send_signal(signal.SIGCONT)
        said = first.process.communicate(timeout=120)[1]
        assert first.process.returncode == 1 and "another pomona has taken the destination" in said, said
    assert place.written("silent") == written
    assert len(pd.read_parquet(io.BytesIO(place.features("silent")))) == 24


def test_a_store_that_ignores_conditions_is_told_of(place, tmp_path):
    if type(place) is not S3:
        pytest.skip("this store has them")
    seen = []

    def script(head):
        if b"if-none-match" in head.lower():
            seen.append(head)
        return answer(b"200 OK", b"", b'ETag: "x"\r\n') if len(seen) > 1 and b"if-none-match" in head.lower() else None
    with FaultProxy(place.port, 1, 0) as proxy:
        proxy.script = script
        said = pomona(*place.arguments("loose"), env=place.through(proxy))
    assert "no conditional writes" in said and "24 rows" in said and len(seen) == 2
