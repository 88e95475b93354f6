"""Random fault scripts between pomona and its buckets: the tables are those of an undisturbed run, or the job ends with a clear message,
nothing half written, and continues."""
import io
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph  # noqa: E402
import servers  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402

SCRIPTS = int(os.environ.get("POMONA_FAULT_SCRIPTS", 6))
PHOTOS = 150

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "versitygw").exists(), reason=".deps/servers/versitygw is not there")


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with servers.versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        for bucket in ("photos", "tables"):
            server.client.create_bucket(Bucket=bucket)
        for i in range(PHOTOS):
            data = io.BytesIO()
            photograph(i, (40, 30)).save(data, "JPEG")
            server.put("photos", f"{i % 7}/{i:03}.jpg", data.getvalue())
        server.port = int(server.url.rsplit(":", 1)[1])
        yield server


def run(server, dest, **env):
    args = [BINARY, "features", "s3://photos", "-o", f"s3://tables/{dest}", *PIXELS, "--pca", "2"]
    return subprocess.run(args, env={**server.env, **env}, capture_output=True, text=True, errors="replace", timeout=280)


def tables(server, dest):
    return {name: pd.read_parquet(io.BytesIO(server.get("tables", f"{dest}/{name}.parquet"))) for name in ("features", "pca", "errors")}


def same(a, b):
    return all(len(a[n]) == len(b[n]) and all((a[n][c].map(str) == b[n][c].map(str)).all() for c in a[n]) for n in a)


@pytest.mark.parametrize("seed", range(SCRIPTS))
def test_a_script(s3, seed):
    if "clean/run.json" not in s3.keys("tables", "clean/"):
        done = run(s3, "clean")
        assert done.returncode == 0, done.stderr
    share = (0.02, 0.05, 0.1, 0.2)[seed % 4]
    dest = f"seed-{seed}"
    with FaultProxy(s3.port, seed, share) as proxy:
        done = run(s3, dest, AWS_ENDPOINT_URL=f"http://127.0.0.1:{proxy.port}")
    if done.returncode != 0:
        assert done.returncode == 1 and "s3://" in done.stderr, done.stderr
        assert f"{dest}/run.json" not in s3.keys("tables", dest + "/")
        done = run(s3, dest)
    assert done.returncode == 0, done.stderr
    assert same(tables(s3, dest), tables(s3, "clean")), proxy.played
