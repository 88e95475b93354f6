"""pomona features from and to buckets, on servers that check every signature."""
import io
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402
from fault_proxy import WAIT, FaultProxy, answer, refusal  # noqa: E402

LITE0 = Path(__file__).resolve().parents[2] / ".deps" / "models" / "efficientnet-lite0.onnx"
BENCH = BINARY.parent / "tests" / "store" / "bucketbench"


def jpeg(seed):
    data = io.BytesIO()
    photograph(seed).save(data, "JPEG")
    return data.getvalue()


@pytest.fixture(scope="module", params=["versitygw", "minio"])
def s3(request, tmp_path_factory):
    if not (servers.SERVERS / request.param).exists():
        pytest.skip(f".deps/servers/{request.param} is not there")
    with getattr(servers, request.param)(tmp_path_factory.mktemp(request.param)) as server:
        server.name = request.param
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
        ".pomona/manifest.sqlite",
        "errors.parquet", "features.parquet", "pca.parquet", "projection.parquet", "run.json")]
    rows = table(s3, "first/features.parquet")
    assert list(rows.path) == [f"s3://photos/{k}" for k in s3.keys("photos")]
    assert set(rows.label) == {"apple", "cherry red", "tomato"}
    receipt = json.loads(s3.get("tables", "first/run.json"))
    others, puts = receipt["speed"]["requests"] - 24, 10  # by AWS's prices: 24 images were read, files are written as planned
    assert receipt["cost"]["requests"] == pytest.approx((24 * 0.0004 + (others + puts) * 0.005) / 1000, abs=1e-6)
    assert receipt["cost"]["machine_name"] == "c7i" and receipt["cost"]["dollars"] > receipt["cost"]["requests"]
    assert "up to date" in pomona("features", "s3://photos/set one/", "-o", "s3://tables/first/", *PIXELS, "--pca", 2, env=s3.env)


ODD = ["a b", "a+b", "a%20b", "a%b", "a-b/1", "a.jpg/x", "a/z", "a0", "q'uo\"te", "am&p<>", "\u00e4\u4e2d/\U0001f34e", "=?#;:@,$!*()[]", "~tilde_-.x",
       "tail /in", "plus+/a+b", "back\\slash"]


def listing(server, uri, *options, code=0):
    done = subprocess.run([BENCH, uri, *options], env=server.env, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_odd_keys(s3):
    s3.client.create_bucket(Bucket="odd")
    for i, name in enumerate(ODD):
        s3.put("odd", f"in/{name}.jpg", jpeg(i))
    pomona("features", "s3://odd/in", "-o", "s3://tables/\u00e4 +%/out", *PIXELS, env=s3.env)
    rows = table(s3, "\u00e4 +%/out/features.parquet")
    assert list(rows.path) == sorted((f"s3://odd/in/{n}.jpg" for n in ODD), key=str.encode)
    assert len(table(s3, "\u00e4 +%/out/errors.parquet")) == 0


UNEASY = ["in//double.jpg", "in/a//b.jpg", "in/trailing/"]


def test_uneasy_keys(s3):
    """Keys that are no paths: neither server holds two slashes in a row (the next test, and Google's, have them); a folder's marker is passed over."""
    s3.client.create_bucket(Bucket="uneasy")
    s3.put("uneasy", "in/plain.jpg", jpeg(0))
    s3.put("uneasy", "in/plain.jpg", jpeg(0))
    for i, key in enumerate(UNEASY):
        try:
            s3.put("uneasy", key, b"" if key.endswith("/") else jpeg(i))
        except ClientError as error:
            assert s3.name == "minio" and "//" in key, error
    taken = s3.keys("uneasy", "in/")
    wanted = {"minio": ["in/plain.jpg", "in/trailing/"],  # refuses two slashes in a row
              "versitygw": ["in/a/b.jpg", "in/double.jpg", "in/plain.jpg", "in/trailing/"]}  # of files: makes one of them
    assert taken == wanted[s3.name]
    pomona("features", "s3://uneasy/in", "-o", "s3://tables/uneasy", *PIXELS, env=s3.env)
    assert list(table(s3, "uneasy/features.parquet").path) == [f"s3://uneasy/{k}" for k in taken if not k.endswith("/")]
    assert len(table(s3, "uneasy/errors.parquet")) == 0


def signature(head):
    """That of a request by botocore, and the request's own."""
    lines = head.decode().split("\r\n")
    method, target, _ = lines[0].split(" ")
    known = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if line)}
    given = re.search(r"SignedHeaders=([^,]+), *Signature=(\w+)", known["authorization"])
    request = AWSRequest(method, f"http://{known['host']}{target}", {name: known[name] for name in given[1].split(";")})
    request.context["timestamp"] = known["x-amz-date"]
    auth = S3SigV4Auth(Credentials(*servers.KEYS.values()), "s3", servers.REGION)
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request), given[2]


def test_uneasy_keys_are_asked_for_as_they_are(tmp_path):
    """No server at hand has them all, AWS does: they are listed by a script, which hears what is then asked for, and botocore signs the same."""
    entries = "".join(f"<Contents><Key>{k}</Key><Size>{0 if k.endswith('/') else len(jpeg(0))}</Size><ETag>\"e\"</ETag></Contents>"
                      for k in sorted(UNEASY, key=str.encode))
    listed = f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()
    heads = []

    def script(head):
        heads.append(head)
        return answer(b"200 OK", listed, b"Content-Type: application/xml\r\n") if b"list-type=2" in head else \
            answer(b"200 OK", jpeg(0), b'ETag: "e"\r\n')
    with FaultProxy(1, 1, 0) as proxy:
        proxy.script = script
        env = {**servers.Bucket(f"http://127.0.0.1:{proxy.port}", tmp_path).env}
        pomona("features", "s3://photos/in", "-o", tmp_path / "out", *PIXELS, env=env)
    rows = pd.read_parquet(tmp_path / "out" / "features.parquet")
    assert list(rows.path) == sorted((f"s3://photos/{k}" for k in UNEASY if not k.endswith("/")), key=str.encode)
    asked = {head.split(b" ")[1].decode() for head in heads if b"list-type=2" not in head}
    assert {f"/photos/{k}" for k in UNEASY[:2]} <= asked
    for head in heads:
        assert len(set(signature(head))) == 1, head


def test_large_tables_go_in_parts(s3, tmp_path):
    """Features beyond 16 MiB are uploaded in two parts; the table continues from there."""
    for i in range(24):
        s3.put("photos", f"large/{i:02}.jpg", jpeg(i))
    args = ("features", "s3://photos/large", "-o", "s3://tables/large", "--model", "pixels", "--size", "640")
    pomona(*args, env=s3.env)
    head = s3.client.head_object(Bucket="tables", Key="large/features.parquet")
    assert head["ContentLength"] > 16 << 20 and head["ETag"].strip('"').endswith("-2")
    before = table(s3, "large/features.parquet")
    s3.put("photos", "large/99.jpg", jpeg(99))
    assert "24 carried over" in pomona(*args, env=s3.env)
    after = table(s3, "large/features.parquet")
    assert len(after) == 25 and all((a == b).all() for a, b in zip(after.features, before.features, strict=False))
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket="tables")


@pytest.mark.parametrize("how", ["refused", "stopped", "killed"])
def test_no_part_of_an_upload_is_left(s3, how):
    """The second part is refused, or the user stops there, or the process is killed: then the next run tidies up, and leaves another's upload alone."""
    key, other = f"parts-{how}/features.parquet", s3.client.create_multipart_upload(Bucket="tables", Key=f"parts-{how}/pca.parquet")
    uploads = lambda key: s3.client.list_multipart_uploads(Bucket="tables", Prefix=key).get("Uploads", ())  # noqa: E731
    job, begun = [], []

    def script(head):
        if b"partNumber=2" not in head:
            return None
        if not begun:
            [upload] = uploads(key)
            if "Parts" not in s3.client.list_parts(Bucket="tables", Key=key, UploadId=upload["UploadId"]):
                return WAIT  # the first one: what is under way when an upload is given up may bring it back, until the next run
            begun.append(upload)
            if how != "refused":
                job[0].send_signal(signal.SIGINT if how == "stopped" else signal.SIGKILL)
        return refusal(b"403 Forbidden", b"AccessDenied") if how == "refused" else WAIT
    with FaultProxy(int(s3.url.rsplit(":", 1)[1]), 1, 0) as proxy:
        proxy.script = script
        args = ("features", "s3://photos/set one", "-o", f"s3://tables/parts-{how}", "--model", "pixels", "--size", "640")
        job.append(subprocess.Popen([BINARY, *args], env={**s3.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}))
        assert job[0].wait(120) == {"refused": 1, "stopped": 1, "killed": -signal.SIGKILL}[how]
    assert len(begun) == 1
    assert len(uploads(key)) == (how == "killed")
    assert s3.keys("tables", f"parts-{how}/f") == []
    assert "24 carried over" in pomona(*args, env=s3.env)
    assert len(table(s3, key)) == 24 and len(uploads(key)) == 0
    assert [upload["UploadId"] for upload in uploads(other["Key"])] == [other["UploadId"]]
    s3.client.abort_multipart_upload(Bucket="tables", Key=other["Key"], UploadId=other["UploadId"])


@pytest.mark.skipif(not LITE0.exists(), reason="efficientnet-lite0 is not there: make deps")
def test_the_sample_for_fast_is_read_ahead(s3, tmp_path):
    """Many at once where each answer takes 0.1 s, in the order in which local files are taken: the same choice, by the same figures."""
    asked, at_once = {}, []

    def script(head):  # the sample are the first reads: each image is read again by the job
        photo = re.match(rb"GET /photos/set%20one/(\S+)", head)
        if not photo or time.time() > asked.setdefault(photo[1], time.time()) + 0.1:
            return None
        at_once.append(sum(time.time() <= begun + 0.1 for begun in asked.values()))
        return WAIT
    for key in s3.keys("photos", "set one/"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(s3.get("photos", key))
    fast = ("--model", LITE0, "--precision", "fast", "--min-cosine", "0.5")
    with FaultProxy(int(s3.url.rsplit(":", 1)[1]), 1, 0) as proxy:
        proxy.script = script
        pomona("features", "s3://photos/set one", "-o", tmp_path / "far", *fast, env={**s3.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"})
    pomona("features", tmp_path / "set one", "-o", tmp_path / "near", *fast)
    assert max(at_once) >= 12, max(at_once)
    far, near = (json.loads((tmp_path / name / "run.json").read_text())["precision"] for name in ("far", "near"))
    assert far == near and far["images_calibrated"] + far["images_checked"] == 24


def test_a_listing_in_many_parts_is_whole_and_in_order(s3):
    """Folders of all sizes below one another, beyond a page of keys."""
    if s3.name != "versitygw":
        pytest.skip("needs a bucket that is a folder: 8,000 objects are put there as files")
    root = Path(s3.root) / "many"
    wanted = []
    for i in range(40):
        for j in range((3, 150, 1200)[i % 3] if i < 12 else 5):
            wanted.append(f"top/{i % 2}/folder {i:02}/{'deep/er/' if i % 4 == 0 else ''}{j:05}.jpg")
    wanted += [f"top/{i:04}.jpg" for i in range(1100)] + ["top/0-first.jpg", "top/zz/last.jpg"]
    for key in wanted:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(b"x")
    assert listing(s3, "s3://many", "list")["listed"] == len(wanted)
    assert listing(s3, "s3://many/top/0", "list")["listed"] == sum(k.startswith("top/0/") for k in wanted)
    done = listing(s3, "s3://many", "read")
    assert done["objects"] == len(wanted) and done["failed"] == 0


def test_virtual_host_style_and_encryption(s3):
    """HOST.localhost is this machine, for curl as for browsers (RFC 6761)."""
    if s3.name != "minio":
        pytest.skip("versitygw encrypts nothing")
    env = {**s3.env, "AWS_ENDPOINT_URL": s3.url.replace("127.0.0.1", "localhost"), "POMONA_S3_ADDRESSING": "virtual", "no_proxy": "*"}
    for name, wanted in (("AES256", "AES256"), ("aws:kms", "aws:kms")):
        dest = "s3://tables/sealed-" + name.replace(":", "-")
        for done in ("24 rows", "up to date"):
            said = pomona("features", "s3://photos/set one", "-o", dest, *PIXELS, env={**env, "POMONA_S3_ENCRYPTION": name})
            assert done in said
        head = s3.client.head_object(Bucket="tables", Key=dest.removeprefix("s3://tables/") + "/features.parquet")
        assert head["ServerSideEncryption"] == wanted


def test_failures_say_what_to_do(s3):
    def said(env, *args):
        return pomona("features", *args, "-o", "s3://tables/no", *PIXELS, env={**s3.env, **env}, code=1)
    assert "the secret key does not belong to this access key" in said({"AWS_SECRET_ACCESS_KEY": "wrong"}, "s3://photos")
    assert "does not know this access key" in said({"AWS_ACCESS_KEY_ID": "AKIDNOBODY"}, "s3://photos")
    assert "there is no such bucket" in said({}, "s3://nothing-here")
    assert "s3://photos/none is no object" in said({}, "s3://photos/none")
    assert "in 5 attempts" in said({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "s3://photos")
    assert s3.keys("tables", "no") == []


def test_another_machine_continues(s3, tmp_path):
    """Nothing but the bucket is common to the machines: the manifest lies there too."""
    for i in range(6):
        s3.put("photos", f"moving/{i}.jpg", jpeg(i))
    args = ("features", "s3://photos/moving", "-o", "s3://tables/moving", *PIXELS)
    here, there = ({**s3.env, "XDG_STATE_HOME": str(tmp_path / name)} for name in ("here", "there"))
    pomona(*args, env=here)
    assert ".pomona/manifest.sqlite" in "".join(s3.keys("tables", "moving/"))
    assert "up to date" in pomona(*args, env=there)
    s3.put("photos", "moving/7.jpg", jpeg(7))
    assert "6 carried over" in pomona(*args, env=there)
    s3.put("photos", "moving/8.jpg", jpeg(8))
    said = pomona(*args, env=here)
    assert "written by another machine" in said and "7 carried over" in said
    assert len(table(s3, "moving/features.parquet")) == 8
    for key in s3.keys("tables", "moving/"):
        s3.client.delete_object(Bucket="tables", Key=key)
    pomona(*args, env=here)
    assert len(table(s3, "moving/features.parquet")) == 8
