"""The licences that a wheel's SBOM tells (tools/wheel_finish.py) are those of Debian's copyright files, for the files that are linked."""
import fnmatch
import re
import sys
from pathlib import Path

import pytest
from deploying import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import wheel_finish  # noqa: E402

# source package: the binary package, and a file for each licence of what is linked
LINKED = {
    "curl": ("libcurl4-openssl-dev", ["lib/url.c"]), "expat": ("libexpat1-dev", ["lib/xmlparse.c"]), "hdf5": ("libhdf5-dev", ["src/H5.c"]),
    "jansson": ("libjansson-dev", ["src/load.c"]), "lapack": ("liblapacke-dev", ["SRC/dsyevd.f", "LAPACKE/src/lapacke_dsyevd.c"]),
    "libjpeg-turbo": ("libjpeg62-turbo-dev", ["jdapimin.c", "jdcolor.c", "turbojpeg.c", "simd/x86_64/jcsample-sse2.asm"]),
    "libspng": ("libspng-dev", ["spng/spng.c"]), "libzstd": ("libzstd-dev", ["lib/zstd.h"]), "lz4": ("liblz4-dev", ["lib/lz4.c"]),
    "openblas": ("libopenblas-pthread-dev", ["interface/gemm.c", "common.h"]), "openssl": ("libssl-dev", ["crypto/sha/sha256.c"]),
    "protobuf-c": ("libprotobuf-c-dev", ["protobuf-c/protobuf-c.c"]), "sqlite3": ("libsqlite3-dev", ["src/main.c"]), "zlib": ("zlib1g-dev", ["inflate.c"]),
}  # fmt: skip
# Debian's name -> SPDX's, where they are not spelled alike; LAPACK's BSD-3-clause is the one with Open MPI's remark on patents.
SPDX = {"Expat": "MIT", "BSD-BY-LC-NE": "IJG", "public-domain": "blessing", "BSD-2-clause-texas": "BSD-2-Clause-Views",
        "BSD-3-clause-intel": "BSD-3-Clause"}  # fmt: skip


def licences(copyright_file, file):
    """Debian's names for the licences of one file, by the last paragraph that matches it: all of these, of each one of its names."""
    found = None
    for paragraph in re.split(r"\n\s*\n", copyright_file.read_text(errors="replace")):
        fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*((?:.*)(?:\n[ \t].*)*)", paragraph, re.M))
        if "License" in fields and any(fnmatch.fnmatchcase(file, pattern) for pattern in re.split(r"[\s,]+", fields.get("Files", ""))):
            found = fields["License"].split("\n")[0].strip()
    assert found, f"{copyright_file} does not name {file}"
    return [part.split(" or ") for part in found.split(" and ")]


@pytest.mark.parametrize("source", LINKED)
def test_the_sbom_tells_debian_s_licences(source):
    package, files = LINKED[source]
    text = Path("/usr/share/doc") / package / "copyright"
    if not text.exists():
        pytest.skip(f"deploy: {package} is not installed")
    told = wheel_finish.LICENCES[source].lower().split(" and ")
    for file in files:
        suffix = "-open-mpi" if source == "lapack" and not file.startswith("LAPACKE") else ""
        for names in licences(text, file):
            spdx = [SPDX.get(name, name) + suffix for name in names]
            assert any(name.lower() in told for name in spdx), f"{file} of {source} is under {' or '.join(spdx)}"
