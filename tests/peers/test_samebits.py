"""The same bits on every CPU path: 500 photographs through every network (tests/net/samebits.py), and through the whole binary."""
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/tests/net"
POMONA, LITE0 = ROOT / "build/pomona", ROOT / ".deps/models/efficientnet-lite0.onnx"
sys.path.insert(0, str(ROOT / "tests/net"))


def test_every_network():
    neon = [BUILD / "samebits-neon"] if (BUILD / "samebits-neon").exists() else []
    done = subprocess.run([ROOT / "tests/net/samebits.py", "full", BUILD / "samebits", *neon], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=3600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.fixture(scope="module")
def photographs():
    from samebits import photographs
    return photographs()


def features_digest(out, files, cpu, threads, size):
    done = subprocess.run([POMONA, "features", *files, "-o", out, "--model", LITE0, "--threads", str(threads), "--size", str(size), "--quiet"],
                          env={**os.environ, "POMONA_CPU": cpu}, text=True, stderr=subprocess.PIPE)
    if done.returncode and "POMONA_CPU" in done.stderr:
        pytest.skip(f"this CPU lacks {cpu}")
    assert done.returncode == 0, done.stderr
    table = pyarrow.parquet.read_table(out / "features.parquet")
    assert table.num_rows == len(files)
    return hashlib.sha256(table["features"].combine_chunks().values.to_numpy()).hexdigest()


@pytest.mark.parametrize("size, cpus", [(224, ["avx2", "avx512"]), (32, ["ref", "avx2", "avx512"])])
def test_binary(photographs, tmp_path, size, cpus):
    digests = {(cpu, threads): features_digest(tmp_path / f"{cpu}-{threads}", photographs, cpu, threads, size)
               for cpu in cpus for threads in (1, 2, 7)}
    assert len(set(digests.values())) == 1, digests
