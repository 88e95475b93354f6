"""A disk that is full, or may only be read: the job ends with a word that names the place and what to do, and once there is room the same
command continues to the tables of an undisturbed run."""
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, photograph, pomona  # noqa: E402

PHOTOS = 40
MODEL = ("--model", "pixels", "--size", "64")  # 48 KiB of features each, 1.9 MiB altogether
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for i in range(PHOTOS):
        photograph(i).save(folder / f"{i:02}.jpg")
    return folder


@pytest.fixture(scope="module")
def whole(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    pomona("features", photos, "-o", out, *MODEL)
    return tables(out)


def tables(out):
    return {name: (out / f"{name}.parquet").read_bytes() for name in ("features", "errors")}


def in_namespace(script, **options):
    """Runs it as root with mounts of its own; skips the test where the system does not let us."""
    command = ["unshare", "--mount", "sh", "-ec", script]
    if subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, timeout=20).returncode:
        pytest.skip("mounts are not permitted here")
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize("kib", [8, 60, 300, 1900, 2100, 2500])
def test_a_full_disk(photos, whole, tmp_path, kib):
    """From the manifest's first page over the spool to the tables."""
    disk, args = tmp_path / "disk", f"features {photos} -o {tmp_path}/disk/out {' '.join(MODEL)}"
    disk.mkdir()
    done = in_namespace(f"""
        mount -t tmpfs -o size={kib}k none {disk}
        {BINARY} {args} --quiet || echo "exit $?"
        test ! -e {disk}/out/run.json
        mount -o remount,size=40m {disk}
        {BINARY} {args} >&2
        cp {disk}/out/*.parquet {tmp_path}""")
    assert done.returncode == 0 and done.stdout == "exit 1\n", done
    first = done.stderr.splitlines()[0]
    assert f"{disk}/out" in first and "No space left on device; make room there, then run the same command again" in first
    assert f"{PHOTOS} rows" in done.stderr
    assert tables(tmp_path) == whole


def test_a_limit_on_the_size_of_files(photos, whole, tmp_path):
    out = tmp_path / "out"
    limited = subprocess.run([BINARY, "features", photos, "-o", out, *MODEL], capture_output=True, text=True, timeout=60, restore_signals=False,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY)))
    assert limited.returncode == 1 and str(out) in limited.stderr and "ulimit -f" in limited.stderr, limited
    pomona("features", photos, "-o", out, *MODEL)
    assert tables(out) == whole


def test_a_place_mounted_read_only(photos, tmp_path):
    done = in_namespace(f"mount -t tmpfs none {tmp_path} && mount -o remount,ro {tmp_path} && exec {BINARY} features {photos} -o {tmp_path}/out {' '.join(MODEL)}")
    assert done.returncode == 1 and f"{tmp_path}/out" in done.stderr and "mounted read-only: name another place" in done.stderr, done


@pytest.mark.parametrize("what", ["folder above", "state"])
def test_a_place_that_this_user_may_not_write_to(photos, tmp_path, what):
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("needs root, and setpriv")
    above = Path("/tmp") / f"pomona-{os.getpid()}"  # pytest's own folders are closed to others
    above.mkdir(mode=0o755)
    try:
        shutil.copytree(photos, above / "photos")
        shutil.copy(BINARY, above / "pomona")
        args = ("features", above / "photos", "-o", above / "out", *MODEL)
        if what == "state":  # of an earlier run, by another user
            pomona(*args)
            photograph(99).save(above / "photos" / "99.jpg")
        done = subprocess.run([*NOBODY, above / "pomona", *map(str, args)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and f"{above}/out" in done.stderr, done
        assert "Permission denied; have the permission given, or name another place" in done.stderr
    finally:
        shutil.rmtree(above)
