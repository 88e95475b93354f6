"""Fixtures of the tests that run the built binary on real files."""
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("POMONA", ROOT / "build" / "pomona")).resolve()
FRUITS = ROOT.parent / "shared" / "data" / "fruits-360"
MOBILENET = ROOT.parent / "shared" / "models" / "mobilenetv2.onnx"
PIXELS = ("--model", "pixels", "--size", "16")
os.environ["POMONA_CONFIG"] = ""  # a developer's own settings are not part of a test


def pomona(*args, code=0, **options):
    """Runs the binary, checks the exit status, and returns what it printed on stderr; stdout has to stay empty."""
    done = subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, errors="replace", timeout=300, **options)
    assert done.returncode == code, f"exit {done.returncode}, wanted {code}\n{done.stdout}{done.stderr}"
    if args and args[0] == "features" and "--help" not in args:
        assert done.stdout == ""
    return done.stderr


def receipt(dest):
    return json.loads((Path(dest) / "run.json").read_text())


def photograph(seed, size=(100, 80)):
    """Smooth colours, as photographs have, different for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.BICUBIC)


@pytest.fixture
def photos(tmp_path):
    """24 photographs in three folders, as JPEG, PNG and WebP."""
    for i in range(24):
        folder = tmp_path / "photos" / ("apple", "cherry red", "tomato")[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        photograph(i).save(folder / f"{i:02}{('.jpg', '.png', '.webp', '.JPEG')[i % 4]}")
    return tmp_path / "photos"


@pytest.fixture(scope="session")
def fruits():
    if not FRUITS.exists():
        pytest.skip("../shared/data/fruits-360 is not there")
    return FRUITS


@pytest.fixture(scope="session")
def mobilenet():
    if not MOBILENET.exists():
        pytest.skip("../shared/models/mobilenetv2.onnx is not there")
    return MOBILENET
