#!/usr/bin/env python3
"""Makes the wheel that is given away of the one that was built: its tag, what it is made of (CycloneDX, PEP 770), the licences of
that, and an archive that is the same bytes every time. Ends with an error if a program in it needs more of glibc than the tag says.

usage: wheel_finish.py WHEEL LIBRARIES TAG OUT_DIR     LIBRARIES: what tools/wheel_libraries.sh made
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# By Debian's source package: SPDX expressions for the parts that are linked, as their debian/copyright tells.
LICENCES = {
    "curl": "curl", "expat": "MIT", "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1 AND LGPL-2.1-or-later", "hdf5": "BSD-3-Clause",
    "jansson": "MIT", "lapack": "BSD-3-Clause-Open-MPI AND BSD-3-Clause", "libaec": "BSD-2-Clause", "libjpeg-turbo": "IJG AND BSD-3-Clause AND Zlib",
    "libspng": "BSD-2-Clause AND libpng-2.0", "libwebp": "BSD-3-Clause", "libzstd": "BSD-3-Clause", "lz4": "BSD-2-Clause",
    "openblas": "BSD-3-Clause AND BSD-2-Clause-Views AND BSD-3-Clause-Open-MPI",  # LAPACK stands in its archive
    "openssl": "Apache-2.0", "protobuf-c": "BSD-2-Clause", "sqlite3": "blessing", "zlib": "Zlib",
}  # fmt: skip


def components(root, machine):
    arch = {"x86_64": "amd64", "aarch64": "arm64"}[machine]
    seen = set()
    for line in sorted((root / "packages").read_text().splitlines()):
        source, version, _ = line.split()
        if source not in seen:
            seen.add(source)
            yield library(source, version, LICENCES[source], f"pkg:deb/debian/{source}@{version}?arch={arch}&distro=debian-12")
    recipe = (ROOT / "tools" / "build_carquet.sh").read_text()
    carquet = re.search(r"^version=(.*)$", recipe, re.M)[1]
    yield library("carquet", carquet, "MIT", f"pkg:pypi/carquet@{carquet}")


def library(name, version, licence, purl):
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "licenses": [{"expression": licence}], "purl": purl}


def model(name, content):
    return {"type": "machine-learning-model", "bom-ref": name, "name": name, "licenses": [{"expression": "Apache-2.0"}],
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]}  # fmt: skip


def bill(version, parts, when):
    """CycloneDX 1.6 (ECMA-424)."""
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)),
            "component": {"type": "library", "bom-ref": "pomona", "name": "pomona", "version": version,
                          "licenses": [{"expression": "Apache-2.0"}], "purl": f"pkg:pypi/pomona@{version}"},
        },
        "components": parts,
        "dependencies": [{"ref": "pomona", "dependsOn": [part["bom-ref"] for part in parts]}],
    }  # fmt: skip
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True)).urn
    return json.dumps(document, indent=1, sort_keys=True).encode()


def copyrights(root):
    """Debian's copyright file of each source package, which holds the licences in full."""
    for line in sorted((root / "packages").read_text().splitlines()):
        source, _, package = line.split()
        for file in (root / "usr/share/doc" / package / "copyright", root / "copyrights" / source):
            if file.exists():
                yield source, file.read_bytes()
                break
        else:
            sys.exit(f"{package} has no copyright file")
    yield "carquet", (root / "copyrights" / "carquet").read_bytes()


def newest_glibc(content, scratch):
    scratch.write_bytes(content)
    versions = subprocess.run(["readelf", "-V", "-W", str(scratch)], capture_output=True, text=True, check=True, timeout=60).stdout
    scratch.unlink()
    return max((tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([\d.]+)", versions)), default=(0,))


def record(files, name):
    rows = [f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
            for path, (data, _) in sorted(files.items())]  # fmt: skip
    return "\n".join([*rows, f"{name},,", ""]).encode()


def archive(path, files, when):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name in sorted(files, key=lambda n: (".dist-info/" in n, n)):
            data, mode = files[name]
            entry = zipfile.ZipInfo(name, time.gmtime(max(when, 315532800))[:6])
            entry.external_attr, entry.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
            out.writestr(entry, data)


def main(wheel, root, tag, out):
    root, when = Path(root), int(os.environ["SOURCE_DATE_EPOCH"])
    with zipfile.ZipFile(wheel) as built:
        files = {name: (built.read(name), 0o755 if "/bin/" in name else 0o644) for name in built.namelist() if not name.endswith("/")}
    info = next(name for name in files if name.endswith(".dist-info/WHEEL")).rsplit("/", 1)[0]
    version, machine = info.removesuffix(".dist-info").split("-")[1], root.name
    bound = tuple(map(int, re.search(r"manylinux_(\d+)_(\d+)", tag).groups()))
    newest = max(newest_glibc(files[name][0], Path(out) / ".scratch") for name in files if files[name][0][:4] == b"\x7fELF")
    if newest > bound:
        sys.exit(f"{wheel} needs glibc {newest}, which is newer than {bound}")

    kind = re.sub(r"^Tag: .*$", f"Tag: py3-none-{tag}", files[f"{info}/WHEEL"][0].decode(), flags=re.M)
    files[f"{info}/WHEEL"] = (kind.encode(), 0o644)
    models = [model(Path(name).stem, files[name][0]) for name in sorted(files) if name.endswith(".onnx")]
    files[f"{info}/sboms/pomona.cdx.json"] = (bill(version, [*components(root, machine), *models], when), 0o644)
    for source, text in copyrights(root):
        files[f"{info}/licenses/third-party/{source}"] = (text, 0o644)
    del files[f"{info}/RECORD"]
    files[f"{info}/RECORD"] = (record(files, f"{info}/RECORD"), 0o644)
    path = Path(out) / f"pomona-{version}-py3-none-{tag}.whl"
    archive(path, files, when)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, needs glibc {'.'.join(map(str, newest))}, "
          f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
