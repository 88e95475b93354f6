"""The engine against ONNX Runtime (tests/net/parity.py)."""
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_networks():
    pytest.importorskip("onnxruntime")
    runner, shared = ROOT / "build/tests/net/net-run-cases", ROOT / "../shared"
    if not shared.exists() or not runner.exists():
        pytest.skip(f"no {shared} or {runner}")
    done = subprocess.run([sys.executable, ROOT / "tests/net/parity.py", runner, shared], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
