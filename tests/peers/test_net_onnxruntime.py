"""The engine against ONNX Runtime (tests/net/parity.py)."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_networks():
    python, runner, shared = ROOT / ".deps/peers/bin/python", ROOT / "build/tests/net/net-run-cases", ROOT / "../shared"
    if not python.exists():
        pytest.skip("no .deps/peers: tools/deps.sh peers makes it")
    if not shared.exists():
        pytest.skip(f"no {shared}")
    done = subprocess.run([python, ROOT / "tests/net/parity.py", runner, shared], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
