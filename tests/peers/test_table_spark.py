"""Runs table_spark.py under both Spark versions."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("venv", ["peers-spark35", "peers-spark4"])
def test_tables(venv):
    python = ROOT / ".deps" / venv / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no .deps/{venv}: tools/deps.sh peers makes it")
    done = subprocess.run([python, ROOT / "tests/peers/table_spark.py"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=600)
    assert done.returncode == 0 and done.stdout.count("ok: Spark") == 3, done.stdout[-4000:]
