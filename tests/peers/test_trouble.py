"""What goes wrong outside of pomona while a job reads from and writes to a bucket: it ends with a word that helps, nothing is lost, and the
same command continues."""
import io
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import FaultProxy, refusal  # noqa: E402

PHOTOS = 600
PHOTO = re.compile(rb"(GET|HEAD) /photos/\S+\.jpg")

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "versitygw").exists(), reason=".deps/servers/versitygw is not there")


def jpeg(seed):
    data = io.BytesIO()
    photograph(seed, (40, 30)).save(data, "JPEG")
    return data.getvalue()


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with servers.versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        for bucket in ("photos", "tables"):
            server.client.create_bucket(Bucket=bucket)
        for i in range(PHOTOS):
            server.put("photos", f"{i % 7}/{i:03}.jpg", jpeg(i % 50))
        server.port = int(server.url.rsplit(":", 1)[1])
        yield server


def arguments(dest, *more):
    return "features", "s3://photos", "-o", dest if "/" in str(dest) else f"s3://tables/{dest}", *PIXELS, *more


def scripted(server, script, dest, *more, code):
    with FaultProxy(server.port, 1, 0) as proxy:
        proxy.script = script
        return pomona(*arguments(dest, *more), env={**server.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}, code=code)


def errors(server, dest):
    return pd.read_parquet(io.BytesIO(server.get("tables", f"{dest}/errors.parquet")))


def test_a_permission_withdrawn_on_the_way(s3):
    """After 200 images every one is refused, those read before too."""
    reads = []

    def script(head):
        if PHOTO.match(head):
            reads.append(head)
        return refusal(b"403 Forbidden", b"AccessDenied") if PHOTO.match(head) and len(reads) > 200 else None
    said = scripted(s3, script, "withdrawn", code=1)
    assert "access is denied" in said and "the permission was withdrawn" in said and "the same command continues" in said
    assert len(reads) < 2 * PHOTOS - 200 - 50  # not every image was tried, though each refusal was looked into
    assert s3.keys("tables", "withdrawn/") == []
    said = pomona(*arguments("withdrawn"), env=s3.env)
    assert f"{PHOTOS} rows" in said and len(errors(s3, "withdrawn")) == 0
    assert re.search(r"\d+ carried over", said)


def test_a_single_object_that_may_not_be_read_is_a_row_of_errors(s3):
    said = scripted(s3, lambda head: refusal(b"403 Forbidden", b"AccessDenied") if b"/042.jpg" in head else None, "single", code=2)
    assert f"{PHOTOS - 1} rows" in said
    assert list(errors(s3, "single").path) == ["s3://photos/0/042.jpg"]


def test_none_that_may_be_read(s3):
    said = scripted(s3, lambda head: refusal(b"403 Forbidden", b"AccessDenied") if PHOTO.match(head) else None, "none", code=1)
    assert "may list the bucket, but not read it (s3:GetObject)" in said
    assert f"{PHOTOS} rows" in pomona(*arguments("none", "--retry-failed"), env=s3.env)
