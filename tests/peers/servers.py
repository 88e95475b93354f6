"""Servers on the loopback interface for tests that need a real one: started here, on a free port, and stopped at the end."""
import base64
import io
import json
import os
import random
import signal
import socket
import string
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

SERVERS = Path(__file__).resolve().parents[2] / ".deps" / "servers"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDPOMONATEST", "AWS_SECRET_ACCESS_KEY": "a-secret/with+odd=characters"}
REGION = "eu-central-1"
SUPERUSER = "hdfs-admin"


PORTS = range(20000, 30000)  # below those that the kernel gives to clients
claims = []


def free_port():
    """One that no other test takes until this process ends, however it does: a name that the kernel gives back then stands for it."""
    while True:
        port, claim = random.SystemRandom().choice(PORTS), socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0pomona-test-port-{port}")
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        claims.append(claim)
        return port


def wait_for(port, process, name, seconds=10):
    for _ in range(seconds * 20):
        assert process.poll() is None, f"{name} ended with {process.returncode}"
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{name} does not answer")


class Bucket:
    """A server with buckets: its environment for pomona, and a client of its own."""

    def __init__(self, url, state, verify=None):
        self.url = url
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "POMONA_"))}, "POMONA_CONFIG": "", **KEYS,
                    "AWS_REGION": REGION, "AWS_ENDPOINT_URL": url, "XDG_STATE_HOME": str(state), "HOME": str(state),
                    "AWS_EC2_METADATA_DISABLED": "true", "no_proxy": "127.0.0.1"}
        self.client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], region_name=REGION,
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"], verify=verify, config=Config(s3={"addressing_style": "path"}, proxies={}))

    def session(self):
        """Credentials that expire, in the form in which a container's place for them has them; of a server that gives such."""
        sts = boto3.client("sts", endpoint_url=self.url, aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], region_name=REGION,
                           aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"], config=Config(proxies={}))
        role = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/pomona", RoleSessionName="pomona", DurationSeconds=3600)["Credentials"]
        return {"AccessKeyId": role["AccessKeyId"], "SecretAccessKey": role["SecretAccessKey"], "Token": role["SessionToken"],
                "Expiration": role["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")}

    def put(self, bucket, key, data):
        self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def get(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, bucket, prefix=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


class Minio(Bucket):
    def administer(self, method, call, body=b""):
        request = AWSRequest(method, f"{self.url}/minio/admin/v3/{call}", data=body)
        S3SigV4Auth(Credentials(*KEYS.values()), "s3", REGION).add_auth(request)
        http(method, request.url, body, **{name.replace("-", "_"): value for name, value in request.headers.items()})

    def add_user(self, name, secret):
        """As an import, which is the one way in without MinIO's own encryption of requests."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("iam-assets/users.json", json.dumps({name: {"secretKey": secret, "status": "enabled"}}))
            archive.writestr("iam-assets/user_mappings.json", json.dumps({name: {"version": 1, "policy": "readwrite"}}))
        self.administer("PUT", "import-iam", packed.getvalue())

    def remove_user(self, name):
        self.administer("DELETE", f"remove-user?accessKey={name}")


class Versitygw(Bucket):
    def administer(self, *args):
        subprocess.run([SERVERS / "versitygw", "admin", "--region", REGION, "--endpoint-url", self.url, *args], check=True, timeout=30,
                       env={"ADMIN_ACCESS_KEY": KEYS["AWS_ACCESS_KEY_ID"], "ADMIN_SECRET_KEY": KEYS["AWS_SECRET_ACCESS_KEY"]})

    def add_user(self, name, secret):
        self.administer("create-user", "--access", name, "--secret", secret, "--role", "admin")

    def remove_user(self, name):
        self.administer("delete-user", "--access", name)


@contextmanager
def started(command, port, log, seconds=10, stop=signal.SIGTERM, **env):
    """The server ends with the block, and with the thread that started it, also where that is killed."""
    command = [str(c) for c in command]
    with open(log, "w") as out:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env})
    try:
        wait_for(port, process, command[0], seconds)
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def minio(folder, certificates=None, authority=None):
    """With a key for SSE-S3 and SSE-KMS; over TLS with public.crt and private.key of `certificates`, signed by the file `authority`."""
    port, root = free_port(), folder / "root"
    command = [SERVERS / "minio", "server", "--quiet", "--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{free_port()}",
               *(["--certs-dir", certificates] if certificates else []), root]
    kms = "pomona-key:" + base64.b64encode(bytes(range(32))).decode()
    with started(command, port, folder / "minio.log", MINIO_ROOT_USER=KEYS["AWS_ACCESS_KEY_ID"], MINIO_DOMAIN="localhost",
                 MINIO_ROOT_PASSWORD=KEYS["AWS_SECRET_ACCESS_KEY"], MINIO_REGION=REGION, MINIO_KMS_SECRET_KEY=kms, MINIO_UPDATE="off"):
        server = Minio(f"http{'s' if certificates else ''}://127.0.0.1:{port}", folder / "state", authority and str(authority))
        for _ in range(100):
            try:
                server.client.list_buckets()
                break
            except ClientError:  # not initialised yet
                time.sleep(0.1)
        yield server


@contextmanager
def versitygw(folder):
    port, root, users = free_port(), folder / "root", folder / "users"
    root.mkdir(parents=True)
    users.mkdir()
    command = [SERVERS / "versitygw", "--port", f"127.0.0.1:{port}", "--keep-alive", "--quiet", "--region", REGION, "--iam-dir", users, "posix", root]
    with started(command, port, folder / "versitygw.log", ROOT_ACCESS_KEY=KEYS["AWS_ACCESS_KEY_ID"],
                 ROOT_SECRET_KEY=KEYS["AWS_SECRET_ACCESS_KEY"]):
        server = Versitygw(f"http://127.0.0.1:{port}", folder / "state")
        server.root = root
        yield server


def http(method, url, body=b"", **headers):
    """The answer's body; no proxy, and no certificate looked at."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return opener.open(urllib.request.Request(url, data=body or None, method=method, headers=headers)).read()


class GoogleBucket:
    """A server that speaks the JSON API of Google Cloud Storage: its environment for pomona, and a client of its own."""

    def __init__(self, url, state):
        self.url = url
        own = ("GOOGLE_", "CLOUDSDK_", "POMONA_", "STORAGE_", "GCE_")
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith(own)}, "STORAGE_EMULATOR_HOST": url,
                    "XDG_STATE_HOME": str(state), "HOME": str(state), "no_proxy": "127.0.0.1"}

    def create(self, bucket):
        http("POST", f"{self.url}/storage/v1/b?project=test", json.dumps({"name": bucket}).encode(), Content_Type="application/json")

    def object_url(self, bucket, name):
        return f"{self.url}/storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe='')}"

    def put(self, bucket, name, data):
        query = urllib.parse.urlencode({"uploadType": "media", "name": name})
        http("POST", f"{self.url}/upload/storage/v1/b/{bucket}/o?{query}", data, Content_Type="image/jpeg")

    def get(self, bucket, name):
        return http("GET", self.object_url(bucket, name) + "?alt=media")

    def remove(self, bucket, name):
        http("DELETE", self.object_url(bucket, name))

    def keys(self, bucket, prefix=""):
        found = json.loads(http("GET", f"{self.url}/storage/v1/b/{bucket}/o?" + urllib.parse.urlencode({"prefix": prefix})))
        return [item["name"] for item in found.get("items", ())]


@contextmanager
def fake_gcs(folder):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [SERVERS / "fake-gcs-server", "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory",
               "-external-url", url, "-public-host", f"127.0.0.1:{port}"]
    with started(command, port, folder / "fake-gcs-server.log"):
        yield GoogleBucket(url, folder / "state")


class Hadoop:
    """A NameNode with a DataNode: its environment for pomona, and a client of its own."""

    def __init__(self, port, rpc, state):
        self.rpc = rpc
        self.address = f"127.0.0.1:{port}"
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith("HADOOP_")}, "HADOOP_USER_NAME": "pomona",
                    "XDG_STATE_HOME": str(state), "HOME": str(state), "no_proxy": "127.0.0.1"}

    def uri(self, path):
        return f"hdfs://{self.address}{path}"

    def call(self, method, path, op, body=b"", user="pomona", **parameters):
        query = urllib.parse.urlencode({"op": op, "user.name": user, **parameters})
        return http(method, f"http://{self.address}/webhdfs/v1{urllib.parse.quote(path)}?{query}", body)

    def superuser(self, method, path, op, **parameters):
        return self.call(method, path, op, user=SUPERUSER, **parameters)

    def put(self, path, data, **parameters):
        query = urllib.parse.urlencode({"op": "CREATE", "user.name": "pomona", "noredirect": "true", "overwrite": "true", **parameters})
        where = json.loads(http("PUT", f"http://{self.address}/webhdfs/v1{urllib.parse.quote(path)}?{query}"))["Location"]
        where = urllib.parse.quote(where, safe=string.punctuation)  # what is not ASCII comes as it is
        http("PUT", where, data, Content_Type="application/octet-stream")

    def get(self, path):
        return self.call("GET", path, "OPEN")

    def names(self, path):
        found = json.loads(self.call("GET", path, "LISTSTATUS"))
        return [entry["pathSuffix"] for entry in found["FileStatuses"]["FileStatus"]]

    def remove(self, path):
        self.call("DELETE", path, "DELETE", recursive="true")


@contextmanager
def hadoop(folder):
    port, rpc, data = free_port(), free_port(), folder / "data"
    command = ["java", "-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--add-opens", "java.base/java.lang=ALL-UNNAMED",
               f"-Dtest.build.data={data}", f"-Dhadoop.tmp.dir={folder}/tmp", f"-DHADOOP_USER_NAME={SUPERUSER}", "-cp", SERVERS / "hadoop" / "*",
               "org.apache.hadoop.test.MiniDFSClusterManager", "-format", "-datanodes", 1, "-httpport", port, "-nnport", rpc, "-D", "dfs.ls.limit=3"]
    with started(command, port, folder / "hadoop.log", seconds=90, stop=signal.SIGKILL):
        server = Hadoop(port, rpc, folder / "state")
        for _ in range(600):
            try:
                server.superuser("PUT", "/", "SETPERMISSION", permission="777")
                server.put("/ready", b"x")
                server.remove("/ready")
                break
            except (urllib.error.URLError, ConnectionError):  # not started yet, or without its DataNode
                time.sleep(0.1)
        yield server
