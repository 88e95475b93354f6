"""The package under test: the one that `make python` lays out in build/site, unless another is installed where pytest runs."""
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("POMONA_SITE", ROOT / "build" / "site"))
if SITE.exists():
    sys.path.insert(0, str(SITE))


def picture(seed, size=(60, 44)):
    """A smooth random picture."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (5, 6, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)


def encoded(image, kind):
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="session")
def images():
    """Twenty encoded pictures of three formats."""
    return [encoded(picture(seed), ("JPEG", "PNG", "WEBP")[seed % 3]) for seed in range(20)]


@pytest.fixture(scope="session")
def model():
    import pomona

    return pomona.Model.load("efficientnet-lite0")


@pytest.fixture(scope="session")
def features(model, images):
    return model.featurize(images, threads=1, batch=1)


@pytest.fixture(scope="session")
def table():
    """Correlated rows: 300 of 40 features."""
    rng = np.random.default_rng(3)
    return (rng.normal(size=(300, 12)) @ rng.normal(size=(12, 40)) + 0.1 * rng.normal(size=(300, 40)) + 5).astype(np.float32)
