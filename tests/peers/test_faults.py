"""Random fault scripts between pomona and its buckets: the tables are those of an undisturbed run, or the job ends with a clear message,
nothing half written, and continues. POMONA_FAULT_SCRIPTS says how many; they wait most of the time, so several are played at once."""
import io
import os
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph  # noqa: E402
import servers  # noqa: E402
from fault_proxy import KINDS, FaultProxy  # noqa: E402

SCRIPTS = int(os.environ.get("POMONA_FAULT_SCRIPTS", 8))
AT_ONCE = 12
PHOTOS = 150
TABLES = ("features", "pca", "errors")

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "minio").exists(), reason=".deps/servers/minio is not there")


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with servers.minio(tmp_path_factory.mktemp("minio")) as server:
        for bucket in ("photos", "tables"):
            server.client.create_bucket(Bucket=bucket)
        for i in range(PHOTOS):
            data = io.BytesIO()
            photograph(i, (40, 30)).save(data, "JPEG")
            server.put("photos", f"{i % 7}/{i:03}.jpg", data.getvalue())
        server.port = int(server.url.rsplit(":", 1)[1])
        yield server


def run(server, dest, env):
    args = [BINARY, "features", "s3://photos", "-o", f"s3://tables/{dest}", *PIXELS, "--pca", "2"]
    return subprocess.run(args, env=env, capture_output=True, text=True, errors="replace", timeout=280)


def table(server, dest, name):
    return pd.read_parquet(io.BytesIO(server.get("tables", f"{dest}/{name}.parquet")))


def same(a, b):
    return len(a) == len(b) and all((a[c].map(str) == b[c].map(str)).all() for c in a)


class Script:
    """What is played, by a seed: which kinds of faults in which share of the requests, whether credentials are renewed when they expire, and
    whether the region is known."""

    def __init__(self, server, seed):
        chance = random.Random(seed)
        self.server, self.seed, self.dest = server, seed, f"seed-{seed}"
        self.kinds = chance.sample(KINDS, chance.randint(1, len(KINDS)))
        self.share = chance.choice((0.02, 0.05, 0.1, 0.2))
        self.renewed = chance.random() < 0.7
        self.region = chance.choice((servers.REGION, "us-west-9"))

    def play(self):
        """How the run under faults ended, and the last one."""
        with FaultProxy(self.server.port, self.seed, self.share, self.kinds, servers.REGION, self.server.session) as proxy:
            at = f"http://127.0.0.1:{proxy.port}"
            env = {**self.server.env, "AWS_ENDPOINT_URL": at, "AWS_REGION": self.region}
            if self.renewed:
                env = {k: v for k, v in env.items() if k not in servers.KEYS} | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": at + "/credentials"}
            else:
                given = proxy.give_credentials()
                env |= dict(zip((*servers.KEYS, "AWS_SESSION_TOKEN"), (given["AccessKeyId"], given["SecretAccessKey"], given["Token"])))
            self.first = self.last = run(self.server, self.dest, env)
        self.played = Counter(proxy.played)
        if self.first.returncode != 0:
            self.left = self.server.keys("tables", self.dest + "/")
            for name in TABLES:
                if f"{self.dest}/{name}.parquet" in self.left:
                    table(self.server, self.dest, name)
            self.last = run(self.server, self.dest, self.server.env)
        return self

    def __repr__(self):
        return f"{self.seed}: {self.kinds} {self.share} renewed={self.renewed} {self.region} {dict(self.played)}"


@pytest.fixture(scope="module")
def clean(s3):
    done = run(s3, "clean", s3.env)
    assert done.returncode == 0, done.stderr
    return {name: table(s3, "clean", name) for name in TABLES}


@pytest.fixture(scope="module")
def scripts(s3, clean):
    pool = ThreadPoolExecutor(AT_ONCE)
    yield [pool.submit(Script(s3, seed).play) for seed in range(SCRIPTS)]
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("seed", range(SCRIPTS))
def test_a_script(s3, clean, scripts, seed):
    script = scripts[seed].result()
    if script.first.returncode != 0:
        assert script.first.returncode == 1 and "s3://" in script.first.stderr, (script, script.first.stderr)
        assert f"{script.dest}/run.json" not in script.left
    assert script.last.returncode == 0, (script, script.last.stderr)
    for name in TABLES:
        assert same(table(s3, script.dest, name), clean[name]), (script, name)


def test_what_was_played(scripts):
    done = [script.result() for script in scripts]
    played = sum((script.played for script in done), Counter())
    ended = sorted({script.first.stderr.splitlines()[-1] for script in done if script.first.returncode})
    print(f"{len(done)} scripts, {sum(script.first.returncode == 0 for script in done)} finished in spite of {dict(played)}", *ended, sep="\n")
    assert len(done) < 100 or set(played) > set(KINDS)
