"""What the tests of pomona.spark share: photographs with the program's own results, Spark's Pythons, and a way to run scripts with them."""
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "peers"), str(ROOT / "tests" / "stats")]
SITE = Path(os.environ.get("POMONA_SITE", ROOT / "build" / "site"))
BINARY = Path(os.environ.get("POMONA", ROOT / "build" / "pomona")).resolve()
SPARKS = ("peers-spark35", "peers-spark4")
MODEL = "efficientnet-lite0"


def python_of(venv):
    python = ROOT / ".deps" / venv / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no .deps/{venv}: tools/deps.sh peers makes it")
    if not (SITE / "pomona" / "spark").exists():
        pytest.skip(f"no pomona.spark in {SITE}: make python")
    return python


def environment(venv, **extra):
    """That of a node: the package, one Python, and nothing of the caller's Spark or proxies."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_", "HADOOP_")) and "proxy" not in name.lower()}
    python = python_of(venv)
    paths = os.pathsep.join((str(SITE), str(ROOT / "tests" / "stats")))
    return {**own, "PYTHONPATH": paths, "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1", "OMP_NUM_THREADS": "1",
            "POMONA": str(BINARY), **{name: str(value) for name, value in extra.items()}}


def run_script(venv, script, *arguments, seconds=480, **extra):
    """What the script printed. It and what it started are ended when the time is up."""
    command = [python_of(venv), Path(__file__).parent / script, *arguments]
    process = subprocess.Popen([str(c) for c in command], env=environment(venv, **extra), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True)
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        raise AssertionError(f"{script} did not end within {seconds} s:\n{out[-6000:]}") from None
    assert process.returncode == 0, f"{out[:2000]}\n...\n{out[-6000:]}"
    return out


def write_photographs(folder):
    """45 pictures in three folders, some gray or transparent, and three files that are none."""
    import numpy as np
    from PIL import Image

    for i in range(45):
        coarse = np.random.default_rng(i).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((100, 80), Image.BICUBIC).convert({7: "L", 11: "RGBA"}.get(i, "RGB"))
        if i == 11:
            picture.putalpha(picture.getchannel("R"))
        label = folder / ("apple", "cherry red", "tomate déjà 100%")[i % 3]
        label.mkdir(parents=True, exist_ok=True)
        picture.save(label / f"{i:02}{('.png', '.jpg', '.webp')[i % 3] if i not in (7, 11) else '.png'}")
    whole = (folder / "cherry red" / "01.jpg").read_bytes()
    (folder / "apple" / "empty.jpg").write_bytes(b"")
    (folder / "apple" / "none.jpg").write_text("no picture at all")
    (folder / "cherry red" / "half.jpg").write_bytes(whole[:200])


@pytest.fixture(scope="session")
def job(tmp_path_factory):
    """A folder with photos/, and table/ as the program makes it of them."""
    folder = tmp_path_factory.mktemp("job")
    write_photographs(folder / "photos")
    done = subprocess.run([BINARY, "features", folder / "photos", "-o", folder / "table", "--model", MODEL, "--pca", "0.90", "--quiet"],
                          env={**os.environ, "POMONA_CONFIG": ""}, timeout=120)
    assert done.returncode == 2  # all but the three
    return folder
