"""Servers on the loopback interface for tests that need a real one: started here, on a free port, and stopped at the end."""
import base64
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SERVERS = Path(__file__).resolve().parents[2] / ".deps" / "servers"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDPOMONATEST", "AWS_SECRET_ACCESS_KEY": "a-secret/with+odd=characters"}
REGION = "eu-central-1"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    for _ in range(200):
        assert process.poll() is None, f"{process.args[0]} ended with {process.returncode}"
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{process.args[0]} does not answer")


class Bucket:
    """A server with buckets: its environment for pomona, and a client of its own."""

    def __init__(self, url, state):
        self.url = url
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "POMONA_S3"))}, **KEYS,
                    "AWS_REGION": REGION, "AWS_ENDPOINT_URL": url, "XDG_STATE_HOME": str(state), "HOME": str(state),
                    "AWS_EC2_METADATA_DISABLED": "true", "no_proxy": "127.0.0.1"}
        self.client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], region_name=REGION,
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"], config=Config(s3={"addressing_style": "path"}, proxies={}))

    def put(self, bucket, key, data):
        self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def get(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, bucket, prefix=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


@contextmanager
def started(command, port, log, **env):
    with open(log, "w") as out:
        process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env})
    try:
        wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def minio(folder):
    """With a key for SSE-S3 and SSE-KMS."""
    port, root = free_port(), folder / "root"
    command = [SERVERS / "minio", "server", "--quiet", "--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{free_port()}", root]
    kms = "pomona-key:" + base64.b64encode(bytes(range(32))).decode()
    with started(command, port, folder / "minio.log", MINIO_ROOT_USER=KEYS["AWS_ACCESS_KEY_ID"], MINIO_DOMAIN="localhost",
                 MINIO_ROOT_PASSWORD=KEYS["AWS_SECRET_ACCESS_KEY"], MINIO_REGION=REGION, MINIO_KMS_SECRET_KEY=kms, MINIO_UPDATE="off"):
        server = Bucket(f"http://127.0.0.1:{port}", folder / "state")
        for _ in range(100):
            try:
                server.client.list_buckets()
                break
            except ClientError:  # not initialised yet
                time.sleep(0.1)
        yield server


@contextmanager
def versitygw(folder):
    port, root = free_port(), folder / "root"
    root.mkdir(parents=True)
    command = [SERVERS / "versitygw", "--port", f"127.0.0.1:{port}", "--keep-alive", "--quiet", "--region", REGION, "posix", root]
    with started(command, port, folder / "versitygw.log", ROOT_ACCESS_KEY=KEYS["AWS_ACCESS_KEY_ID"],
                 ROOT_SECRET_KEY=KEYS["AWS_SECRET_ACCESS_KEY"]):
        server = Bucket(f"http://127.0.0.1:{port}", folder / "state")
        server.root = root
        yield server
