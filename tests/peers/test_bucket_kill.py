"""SIGKILL at random moments of one job from bucket to bucket, through every phase of it: the tables end as those of an undisturbed run, and
what was recorded is not read again. POMONA_KILLS says how often."""
import io
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import WAIT, FaultProxy  # noqa: E402

KILLS = int(os.environ.get("POMONA_KILLS", 4))
PHOTOS = 400
RATE = 150  # images a second
WINDOW = 1.5  # seconds: a quarter between two commits, and what a busy machine adds
PHOTO = re.compile(rb"GET /photos/(\S+\.jpg)")
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


class Reads:
    """The images that the bucket has answered with, paced by a proxy so that there is a time before and after each."""

    def __init__(self):
        self.answered, self.next = [], 0.0

    def script(self, head):
        photo = PHOTO.match(head)
        if not photo:
            return None
        now = time.time()
        if now < self.next:
            return WAIT
        self.next = max(self.next, now - 0.2) + 1 / RATE
        self.answered.append(photo[1].decode())
        return None

    def take(self):
        taken, self.answered = self.answered, []
        return taken


def tables(server, dest):
    return [server.get("tables", f"{dest}/{name}.parquet") for name in TABLES]


def recorded(state, tmp_path):
    """What the manifest of a killed job knows: versions by key."""
    known = {}
    for manifest in state.glob("pomona/jobs/*/manifest.sqlite"):
        copy = tmp_path / "copy.sqlite"
        for suffix in ("", "-wal"):
            if Path(f"{manifest}{suffix}").exists():
                shutil.copy(f"{manifest}{suffix}", f"{copy}{suffix}")
        with closing(sqlite3.connect(copy)) as db:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'item'").fetchone():
                known |= {path.decode().removeprefix("s3://photos/"): version for path, version in db.execute("SELECT path, version FROM item")}
        for file in tmp_path.glob("copy.sqlite*"):
            file.unlink()
    return known


def versions(server):
    pages = server.client.get_paginator("list_objects_v2").paginate(Bucket="photos")
    return {entry["Key"]: entry["ETag"] for page in pages for entry in page["Contents"]}


def test_kills(s3, tmp_path):
    """An image whose outcome the manifest has is not read again, and it has all but those of the last moments before a kill."""
    args = lambda dest: [BINARY, "features", "s3://photos", "-o", f"s3://tables/{dest}", *PIXELS, "--pca", "3", "--quiet"]  # noqa: E731
    reads, state = Reads(), tmp_path / "state"
    with FaultProxy(s3.port, 1, 0) as proxy:
        proxy.script = reads.script
        env = {**s3.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
        begun = time.time()
        pomona(*args("whole")[1:], env=env)
        whole, env["XDG_STATE_HOME"] = time.time() - begun, str(state)
        reads.take()
        chance, killed, finished, lost = random.Random(2), 0, 0, []
        due, over = versions(s3), False
        while not over:
            job = subprocess.Popen(args("killed"), env=env)
            try:
                job.wait(timeout=chance.uniform(0, whole * 0.6) if killed < KILLS else 120)
                assert job.returncode == 0
            except subprocess.TimeoutExpired:
                job.kill()
                job.wait()
            answered, over = reads.take(), job.returncode == 0 and killed >= KILLS
            assert set(answered) <= due.keys()
            if job.returncode == 0:
                finished += 1
                assert tables(s3, "killed") == tables(s3, "whole")
                for i in chance.sample(range(PHOTOS), 0 if over else 200):  # written anew, so that the next run has work again
                    key = f"{i % 7}/{i:03}.jpg"
                    s3.put("photos", key, s3.get("photos", key) + b"\0" * finished)
            else:
                killed += 1
            old, current, known = due, versions(s3), recorded(state, tmp_path)
            due = {key: version for key, version in current.items() if known.get(key) != version}
            if job.returncode != 0:
                lost.append(sum(key in due and old[key] == due[key] for key in answered))
    assert sum(lost) <= len(lost) * RATE * WINDOW, lost
    assert "killed/.pomona/lock" not in s3.keys("tables", "killed/")
    print(f"{killed} kills, {finished} finished; of what was answered, read again: {sum(lost)}, at most {max(lost)} after a kill ({lost})")
