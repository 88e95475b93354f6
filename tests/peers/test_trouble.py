"""What goes wrong outside of pomona while a job reads from and writes to a bucket: it ends with a word that helps, nothing is lost, and the
same command continues."""
import io
import os
import re
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import DENIED, WAIT, FaultProxy, refusal  # noqa: E402

PHOTOS = 600
FAKETIME = list(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
PHOTO = re.compile(rb"(GET|HEAD) /photos/\S+\.jpg")

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "versitygw").exists(), reason=".deps/servers/versitygw is not there")


def jpeg(seed):
    data = io.BytesIO()
    photograph(seed, (40, 30)).save(data, "JPEG")
    return data.getvalue()


def fill(server, names):
    for bucket in ("photos", "tables"):
        server.client.create_bucket(Bucket=bucket)
    for i, name in enumerate(names):
        server.put("photos", name, jpeg(i % 50))


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with servers.versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        fill(server, [f"{i % 7}/{i:03}.jpg" for i in range(PHOTOS)])
        server.port = int(server.url.rsplit(":", 1)[1])
        yield server


def arguments(dest, *more, source="s3://photos"):
    return "features", source, "-o", dest if "/" in str(dest) else f"s3://tables/{dest}", *PIXELS, *more


def scripted(server, script, dest, *more, code, source="s3://photos"):
    with FaultProxy(server.port, 1, 0) as proxy:
        proxy.script = script
        return pomona(*arguments(dest, *more, source=source), env={**server.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}, code=code)


def errors(server, dest):
    return pd.read_parquet(io.BytesIO(server.get("tables", f"{dest}/errors.parquet")))


def test_a_permission_withdrawn_on_the_way(s3):
    """After 200 images every one is refused, those read before too: what waits for its turn then is not asked for any more."""
    many, most_at_once = 4 * PHOTOS, 512
    s3.client.create_bucket(Bucket="many")
    for i in range(many):
        link = s3.root / "many" / f"{i % 7}" / f"{i:04}.jpg"
        link.parent.mkdir(exist_ok=True)
        os.link(s3.root / "photos" / f"{i % PHOTOS % 7}" / f"{i % PHOTOS:03}.jpg", link)
    asked, looked_into, refuse_from = set(), [], []

    def script(head):
        photo = re.match(rb"(GET|HEAD) /many/(\S+\.jpg)", head)
        if not photo or (len(asked) < 200 and not refuse_from):
            asked.update([photo[2]] if photo else [])
            return None
        refuse_from.append(time.time() + 0.5)  # by then the 200 have come, and as many are under way as may be
        if time.time() < refuse_from[0]:
            return WAIT
        (asked.add if photo[1] == b"GET" else looked_into.append)(photo[2])
        return refusal(b"403 Forbidden", b"AccessDenied")
    said = scripted(s3, script, "withdrawn", source="s3://many", code=1)
    assert "access is denied" in said and "the permission was withdrawn" in said and "the same command continues" in said
    assert 200 < len(asked) <= 200 + 2 * most_at_once < many * 0.6  # those under way, and what took their turn until one was looked into
    assert 0 < len(looked_into) <= len(asked) - 200
    assert s3.keys("tables", "withdrawn/") == []
    said = pomona(*arguments("withdrawn", source="s3://many"), env=s3.env)
    assert f"{many:,} rows" in said and len(errors(s3, "withdrawn")) == 0
    assert re.search(r"\d+ carried over", said)


@pytest.mark.parametrize("name", ["versitygw", "minio"])
def test_a_user_removed_on_the_way(name, tmp_path):
    """The server itself forgets who asks; the same command with the keys of another reads what is not recorded, and nothing else."""
    if not (servers.SERVERS / name).exists():
        pytest.skip(f".deps/servers/{name} is not there")
    reads = []

    def script(head):
        if PHOTO.match(head):
            reads.append(PHOTO.match(head)[0])
            if len(reads) == 200:
                server.remove_user("someone")
    with getattr(servers, name)(tmp_path) as server, FaultProxy(int(server.url.rsplit(":", 1)[1]), 1, 0) as proxy:
        fill(server, [f"{i:03}.jpg" for i in range(300)])
        server.add_user("someone", "some-secret")
        proxy.script = script
        env = {**server.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
        said = pomona(*arguments("out"), env={**env, "AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "some-secret"}, code=1)
        assert "the store does not know this access key" in said and "some-secret" not in said
        assert set(server.keys("tables")) <= {"out/.pomona/lock"}  # which could not be removed, and stops nobody who continues here
        reads.clear()
        said = pomona(*arguments("out"), env=env)
        carried = int(re.search(r"(\d+) carried over", said)[1])
        assert "300 rows" in said and carried > 0 and len(set(reads)) == 300 - carried
        assert len(errors(server, "out")) == 0 and "out/.pomona/lock" not in server.keys("tables")


def test_a_single_object_that_may_not_be_read_is_a_row_of_errors(s3):
    said = scripted(s3, lambda head: refusal(b"403 Forbidden", b"AccessDenied") if b"/042.jpg" in head else None, "single", code=2)
    assert f"{PHOTOS - 1} rows" in said
    assert list(errors(s3, "single").path) == ["s3://photos/0/042.jpg"]


def test_none_that_may_be_listed(s3):
    said = scripted(s3, lambda head: refusal(b"403 Forbidden", b"AccessDenied") if b"list-type=2" in head else None, "unlisted", code=1)
    for words in (*DENIED, "(s3:ListBucket as access key ...TEST of the environment"):
        assert words in said, said


def test_none_that_may_be_read(s3):
    said = scripted(s3, lambda head: refusal(b"403 Forbidden", b"AccessDenied") if PHOTO.match(head) else None, "none", code=1)
    for words in (*DENIED, "(s3:GetObject as access key ...TEST of the environment", "so it was with the 31 asked for before", "--retry-failed"):
        assert words in said, said
    assert f"{PHOTOS} rows" in pomona(*arguments("none", "--retry-failed"), env=s3.env)


def test_a_clock_that_is_wrong_is_told_by_how_much(s3):
    late = formatdate(time.time() + 3000, usegmt=True).encode()
    said = scripted(s3, lambda head: refusal(b"403 Forbidden", b"RequestTimeTooSkewed", b"Date: %s\r\n" % late), "skewed", code=1)
    seconds = re.search(r"clock is (\d+) s behind the store's", said)
    assert seconds and abs(int(seconds[1]) - 3000) < 30 and "set the clock" in said


def test_the_time_of_a_store_with_another_clock_is_taken_over(s3):
    """Requests whose time is not that of the store are refused; with its Date header pomona knows better."""
    refused = []

    def script(head):
        if not refused:
            refused.append(head)
            return refusal(b"403 Forbidden", b"RequestTimeTooSkewed", b"Date: %s\r\n" % formatdate(time.time() + 300, usegmt=True).encode())
        return None
    assert f"{PHOTOS} rows" in scripted(s3, script, "other-clock", code=0) and refused


class Watch(FaultProxy):
    """Counts what the server itself refuses for its time."""
    refused = 0

    async def forward(self, head, body):
        head, body = await super().forward(head, body)
        self.refused += b"<Code>RequestTimeTooSkewed</Code>" in body
        return head, body


@pytest.mark.parametrize("name", ["versitygw", "minio"])
def test_a_machine_with_a_wrong_clock(name, tmp_path):
    """By an hour, from the start and then set to another while images are read: the server refuses such requests, and no row is lost; pomona
    doctor says by how much."""
    if not (servers.SERVERS / name).exists() or not FAKETIME:
        pytest.skip(f".deps/servers/{name} or Debian's libfaketime is not there")
    clock, reads = tmp_path / "clock", []

    def script(head):
        if PHOTO.match(head):
            reads.append(head)
            if len(reads) == 200:
                clock.write_text("+3600")

    with getattr(servers, name)(tmp_path) as server, Watch(int(server.url.rsplit(":", 1)[1]), 1, 0) as proxy:
        fill(server, [f"{i:03}.jpg" for i in range(400)])
        env = {**server.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}", "LD_PRELOAD": str(FAKETIME[0]), "DONT_FAKE_MONOTONIC": "1",
               "FAKETIME_NO_CACHE": "1", "FAKETIME_TIMESTAMP_FILE": str(clock)}
        for set_to, words in (("-3600", "behind"), ("+3600", "ahead")):
            clock.write_text(set_to)
            done = subprocess.run([BINARY, "doctor", "s3://photos"], env=env, capture_output=True, text=True, timeout=60)
            told = re.search(rf"this machine's is (\d+) s {words}: signatures are refused for that; set it", done.stdout + done.stderr)
            assert told and abs(int(told[1]) - 3600) < 5, done.stdout + done.stderr
        clock.write_text("-3600")
        proxy.refused, proxy.script = 0, script
        assert "400 rows" in pomona(*arguments("out"), env=env) and len(errors(server, "out")) == 0
        assert proxy.refused > 2  # by each store that is opened, and again after the clock was set


def test_a_bucket_in_another_region(s3):
    """A 301 names it; from then on requests are signed for it, and the server here refuses what is not signed for its own."""
    told = []

    def script(head):
        if b"/us-west-9/" in head:
            told.append(head)
            return refusal(b"301 Moved Permanently", b"PermanentRedirect", b"x-amz-bucket-region: %s\r\n" % servers.REGION.encode())
        return None
    with FaultProxy(s3.port, 1, 0) as proxy:
        proxy.script = script
        env = {**s3.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}", "AWS_REGION": "us-west-9"}
        assert f"{PHOTOS} rows" in pomona(*arguments("elsewhere"), env=env)
    assert 0 < len(told) <= 4  # one for each store that is opened, not one for each image


def test_who_reads_pays_in_every_request(s3):
    heads = []
    with FaultProxy(s3.port, 1, 0) as proxy:
        proxy.script = lambda head: heads.append(head)
        env = {**s3.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}", "POMONA_REQUEST_PAYER": "true"}
        pomona(*arguments("payer"), env=env)
    assert len(heads) > PHOTOS and all(b"\r\nx-amz-request-payer: requester\r\n" in head for head in heads)
    assert all(b"x-amz-request-payer" in re.search(rb"SignedHeaders=([^,]*)", head)[1] for head in heads)


def test_a_folder_that_may_not_be_written_to(s3):
    """Said before any image is read."""
    reads = []

    def script(head):
        reads.extend([head] if PHOTO.match(head) else [])
        return refusal(b"403 Forbidden", b"AccessDenied") if head.startswith(b"PUT") else None
    said = scripted(s3, script, "read-only", code=1)
    assert "s3:PutObject" in said and "s3://tables/read-only" in said and reads == []
