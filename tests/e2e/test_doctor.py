"""pomona doctor on this machine and on folders; tests/peers has buckets."""
import os
import subprocess
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import BINARY


def doctor(*args, code=0, **env):
    done = subprocess.run([BINARY, "doctor", *map(str, args)], capture_output=True, text=True, timeout=60, env={**os.environ, **env})
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def line(out, topic):
    return next(l for l in out.splitlines() if l.split()[1:2] == [topic])


def test_machine(tmp_path):
    out = doctor(POMONA_CPU="ref", XDG_STATE_HOME=str(tmp_path), https_proxy="http://user:geheim@proxy.example:3128")
    assert line(out, "cpu").startswith("WARN  cpu        runs on ref, as POMONA_CPU says")
    assert "proxy.example:3128" in line(out, "proxy") and "geheim" not in out
    assert line(out, "threads") and line(out, "memory") and str(tmp_path) in line(out, "disk")
    assert "BAD" in line(doctor(POMONA_CPU="mmx", code=1), "cpu")
    assert "BAD" in doctor(SSL_CERT_FILE="/nowhere.pem", AWS_CA_BUNDLE="", CURL_CA_BUNDLE="", code=1)
    missing = doctor(POMONA_MODELS=str(tmp_path), HOME=str(tmp_path))
    assert line(missing, "version").startswith("ok")


def test_limits_of_the_process():
    done = subprocess.run(f"ulimit -n 256; taskset -c 0 {BINARY} doctor", shell=True, capture_output=True, text=True)
    assert line(done.stdout, "files").startswith("WARN  files      256 may be open at once")
    if os.cpu_count() > 1:
        assert f"1 of this machine's {os.cpu_count()} CPUs" in line(done.stdout, "threads")


def test_folders(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"abc")
    out = doctor(tmp_path)
    assert "x.jpg was read: 3 bytes" in line(out, "get") and line(out, "put").startswith("ok") and line(out, "delete").startswith("ok")
    assert [p.name for p in tmp_path.iterdir()] == ["x.jpg"]
    assert "put" not in doctor("--read-only", tmp_path).split(str(tmp_path))[-1]
    assert line(doctor(tmp_path / "new"), "put").startswith("ok") and not (tmp_path / "new").exists()
    assert line(doctor("--read-only", tmp_path / "new", code=1), "open").startswith("BAD")


def test_no_credentials(tmp_path):
    env = {k: "" for k in os.environ if k.startswith("AWS_")}
    out = doctor("s3://some-bucket", code=1, **env, HOME=str(tmp_path), AWS_EC2_METADATA_DISABLED="true")
    assert line(out, "open").startswith("BAD   open       no AWS credentials") and "AWS_PROFILE" in out


class Careless(BaseHTTPRequestHandler):
    """A bucket that everyone may list and nobody may write, on a server whose clock is an hour ahead."""
    protocol_version = "HTTP/1.1"

    def date_time_string(self, timestamp=None):
        return formatdate(time.time() + 3600, usegmt=True)

    def answer(self, status, text):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else text.encode())

    def do_GET(self):
        self.answer(200, '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated></ListBucketResult>')

    def do_PUT(self):
        self.answer(403, "<Error><Code>AccessDenied</Code></Error>")

    do_POST = do_PUT

    def log_message(self, *args):
        pass


def test_careless_bucket(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "geheim", "AWS_SESSION_TOKEN": "", "HOME": str(tmp_path),
           "XDG_STATE_HOME": str(tmp_path), "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "no_proxy": "127.0.0.1"}
    out = doctor("s3://careless", code=1, **env)
    server.shutdown()
    assert line(out, "clock").startswith("WARN  clock      this machine's is 3") and "behind: signatures are refused" in line(out, "clock")
    assert line(out, "public").startswith("WARN  public     everyone on the internet can list this bucket")
    assert "static key that never expires" in out and "geheim" not in out
    assert line(out, "list").startswith("note") and "s3:PutObject" in line(out, "put")
    assert line(out, "multipart").startswith("BAD") and line(out, "put").startswith("BAD") and "2 bad" in out
