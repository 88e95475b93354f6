"""pomona doctor, ls and verify on buckets of a real server."""
import io
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "versitygw").exists(), reason=".deps/servers/versitygw is not there")


def run(s3, *args, code=0, **env):
    done = subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, timeout=60, env={**s3.env, **env})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def line(out, topic):
    return next(l for l in out.splitlines() if l.split()[1:2] == [topic])


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with servers.versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        for bucket in ("photos", "tables"):
            server.client.create_bucket(Bucket=bucket)
        for i in range(12):
            data = io.BytesIO()
            photograph(i).save(data, "JPEG")
            server.put("photos", f"apple/{i:02}.jpg", data.getvalue())
        yield server


def test_all_is_well(s3):
    out = run(s3, "doctor", "s3://photos", "s3://tables/new")
    for topic in ("identity", "region", "clock", "public", "list", "get", "multipart", "put", "delete"):
        assert line(out, topic).split()[0] in ("ok", "note"), out
    assert "TEST" in line(out, "identity") and servers.KEYS["AWS_SECRET_ACCESS_KEY"] not in out
    assert s3.keys("tables") == [] and len(s3.keys("photos")) == 12
    assert s3.client.list_multipart_uploads(Bucket="tables").get("Uploads", []) == []
    assert "put" not in run(s3, "doctor", "--read-only", "s3://photos").split("s3://photos")[-1]


def test_what_is_wrong_is_said(s3):
    assert "does not know this access key" in line(run(s3, "doctor", "s3://photos", code=1, AWS_ACCESS_KEY_ID="AKIDNOBODY"), "open")
    assert "there is no such bucket" in run(s3, "doctor", "s3://nothing", code=1)
    assert "BAD" in run(s3, "doctor", "s3://photos", code=1, AWS_ENDPOINT_URL="http://127.0.0.1:1")


def test_ls_and_verify(s3):
    rows = [l.split("\t") for l in run(s3, "ls", "-l", "s3a://photos").splitlines()]
    assert [r[2] for r in rows] == [f"s3://photos/{k}" for k in s3.keys("photos")] and rows[0][1].startswith('"')
    pomona("features", "s3://photos", "-o", "s3://tables/out", *PIXELS, env=s3.env)
    assert run(s3, "verify", "s3://tables/out", "-n", 12) == ""
    data = io.BytesIO()
    photograph(99).save(data, "JPEG")
    s3.put("photos", "apple/03.jpg", data.getvalue())
    s3.client.delete_object(Bucket="photos", Key="apple/05.jpg")
    elsewhere = Path(s3.env["XDG_STATE_HOME"]) / "elsewhere"
    out = run(s3, "verify", "s3://tables/out", "-n", 12, code=2)
    assert run(s3, "verify", "s3://tables/out", "-n", 12, code=2, XDG_STATE_HOME=str(elsewhere)) == out
    assert [p for p in elsewhere.rglob("*") if p.is_file()] == []
    assert [l.split("\t")[:2] for l in out.splitlines()] == [["changed", "s3://photos/apple/03.jpg"], ["gone", "s3://photos/apple/05.jpg"]]


def test_plan(s3):
    said = {l.split()[0]: l for l in run(s3, "plan", "s3://photos", "-o", "s3://tables/planned", *PIXELS, "--sample", 4).splitlines()}
    n = len(s3.keys("photos"))
    assert f" {n}, " in said["images"] and "one read takes" in said["sample"]
    assert f"{n} get, 10 put" in said["requests"] and "of c7i $" in said["cost"] and s3.keys("tables", "planned") == []


def test_eu_only(s3):
    quiet = {"NO_GCE_CHECK": "1"}
    assert run(s3, "ls", "--eu-only", "s3://photos", **quiet)
    done = subprocess.run([BINARY, "features", "s3://photos", "-o", "s3://tables/eu", *PIXELS, "--eu-only"], capture_output=True,
                          text=True, env={**s3.env, **quiet, "AWS_REGION": servers.REGION})
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not (servers.SERVERS / "fake-gcs-server").exists(), reason=".deps/servers/fake-gcs-server is not there")
def test_google(tmp_path):
    with servers.fake_gcs(tmp_path) as gcs:
        for bucket in ("photos", "tables"):
            gcs.create(bucket)
        for i in range(6):
            data = io.BytesIO()
            photograph(i).save(data, "JPEG")
            gcs.put("photos", f"apple/{i:02}.jpg", data.getvalue())
        out = run(gcs, "doctor", "gs://photos", "gs://tables/new")
        for topic in ("identity", "region", "list", "get", "put", "delete"):
            assert line(out, topic).split()[0] in ("ok", "note"), out
        pomona("features", "gs://photos", "-o", "gs://tables/out", *PIXELS, env=gcs.env)
        assert run(gcs, "verify", "gs://tables/out") == ""
        away = {"NO_GCE_CHECK": "1", "AWS_EC2_METADATA_DISABLED": "true"}
        assert run(gcs, "ls", "gs://photos", "--eu-only=us-central1", **away).count("\n") == 6
        done = subprocess.run([BINARY, "ls", "gs://photos", "--eu-only"], capture_output=True, text=True, env={**gcs.env, **away})
        assert done.returncode == 1 and "is in US-CENTRAL1, outside the member states of the EU" in done.stderr


def test_secrets_stay_secret(s3):
    """In what is printed, good or bad, and in what is written."""
    secrets = (servers.KEYS["AWS_SECRET_ACCESS_KEY"], "a-wrong-secret", "a-session-token", servers.KEYS["AWS_ACCESS_KEY_ID"])
    said = ""
    for env in ({}, {"AWS_SECRET_ACCESS_KEY": "a-wrong-secret"}, {"AWS_SESSION_TOKEN": "a-session-token"},
                {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}):
        for args in (["ls", "s3://photos"], ["doctor", "s3://tables/x"], ["plan", "s3://photos", *PIXELS], ["config"],
                     ["features", "s3://photos", "-o", "s3://tables/secrets", *PIXELS]):
            done = subprocess.run([BINARY, *args], capture_output=True, text=True, env={**s3.env, **env}, timeout=120)
            said += done.stdout + done.stderr
    said += s3.get("tables", "secrets/run.json").decode() + s3.get("tables", "secrets/.pomona/manifest.sqlite").decode(errors="replace")
    assert "signature is wrong" in said and [s for s in secrets if s in said] == []


def test_pca_from_a_bucket(s3, tmp_path):
    """A table, the folder of a run, and a projection there: the same files as from local copies, and no copy is left behind."""
    pomona("features", "s3://photos", "-o", "s3://tables/wide", *PIXELS, "--pca", 3, env=s3.env)
    for name in ("features.parquet", "projection.parquet"):
        (tmp_path / name).write_bytes(s3.get("tables", f"wide/{name}"))
    for there, here in ((("s3://tables/wide/features.parquet", "--pca", 2), (tmp_path / "features.parquet", "--pca", 2)),
                        (("s3://tables/wide", "--projection", "s3://tables/wide"),
                         (tmp_path / "features.parquet", "--projection", tmp_path / "projection.parquet"))):
        pomona("pca", *there, "-o", tmp_path / "there", env=s3.env)
        pomona("pca", *here, "-o", tmp_path / "here")
        for name in ("pca.parquet", "projection.parquet"):
            assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
        assert not (tmp_path / "there" / ".pomona").exists()
    pomona("pca", "s3://tables/wide", "-o", "s3://tables/narrow", "--pca", 2, env=s3.env)
    assert s3.keys("tables", "narrow/") == ["narrow/pca.parquet", "narrow/projection.parquet"]
    assert not list(Path(s3.env["XDG_STATE_HOME"]).glob("pomona/jobs/*/fetched-table*"))
    assert "there is no features.parquet in s3://photos/" in pomona("pca", "s3://photos", "-o", tmp_path / "none", env=s3.env, code=1)
    assert not (tmp_path / "none").exists()
