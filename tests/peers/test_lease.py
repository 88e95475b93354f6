"""Two jobs on one destination in a bucket: the second is refused, and a job that was killed keeps nobody out for ever."""
import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import WAIT, FaultProxy, answer  # noqa: E402

LOCK = ".pomona/lock"


@pytest.fixture(scope="module", params=["versitygw", "minio"])
def s3(request, tmp_path_factory):
    if not (servers.SERVERS / request.param).exists():
        pytest.skip(f".deps/servers/{request.param} is not there")
    with getattr(servers, request.param)(tmp_path_factory.mktemp(request.param)) as server:
        server.name = request.param
        server.port = int(server.url.rsplit(":", 1)[1])
        server.client.create_bucket(Bucket="photos")
        server.client.create_bucket(Bucket="tables")
        for i in range(24):
            data = io.BytesIO()
            photograph(i).save(data, "JPEG")
            server.put("photos", f"{i % 3}/{i:02}.jpg", data.getvalue())
        yield server


def arguments(dest):
    return "features", "s3://photos", "-o", f"s3://tables/{dest}", *PIXELS


class Job:
    """One that stands still: its images come through a proxy that answers nothing but the listing and the lease."""

    def __init__(self, server, tmp_path, dest):
        self.proxy = FaultProxy(server.port, 1, 0)
        self.env = {**server.env, "AWS_ENDPOINT_URL": "", "XDG_STATE_HOME": str(tmp_path / "one"), "USER": "ana"}
        self.server, self.dest = server, dest

    def __enter__(self):
        self.proxy.__enter__()
        self.proxy.script = lambda head: WAIT if re.match(rb"GET \S+\.jpg", head) else None
        self.env["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{self.proxy.port}"
        self.process = subprocess.Popen([BINARY, *arguments(self.dest)], env=self.env, stderr=subprocess.PIPE, text=True)
        for _ in range(200):
            if f"{self.dest}/{LOCK}" in self.server.keys("tables", self.dest):
                return self
            time.sleep(0.1)
        raise TimeoutError(self.process.stderr.read())

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.proxy.__exit__()


def test_the_second_of_two_is_refused(s3, tmp_path):
    there = {**s3.env, "XDG_STATE_HOME": str(tmp_path / "two")}
    with Job(s3, tmp_path, "busy") as first:
        said = pomona(*arguments("busy"), env=there, code=1)
        assert f"in use by another pomona: ana on {os.uname().nodename}, process {first.process.pid}, since 20" in said
        assert "choose another -o" in said
        first.process.send_signal(signal.SIGINT)
        first.process.communicate(timeout=60)
    assert s3.keys("tables", "busy") == []  # given back
    assert "24 rows" in pomona(*arguments("busy"), env=there)
    assert f"busy/{LOCK}" not in s3.keys("tables", "busy")


def test_a_killed_job_goes_on_at_once_where_it_ran(s3, tmp_path):
    with Job(s3, tmp_path, "killed") as first:
        first.process.kill()
        first.process.wait()
        assert "24 rows" in pomona(*arguments("killed"), env={**first.env, "AWS_ENDPOINT_URL": s3.url})
    assert f"killed/{LOCK}" not in s3.keys("tables", "killed")


def test_a_silent_job_is_replaced_and_then_ends(s3, tmp_path):
    """Two minutes without a word, by the server's clock; here by the file's time."""
    if s3.name != "versitygw":
        pytest.skip("needs a bucket that is a folder")
    there = {**s3.env, "XDG_STATE_HOME": str(tmp_path / "two")}
    with Job(s3, tmp_path, "silent") as first:
        first.process.send_signal(signal.SIGSTOP)
        lock = s3.root / "tables" / "silent" / LOCK
        past = time.time() - 115
        os.utime(lock, (past, past))
        assert "run this again in" in pomona(*arguments("silent"), env=there, code=1)
        os.utime(lock, (past - 10, past - 10))
        assert "24 rows" in pomona(*arguments("silent"), env=there)
        written = s3.client.head_object(Bucket="tables", Key="silent/features.parquet")["LastModified"]
        first.proxy.script = lambda head: None
        first.process.send_signal(signal.SIGCONT)
        said = first.process.communicate(timeout=120)[1]
        assert first.process.returncode == 1 and "another pomona has taken the destination" in said, said
    assert s3.client.head_object(Bucket="tables", Key="silent/features.parquet")["LastModified"] == written
    assert len(pd.read_parquet(io.BytesIO(s3.get("tables", "silent/features.parquet")))) == 24


def test_a_store_that_ignores_conditions_is_told_of(s3, tmp_path):
    seen = []

    def script(head):
        if b"if-none-match" in head.lower():
            seen.append(head)
        return answer(b"200 OK", b"", b'ETag: "x"\r\n') if len(seen) > 1 and b"if-none-match" in head.lower() else None
    with FaultProxy(s3.port, 1, 0) as proxy:
        proxy.script = script
        said = pomona(*arguments("loose"), env={**s3.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"})
    assert "no conditional writes" in said and "24 rows" in said and len(seen) == 2
