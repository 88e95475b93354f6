"""pomona doctor on this machine and on folders; tests/peers has buckets."""
import os
import resource
import subprocess

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
