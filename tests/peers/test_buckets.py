"""pomona features from and to buckets, on servers that check every signature."""
import io
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "versitygw").exists(), reason=".deps/servers/versitygw is not there")


def jpeg(seed):
    data = io.BytesIO()
    photograph(seed).save(data, "JPEG")
    return data.getvalue()


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with servers.versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        server.client.create_bucket(Bucket="photos")
        server.client.create_bucket(Bucket="tables")
        for i in range(24):
            server.put("photos", f"set one/{('apple', 'cherry red', 'tomato')[i % 3]}/{i:02}.jpg", jpeg(i))
        yield server


def table(server, key):
    return pd.read_parquet(io.BytesIO(server.get("tables", key)))


def test_from_bucket_to_bucket(s3):
    pomona("features", "s3a://photos/set one", "-o", "s3://tables/first", *PIXELS, "--pca", 2, env=s3.env)
    assert s3.keys("tables", "first/") == [f"first/{n}" for n in (
        "errors.parquet", "features.parquet", "pca.parquet", "projection.parquet", "run.json")]
    rows = table(s3, "first/features.parquet")
    assert list(rows.path) == [f"s3://photos/{k}" for k in s3.keys("photos")]
    assert set(rows.label) == {"apple", "cherry red", "tomato"}
    assert "up to date" in pomona("features", "s3://photos/set one/", "-o", "s3://tables/first/", *PIXELS, "--pca", 2, env=s3.env)


def test_failures_say_what_to_do(s3):
    def said(env, *args):
        return pomona("features", *args, "-o", "s3://tables/no", *PIXELS, env={**s3.env, **env}, code=1)
    assert "the secret key does not belong to this access key" in said({"AWS_SECRET_ACCESS_KEY": "wrong"}, "s3://photos")
    assert "does not know this access key" in said({"AWS_ACCESS_KEY_ID": "AKIDNOBODY"}, "s3://photos")
    assert "there is no such bucket" in said({}, "s3://nothing-here")
    assert "s3://photos/none is no object" in said({}, "s3://photos/none")
    assert "in 5 attempts" in said({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "s3://photos")
    assert s3.keys("tables", "no") == []
