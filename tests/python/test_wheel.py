"""The wheels in dist/, as `make wheel` leaves them. Skipped where there are none: making one takes minutes."""
import base64
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT, encoded, picture

WHEELS = sorted((ROOT / "dist").glob("pomona-*.whl"))
pytestmark = pytest.mark.skipif(not WHEELS, reason="no wheel in dist/: run make wheel")
each = pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel.stem.rsplit("_2_28_")[-1])
GLIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def readelf(option, file):
    return subprocess.run(["readelf", "-W", option, file], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folders = {}
    for wheel in WHEELS:
        folders[wheel] = tmp_path_factory.mktemp("wheel")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folders[wheel])
    return folders


@each
def test_needs_nothing_newer_than_glibc_2_28_and_nothing_else(wheel, unpacked):
    programs = [f for f in unpacked[wheel].rglob("*") if f.is_file() and f.read_bytes()[:4] == b"\x7fELF"]
    assert {f.name for f in programs} == {"libpomona.so.0", "pomona"}
    for program in programs:
        versions = [tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([\d.]+)", readelf("-V", program))]
        assert versions and max(versions) <= (2, 28)
        assert set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", program))) <= GLIBC


@each
def test_exports_only_the_interface(wheel, unpacked):
    symbols = readelf("--dyn-syms", unpacked[wheel] / "pomona/runtime/lib/libpomona.so.0")
    exported = re.findall(r"(?:GLOBAL|WEAK) +DEFAULT +\d+ (\S+)", symbols)
    assert "pom_featurize" in exported and all(name.startswith("pom_") for name in exported)


@each
def test_bill_of_materials(wheel, unpacked):
    (file,) = unpacked[wheel].glob("*.dist-info/sboms/*.cdx.json")
    bill = json.loads(file.read_text())
    assert bill["bomFormat"] == "CycloneDX" and bill["specVersion"] == "1.6"
    parts = {part["name"]: part for part in bill["components"]}
    assert {"openssl", "curl", "openblas", "lapack", "libjpeg-turbo", "libspng", "libwebp", "protobuf-c", "hdf5", "sqlite3", "carquet", "zlib"} <= set(parts)
    for part in parts.values():
        assert part["licenses"][0]["expression"] and (part.get("version") or part.get("hashes"))
    licences = {f.name for f in unpacked[wheel].glob("*.dist-info/licenses/third-party/*")}
    assert {name for name, part in parts.items() if part["type"] == "library"} == licences


@each
def test_record(wheel, unpacked):
    (record,) = unpacked[wheel].glob("*.dist-info/RECORD")
    rows = [row.rsplit(",", 2) for row in record.read_text().splitlines()]
    assert len(rows) == sum(f.is_file() for f in unpacked[wheel].rglob("*"))
    for path, digest, _ in rows[:-1]:
        content = (unpacked[wheel] / path).read_bytes()
        assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def test_in_a_clean_environment(tmp_path):
    wheel = next((w for w in WHEELS if w.stem.endswith(platform.machine())), None)
    if wheel is None:
        pytest.skip("no wheel for this machine")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **{k: v for k, v in os.environ.items() if k.startswith("PIP_")}}
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120, env=env)
    bin = tmp_path / "venv" / "bin"
    subprocess.run([bin / "python", "-m", "pip", "install", "-q", wheel], check=True, timeout=300, env=env)
    image = tmp_path / "photos" / "a" / "1.jpg"
    image.parent.mkdir(parents=True)
    image.write_bytes(encoded(picture(1), "JPEG"))
    code = f"import pomona; print(pomona.Model.load('efficientnet-lite0').featurize([{str(image)!r}]).shape)"
    done = subprocess.run([bin / "python", "-c", code], capture_output=True, text=True, check=True, timeout=60, env=env, cwd=tmp_path)
    assert done.stdout == "(1, 1280)\n"
    subprocess.run([bin / "pomona", "features", image.parents[1], "-o", tmp_path / "out", "--quiet"], check=True, timeout=60, env=env)
    assert (tmp_path / "out" / "features.parquet").exists()
