"""How a bucket is reached: own certificate authorities, proxies, anonymous requests, and the options for them."""
import http.client
import io
import json
import select
import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, PIXELS, photograph, pomona  # noqa: E402
import servers  # noqa: E402

pytestmark = pytest.mark.skipif(not (servers.SERVERS / "minio").exists(), reason=".deps/servers/minio is not there")


def fill(server):
    server.client.create_bucket(Bucket="photos")
    server.client.create_bucket(Bucket="tables")
    for i in range(3):
        data = io.BytesIO()
        photograph(i).save(data, "PNG")
        server.put("photos", f"in/{i}.png", data.getvalue())
    return server


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with servers.minio(tmp_path_factory.mktemp("minio")) as server:
        yield fill(server)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """MinIO over TLS, its certificate signed by an authority that nobody else knows."""
    folder = tmp_path_factory.mktemp("minio-tls")

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=30)
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Pomona's test authority")
    openssl("req", *new, "-keyout", "private.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names",
            "-out", "public.crt")
    with servers.minio(folder, certificates=folder, authority=folder / "ca.pem") as server:
        server.authority = folder / "ca.pem"
        yield fill(server)


class Proxy(socketserver.ThreadingTCPServer):
    """Passes requests on: those of http:// as they come, https:// as a tunnel. Keeps what it was asked for, with the headers."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Passing)
        self.seen = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Passing(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline().decode().strip():
            method, target, _ = line.split(" ")
            headers = http.client.parse_headers(self.rfile)
            self.server.seen.append((method, target, dict(headers)))
            if method == "CONNECT":
                return self.tunnel(*target.split(":"))
            self.forward(method, target, headers)

    def tunnel(self, host, port):
        with socket.create_connection((host, int(port)), 10) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while True:
                ready = select.select([self.connection, there], [], [], 10)[0]
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    (there if end is self.connection else self.connection).sendall(data)
                if not ready:
                    return

    def forward(self, method, target, headers):
        _, _, host, path = target.split("/", 3)
        there = http.client.HTTPConnection(host, timeout=10)
        body = self.rfile.read(int(headers.get("Content-Length", 0)))
        there.request(method, "/" + path, body, {name: value for name, value in headers.items() if name != "Proxy-Connection"})
        answer = there.getresponse()
        data = answer.read()
        length = {"Content-Length": answer.headers.get("Content-Length", "0") if method == "HEAD" else str(len(data))}
        kept = {n: v for n, v in answer.headers.items() if n not in ("Content-Length", "Transfer-Encoding", "Connection")}
        self.wfile.write(f"HTTP/1.1 {answer.status} {answer.reason}\r\n".encode())
        self.wfile.write("".join(f"{n}: {v}\r\n" for n, v in {**kept, **length}.items()).encode() + b"\r\n" + data)
        there.close()


@pytest.fixture
def proxy():
    with Proxy() as server:
        yield server
        server.shutdown()


def listed(server, *options, uri="s3://photos", env=(), code=0):
    done = subprocess.run([BINARY, "ls", uri, *options], env={**server.env, **dict(env)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines() if code == 0 else done.stderr


def test_an_own_authority(tls, tmp_path):
    clean = {"AWS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": ""}
    said = listed(tls, env=clean, code=1)
    assert "certificate" in said and "--ca-file" in said
    assert len(listed(tls, "--ca-file", tls.authority, env=clean)) == 3
    for name in ("POMONA_CA_FILE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        assert len(listed(tls, env={**clean, name: str(tls.authority)})) == 3, name
    (tmp_path / "config.toml").write_text(f'ca-file = "{tls.authority}"\n')
    args = ("features", "s3://photos", "-o", "s3://tables/tls", *PIXELS, "--config", tmp_path / "config.toml")
    pomona(*args, env={**tls.env, **clean})
    assert len(pd.read_parquet(io.BytesIO(tls.get("tables", "tls/features.parquet")))) == 3
    assert "there is no file /nowhere.pem" in listed(tls, "--ca-file", "/nowhere.pem", env=clean, code=1)


def test_a_certificate_of_another_name(tls):
    env = {"AWS_ENDPOINT_URL": tls.url.replace("127.0.0.1", "localhost"), "no_proxy": "localhost"}
    assert "certificate" in listed(tls, "--ca-file", tls.authority, env=env, code=1)


def test_a_proxy_for_http(s3, proxy):
    assert len(listed(s3, env={"http_proxy": proxy.url, "no_proxy": ""})) == 3
    assert [target.startswith(s3.url + "/photos") for _, target, _ in proxy.seen] == [True] * len(proxy.seen) and proxy.seen
    proxy.seen.clear()
    for name in ("no_proxy", "NO_PROXY"):
        env = {k: v for k, v in s3.env.items() if k.lower() != "no_proxy"}
        env.update({"http_proxy": proxy.url, name: "example.com,127.0.0.1"})
        done = subprocess.run([BINARY, "ls", "s3://photos"], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and not proxy.seen, name


def test_a_proxy_for_https(tls, proxy):
    """The tunnel is for whoever looks after the network; who asks for what stays between the two ends."""
    assert len(listed(tls, "--ca-file", tls.authority, env={"HTTPS_PROXY": proxy.url, "no_proxy": ""})) == 3
    assert {method for method, _, _ in proxy.seen} == {"CONNECT"}
    assert "Authorization" not in str(proxy.seen)


def test_a_proxy_that_is_not_there(s3):
    said = listed(s3, env={"http_proxy": "http://127.0.0.1:1", "no_proxy": ""}, code=1)
    assert "127.0.0.1:1" in said or "proxy" in said.lower()


def test_anonymous_and_who_pays(s3, proxy):
    everyone = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": [
        "s3:ListBucket", "s3:GetObject"], "Resource": ["arn:aws:s3:::open", "arn:aws:s3:::open/*"]}]}
    s3.client.create_bucket(Bucket="open")
    s3.put("open", "a.jpg", b"x")
    s3.client.put_bucket_policy(Bucket="open", Policy=json.dumps(everyone))
    nobody = {k: "" for k in servers.KEYS}
    env = {**nobody, "http_proxy": proxy.url, "no_proxy": ""}
    assert listed(s3, "--no-sign-request", "--request-payer", uri="s3://open", env=env) == ["s3://open/a.jpg"]
    headers = [{name.lower(): value for name, value in h.items()} for _, _, h in proxy.seen]
    assert headers and all("authorization" not in h and h["x-amz-request-payer"] == "requester" for h in headers)
    proxy.seen.clear()
    assert listed(s3, uri="s3://open", env={**env, "POMONA_NO_SIGN_REQUEST": "true"}) == ["s3://open/a.jpg"]
    assert not any("x-amz-request-payer" in str(h).lower() for _, _, h in proxy.seen)
    assert "--no-sign-request" in listed(s3, "--no-sign-request=false", uri="s3://open", env={**nobody, "POMONA_NO_SIGN_REQUEST": "true"}, code=1)
    assert "denied" in listed(s3, "--no-sign-request", code=1)


def test_encryption_by_option(s3, tmp_path):
    (tmp_path / "config.toml").write_text('s3-encryption = "AES256"\n')
    args = ("features", "s3://photos", *PIXELS, "--config", tmp_path / "config.toml")
    pomona(*args, "-o", "s3://tables/by-file", env=s3.env)
    assert s3.client.head_object(Bucket="tables", Key="by-file/run.json")["ServerSideEncryption"] == "AES256"
    pomona(*args, "-o", "s3://tables/by-option", "--s3-encryption", "aws:kms", "--s3-kms-key", "pomona-key", env=s3.env)
    head = s3.client.head_object(Bucket="tables", Key="by-option/run.json")
    assert head["ServerSideEncryption"] == "aws:kms" and head["SSEKMSKeyId"].endswith("pomona-key")
    said = pomona(*args, "-o", "s3://tables/no", "--s3-encryption", "rot13", env=s3.env, code=1)
    assert "wanted AES256, aws:kms or aws:kms:dsse" in said
    assert "is for --s3-encryption aws:kms" in pomona(*args, "-o", "s3://tables/no", "--s3-kms-key", "k", env=s3.env, code=1)


def test_another_region_and_stale_tokens(s3):
    """The bucket is in eu-central-1; whoever says otherwise is put right by the server, and told where it cannot be."""
    assert len(listed(s3, env={"AWS_REGION": "us-east-1"})) == 3
    said = listed(s3, env={"AWS_SESSION_TOKEN": "from-yesterday"}, code=1)
    assert "token" in said.lower(), said
