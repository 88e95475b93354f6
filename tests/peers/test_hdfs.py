"""pomona features from and to HDFS: a NameNode and a DataNode of Hadoop, by WebHDFS."""
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import DENIED  # noqa: E402
from test_lease import (  # noqa: E402, F401
    Hdfs, filled, test_a_killed_job_goes_on_at_once_where_it_ran, test_a_silent_job_is_replaced_and_then_ends, test_pca_is_refused_as_well,
    test_the_second_of_two_is_refused)

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "hadoop").exists(), reason=".deps/servers/hadoop is not there")

ODD = ["a b.jpg", "a+b.jpg", "a%20b.jpg", "100%.jpg", "a/b.jpg", "a.jpg", "a-/b.jpg", "a!/b/c.jpg", "ä/ö €.jpg", "苹果/🍎.jpg", "q?x=1&y#z.jpg",
       "a'\"b.jpg", "a;b=c.jpg", ".hidden/a.jpg"]


def jpeg(seed):
    data = io.BytesIO()
    photograph(seed).save(data, "JPEG")
    return data.getvalue()


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory):
    with servers.hadoop(tmp_path_factory.mktemp("hadoop")) as server:
        for i in range(12):
            server.put(f"/photos/set one/{('apple', 'cherry red', 'tomato')[i % 3]}/{i:02}.jpg", jpeg(i))
        yield server


@pytest.fixture(scope="module")
def place(hdfs):
    """For the tests of leases, which are imported."""
    return filled(Hdfs(hdfs))


def table(server, path):
    return pd.read_parquet(io.BytesIO(server.get(path)))


def vectors(rows, column="features"):
    return [list(a) for a in rows[column]]


def test_from_hdfs_to_hdfs(hdfs, tmp_path):
    args = (*PIXELS, "--pca", 2)
    source = hdfs.uri("/photos/set one")
    pomona("features", source, "-o", hdfs.uri("/tables/first"), *args, env=hdfs.env)
    assert hdfs.names("/tables/first") == [
        ".pomona", "errors.parquet", "features.parquet", "pca.parquet", "projection.parquet", "run.json"]
    rows = table(hdfs, "/tables/first/features.parquet")
    for i, path in enumerate(rows.path):
        name = path.removeprefix(source)
        (tmp_path / "photos" / name[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name[1:]).write_bytes(hdfs.get("/photos/set one" + name))
    assert len(rows) == 12
    pomona("features", tmp_path / "photos", "-o", tmp_path / "out", *args)
    for name, column in (("features", "features"), ("pca", "pca_features")):
        local, remote = pd.read_parquet(tmp_path / "out" / f"{name}.parquet"), table(hdfs, f"/tables/first/{name}.parquet")
        assert vectors(local, column) == vectors(remote, column) and list(local.label) == list(remote.label)
    assert "up to date" in pomona("features", source + "/", "-o", hdfs.uri("/tables/first/"), *args, env=hdfs.env)


def test_one_file(hdfs):
    pomona("features", hdfs.uri("/photos/set one/apple/00.jpg"), "-o", hdfs.uri("/tables/one"), *PIXELS, env=hdfs.env)
    assert list(table(hdfs, "/tables/one/features.parquet").path) == [hdfs.uri("/photos/set one/apple/00.jpg")]


def test_odd_names(hdfs):
    """In folders of more than one batch (of 3, here), in byte order of path."""
    for i, name in enumerate(ODD):
        hdfs.put(f"/odd/{name}", jpeg(i))
    pomona("features", hdfs.uri("/odd"), "-o", hdfs.uri("/tables/o d+d %41/ü"), *PIXELS, env=hdfs.env)
    rows = table(hdfs, "/tables/o d+d %41/ü/features.parquet")
    assert list(rows.path) == sorted((hdfs.uri(f"/odd/{name}") for name in ODD if name[0] != "."), key=str.encode)
    assert len(table(hdfs, "/tables/o d+d %41/ü/errors.parquet")) == 0


def test_only_what_changed_is_read(hdfs):
    def run(dest):
        return pomona("features", hdfs.uri("/delta"), "-o", hdfs.uri(dest), *PIXELS, env=hdfs.env)
    for i in range(4):
        hdfs.put(f"/delta/{i}.jpg", jpeg(i))
    run("/tables/delta")
    hdfs.put("/delta/1.jpg", jpeg(11))
    hdfs.put("/delta/5.jpg", jpeg(5))
    hdfs.remove("/delta/3.jpg")
    assert "2 carried over, 1 dropped" in run("/tables/delta")
    run("/tables/fresh")
    rows, fresh = table(hdfs, "/tables/delta/features.parquet"), table(hdfs, "/tables/fresh/features.parquet")
    assert list(rows.path) == list(fresh.path) == [hdfs.uri(f"/delta/{i}.jpg") for i in (0, 1, 2, 5)]
    assert vectors(rows) == vectors(fresh)


def test_another_machine_continues(hdfs, tmp_path):
    args = ("features", hdfs.uri("/moving"), "-o", hdfs.uri("/tables/moving"), *PIXELS)
    here, there = ({**hdfs.env, "XDG_STATE_HOME": str(tmp_path / name)} for name in ("here", "there"))
    for i in range(4):
        hdfs.put(f"/moving/{i}.jpg", jpeg(i))
    pomona(*args, env=here)
    assert "up to date" in pomona(*args, env=there)
    hdfs.put("/moving/7.jpg", jpeg(7))
    assert "4 carried over" in pomona(*args, env=there)


def test_a_folder_that_may_not_be_read_is_told(hdfs):
    for i, name in enumerate(("a", "b", "c")):
        hdfs.put(f"/partly/{name}/{i}.jpg", jpeg(i))
    hdfs.superuser("PUT", "/partly/b", "SETOWNER", owner="other")
    hdfs.superuser("PUT", "/partly/b", "SETPERMISSION", permission="700")
    pomona("features", hdfs.uri("/partly"), "-o", hdfs.uri("/tables/partly"), *PIXELS, env=hdfs.env, code=2)
    errors = table(hdfs, "/tables/partly/errors.parquet")
    assert list(errors.path) == [hdfs.uri("/partly/b/")] and "(LISTSTATUS_BATCH as pomona at" in errors.cause[0]
    assert len(table(hdfs, "/tables/partly/features.parquet")) == 2


def test_access_that_is_denied(hdfs):
    """From the very start, and of every file: the same words as for s3://, and who, what permission and what to do."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: hdfs.put(f"/denied/{i:02}.jpg", jpeg(i), permission="000"), range(40)))
    job = ("features", hdfs.uri("/denied"), "-o", hdfs.uri("/tables/denied"), *PIXELS)
    said = pomona(*job, env=hdfs.env, code=1)
    for words in (*DENIED, "(OPEN as pomona at", "so it was with the 31 asked for before", "--retry-failed"):
        assert words in said, said
    hdfs.superuser("PUT", "/denied", "SETOWNER", owner="other")
    hdfs.superuser("PUT", "/denied", "SETPERMISSION", permission="700")
    said = pomona(*job, env=hdfs.env, code=1)
    for words in (*DENIED, "(LISTSTATUS_BATCH as pomona at", "Permission denied: user=pomona"):
        assert words in said, said
    assert "run.json" not in hdfs.names("/tables/denied")


def test_doctor(hdfs):
    done = subprocess.run([BINARY, "doctor", hdfs.uri("/tables")], env=hdfs.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("not encrypted on its way", "an object was written", "and removed again"):
        assert words in done.stdout + done.stderr


def test_failures_say_what_to_do(hdfs):
    def said(source, dest="/tables/no", **env):
        return pomona("features", source, "-o", hdfs.uri(dest), *PIXELS, env={**hdfs.env, **env}, code=1)
    assert f"{hdfs.uri('/nothing-here')} is not there" in said(hdfs.uri("/nothing-here"))
    assert "in 5 attempts" in said("hdfs://127.0.0.1:1/photos")
    assert "names no NameNode" in said("hdfs:///photos")
    assert "is not WebHDFS: the port must be the NameNode's web port" in said(f"hdfs://127.0.0.1:{hdfs.rpc}/photos")
    hdfs.superuser("PUT", "/closed", "MKDIRS", permission="755")
    told = said(hdfs.uri("/photos"), "/closed/tables")
    assert all(words in told for words in (*DENIED, "(MKDIRS as pomona at", "Permission denied: user=pomona, access=WRITE")), told
    told = said(hdfs.uri("/photos"), HADOOP_DELEGATION_TOKEN="c2VjcmV0LW9mLXRoZS10ZXN0")
    assert "HADOOP_DELEGATION_TOKEN" in told and "c2VjcmV0" not in told
