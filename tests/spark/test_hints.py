"""The type hints of pomona.spark hold with Spark's own."""
import pytest
from conftest import SITE, python_of


def test_type_hints(tmp_path):
    mypy = pytest.importorskip("mypy.api")
    modules = [*map(str, (SITE / "pomona").glob("*.py")), *map(str, (SITE / "pomona" / "spark").glob("*.py"))]
    out, errors, status = mypy.run(["--strict", "--python-version", "3.10", "--python-executable", str(python_of("peers-spark4")),
                                    "--cache-dir", str(tmp_path), *modules])
    assert status == 0, out + errors
