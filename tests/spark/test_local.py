"""pomona.spark in local sessions of both Sparks: see local_spark.py."""
import pytest
from conftest import SPARKS, run_script


@pytest.mark.parametrize("venv", SPARKS)
def test_local(venv, job, tmp_path):
    out = run_script(venv, "local_spark.py", job, tmp_path)
    assert out.count("ok: Spark") == 8 and "pomona: " in out, out[-4000:]
