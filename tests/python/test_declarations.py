"""The declarations that the package was built with are those of the headers, as the C compiler sees them."""
import ctypes
import re
import subprocess
import sys

import pytest
from conftest import ROOT

from pomona import _declarations as declared
from pomona._native import lib

INCLUDE = ROOT / "include"


def test_made_from_these_headers(tmp_path):
    made = tmp_path / "declarations.py"
    subprocess.run([sys.executable, ROOT / "python" / "declarations.py", INCLUDE, made, "cc"], check=True, timeout=60)
    assert made.read_text() == (type(ROOT)(declared.__file__)).read_text()


def test_a_changed_header_changes_them(tmp_path):
    changed = tmp_path / "include" / "pomona"
    changed.mkdir(parents=True)
    for header in (INCLUDE / "pomona").glob("*.h"):
        text = header.read_text().replace("int max_batch; /*", "short other; int max_batch; /*").replace("POM_ERR_MEMORY", "POM_ERR_NEW, POM_ERR_MEMORY")
        (changed / header.name).write_text(text.replace("short other", "size_t other"))
    subprocess.run([sys.executable, ROOT / "python" / "declarations.py", changed.parent, tmp_path / "d.py", "cc"], check=True, timeout=60)
    made = (tmp_path / "d.py").read_text()
    assert '("other", c_size_t), ("max_batch", c_int)' in made and "POM_ERR_NEW = 2" in made and "POM_ERR_MEMORY = 3" in made


def test_layout_is_the_compilers(tmp_path):
    """Size and place of every field, and the value of every constant."""
    lines, expected = [], []
    for struct in declared.STRUCTS:
        c_name = f"struct {struct.__name__}"
        lines.append(f'printf("%zu\\n", sizeof({c_name}));')
        expected.append(ctypes.sizeof(struct))
        for field, _ in struct._fields_:
            lines.append(f'printf("%zu\\n", offsetof({c_name}, {field}));')
            expected.append(getattr(struct, field).offset)
    for name in [n for n in vars(declared) if re.match("POM_[A-Z]", n)]:
        lines.append(f'printf("%zu\\n", (size_t){name});')
        expected.append(getattr(declared, name))
    source = tmp_path / "layout.c"
    source.write_text("#include <pomona/pomona.h>\n#include <stdio.h>\nint main(void) {\n" + "\n".join(lines) + "\n}\n")
    subprocess.run(["cc", f"-I{INCLUDE}", source, "-o", tmp_path / "layout"], check=True, timeout=60)
    printed = subprocess.run([tmp_path / "layout"], capture_output=True, text=True, check=True, timeout=10).stdout
    assert len(expected) > 60 and list(map(int, printed.split())) == expected


def test_every_function_of_the_library_is_declared():
    from pomona._program import RUNTIME

    exported = subprocess.run(["nm", "-D", "--defined-only", f"{RUNTIME}/lib/libpomona.so.0"], capture_output=True, text=True, timeout=30).stdout
    names = {line.split()[2] for line in exported.splitlines()}
    assert names == set(declared.FUNCTIONS)
    assert all(getattr(lib, name).argtypes is not None for name in names)


def test_type_hints(tmp_path):
    mypy = pytest.importorskip("mypy.api")
    from conftest import SITE

    out, errors, status = mypy.run(["--strict", "--python-version", "3.10", "--cache-dir", str(tmp_path), *map(str, (SITE / "pomona").glob("*.py"))])
    assert status == 0, out + errors
