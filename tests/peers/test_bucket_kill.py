"""SIGKILL at random moments of one job from bucket to bucket, through every phase of it: the tables end as those of an undisturbed run, and
what was recorded is not read again. POMONA_KILLS says how often."""
import io
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402

KILLS = int(os.environ.get("POMONA_KILLS", 6))
PHOTOS = 400
TABLES = ("features", "errors", "projection", "pca")


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    if not (servers.SERVERS / "versitygw").exists():
        pytest.skip(".deps/servers/versitygw is not there")
    with servers.versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        for bucket in ("photos", "tables"):
            server.client.create_bucket(Bucket=bucket)
        for i in range(PHOTOS):
            data = io.BytesIO()
            photograph(i % 60, (40, 30)).save(data, "JPEG")
            server.put("photos", f"{i % 7}/{i:03}.jpg", data.getvalue())
        server.port = int(server.url.rsplit(":", 1)[1])
        yield server


def tables(server, dest):
    return [server.get("tables", f"{dest}/{name}.parquet") for name in TABLES]


def test_kills(s3):
    args = lambda dest: [BINARY, "features", "s3://photos", "-o", f"s3://tables/{dest}", *PIXELS, "--pca", "3", "--quiet"]  # noqa: E731
    reads = [0]

    def count(head):
        reads[0] += bool(re.match(rb"GET /photos/\S+\.jpg", head))
    with FaultProxy(s3.port, 1, 0) as proxy:
        proxy.script = count
        env = {**s3.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
        begun = time.time()
        pomona(*args("whole")[1:], env=env)
        whole = time.time() - begun
        chance, killed, finished = random.Random(2), 0, 0
        reads[0] = 0
        while killed < KILLS:
            job = subprocess.Popen(args("killed"), env=env)
            try:
                job.wait(timeout=chance.uniform(0, whole * 1.1))
                assert job.returncode == 0
                finished += 1
                assert tables(s3, "killed") == tables(s3, "whole")
                for i in chance.sample(range(PHOTOS), 200):  # written anew, so that the next run has work again
                    key = f"{i % 7}/{i:03}.jpg"
                    s3.put("photos", key, s3.get("photos", key) + b"\0" * killed)
            except subprocess.TimeoutExpired:
                job.kill()
                job.wait()
                killed += 1
        pomona(*args("killed")[1:], env=env)
    assert tables(s3, "killed") == tables(s3, "whole")
    assert "killed/.pomona/lock" not in s3.keys("tables", "killed/")
    assert reads[0] <= PHOTOS + 200 * finished + 300 * killed  # what was in flight is read twice, no more
    print(f"{killed} kills, {finished} finished in between, {reads[0]} reads")
