"""--memory bounds the process, and threads and memory are those that the process was given, not the machine's."""
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, MOBILENET, PIXELS, photograph, receipt  # noqa: E402
import servers  # noqa: E402

LARGE = int(os.environ.get("POMONA_LARGE", "3"))  # pictures of 12,000 x 12,000 pixels: 432 MB each as RGB; a second of CPU each
MIB = 1 << 20


def measured(*args, env=None, timeout=300):
    """Exit status, what was said, and the peak of the resident memory as the kernel has it (VmHWM), in MiB."""
    process = subprocess.Popen([BINARY, *map(str, args)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env)
    peak = [0]

    def watch():
        while process.poll() is None:
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
            except (FileNotFoundError, ProcessLookupError):
                return
            peak[0] = int(found[1]) / 1024 if found else peak[0]  # the last counts: before exec it is our own
            stop.wait(0.01)

    stop = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        said = process.communicate(timeout=timeout)[1]
    finally:
        process.kill()
        watcher.join()
    return process.returncode, said, peak[0]


@pytest.fixture(scope="module")
def pictures():
    """Of 12,000 x 12,000 pixels: as a camera has it, turned, a PNG, and two that cannot be decoded by rows."""
    large = photograph(1, (12000, 12000))
    turned = Image.Exif()
    turned[0x0112] = 6
    plain, progressive = io.BytesIO(), io.BytesIO()
    large.save(plain, "JPEG", quality=85)
    large.save(progressive, "JPEG", quality=85, progressive=True)
    exif = turned.tobytes()
    app1 = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    png, webp = io.BytesIO(), io.BytesIO()
    Image.new("RGB", large.size, "peru").save(png, "PNG", compress_level=1)
    Image.new("RGB", large.size, "peru").save(webp, "WEBP", lossless=True, quality=0, method=0)
    by_rows = plain.getvalue(), plain.getvalue()[:2] + app1 + plain.getvalue()[2:]
    return {"jpg": by_rows, "png": png.getvalue(), "progressive.jpg": progressive.getvalue(), "whole.webp": webp.getvalue()}


def fill(put, pictures):
    for i in range(LARGE - 1):
        put(f"large/{i:02}.jpg", pictures["jpg"][i % 2])
    put("large/rows.png", pictures["png"])
    for name in "progressive.jpg", "whole.webp":
        put(f"large/{name}", pictures[name])
    for i in range(200):
        data = io.BytesIO()
        photograph(i).save(data, "JPEG")
        put(f"small/{i:03}.jpg", data.getvalue())


def check(code, said, peak, rows, errors):
    print(f"peak {peak:.0f} MiB")
    assert code == 2 and len(rows) == LARGE + 200, said
    assert list(errors.path.str.rsplit("/", n=1).str[-1]) == ["progressive.jpg", "whole.webp"]
    for cause in errors.cause:
        wanted = re.search(r"^use --memory (\d+)M or more: decoding 12000x12000 pixels takes", cause)
        assert wanted and 1000 < int(wanted[1]) < 4000, cause
    assert peak < 512


def test_large_pictures_in_a_folder(pictures, tmp_path):
    def put(key, data):
        (tmp_path / "photos" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / key).write_bytes(data)
    fill(put, pictures)
    out = tmp_path / "out"
    done = measured("features", tmp_path / "photos", "-o", out, *PIXELS, "--memory", "512M", "--threads", 2)
    check(*done, pd.read_parquet(out / "features.parquet"), pd.read_parquet(out / "errors.parquet"))
    assert receipt(out)["host"]["peak_memory_bytes"] < 512 * MIB


@pytest.mark.skipif(not (servers.SERVERS / "versitygw").exists(), reason=".deps/servers/versitygw is not there")
@pytest.mark.skipif(not MOBILENET.exists(), reason="../shared/models/mobilenetv2.onnx is not there")
def test_large_pictures_in_a_bucket(pictures, tmp_path):
    with servers.versitygw(tmp_path / "versitygw") as server:
        server.client.create_bucket(Bucket="photos")
        fill(lambda key, data: server.put("photos", key, data), pictures)
        out = tmp_path / "out"
        done = measured("features", "s3://photos", "-o", out, "--model", MOBILENET, "--memory", "512M", "--threads", 2, env=server.env)
        check(*done, pd.read_parquet(out / "features.parquet"), pd.read_parquet(out / "errors.parquet"))


def small_job(folder, *args, prefix=(), **options):
    for i in range(4):
        (folder / "photos").mkdir(exist_ok=True)
        photograph(i).save(folder / "photos" / f"{i}.png")
    done = subprocess.run([*prefix, BINARY, "features", folder / "photos", "-o", folder / "out", *PIXELS, *args], text=True,
                          capture_output=True, timeout=60, **options)
    assert done.returncode == 0, done.stderr
    return receipt(folder / "out")


def test_threads_are_those_of_the_affinity_mask(tmp_path):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("this process may use one CPU only")
    cpu = str(min(os.sched_getaffinity(0)))
    assert small_job(tmp_path, prefix=("taskset", "-c", cpu))["host"]["threads"] == 1
    doctor = subprocess.run(["taskset", "-c", cpu, BINARY, "doctor"], text=True, capture_output=True, timeout=60)
    assert re.search(r"threads\W+1\b", doctor.stdout + doctor.stderr), doctor.stdout


def make_cgroup(limits):
    """Own cgroups with these limits (file under /sys/fs/cgroup -> value); skips where this user may not make them."""
    made = []
    try:
        for file, value in limits.items():
            group = Path("/sys/fs/cgroup", file).parent
            if not group.exists():
                group.mkdir()
                made.append(group)
            (group / Path(file).name).open("r+").write(value)
    except OSError as error:
        for group in made:
            group.rmdir()
        pytest.skip(f"no cgroup with limits can be made here: {error}")
    return made


@pytest.fixture
def cgroups():
    """Of version 2, or of version 1 where that is what the machine has."""
    name = f"pomona-test-{os.getpid()}"
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        limits = {f"{name}/memory.max": str(300 * MIB), f"{name}/cpu.max": "100000 100000"}
    else:
        limits = {f"memory/{name}/memory.limit_in_bytes": str(300 * MIB), f"cpu/{name}/cpu.cfs_period_us": "100000",
                  f"cpu/{name}/cpu.cfs_quota_us": "100000"}
    made = make_cgroup(limits)
    yield made
    for group in made:
        group.rmdir()


def test_threads_and_memory_are_those_of_the_cgroup(tmp_path, cgroups):
    def enter():
        for group in cgroups:
            (group / "cgroup.procs").write_text(str(os.getpid()))
    assert small_job(tmp_path, preexec_fn=enter)["host"]["threads"] == 1
    doctor = subprocess.run([BINARY, "doctor"], text=True, capture_output=True, timeout=60, preexec_fn=enter)
    said = doctor.stdout + doctor.stderr
    assert re.search(r"threads\W+1\b", said) and "300 MiB" in said, said
