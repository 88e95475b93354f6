#!/usr/bin/env python3
"""The shared library against the installed Pillow, pixel for pixel: real photographs decoded and resized, and every golden
picture whole, cut and with damaged bytes. Skipped by name where the photographs or Pillow are absent.

usage: parity.py LIBPOMONA DATA-FOLDER GOLDEN-FOLDER [EVERY-NTH-PHOTOGRAPH]
"""
import ctypes, io, os, sys, warnings
from pathlib import Path

PYTHON = Path(__file__).resolve().parents[2] / ".deps/venv/bin/python"
if PYTHON.exists() and Path(sys.prefix).resolve() != PYTHON.parents[1].resolve():
    os.execv(PYTHON, [PYTHON, *sys.argv])
try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError:
    print("SKIPPED image-parity: .deps/venv with numpy and Pillow is absent")
    sys.exit(77)

FILTERS = [Image.BICUBIC, Image.BILINEAR, Image.LANCZOS, Image.BOX, Image.NEAREST]  # in the order of enum pom_filter
SIZES = [(224, 224), (64, 48), (150, 400), (331, 100), (17, 17)]


class PomImage(ctypes.Structure):
    _fields_ = [("rgb", ctypes.POINTER(ctypes.c_uint8)), ("width", ctypes.c_int), ("height", ctypes.c_int), ("capacity", ctypes.c_size_t)]


class Library:
    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        self.image, self.small = PomImage(), PomImage()

    @staticmethod
    def pixels(image):
        return np.ctypeslib.as_array(image.rgb, (image.height, image.width, 3))

    def decode(self, data):
        """Pixels, or None where it is refused."""
        status = self.c.pom_image_decode(data, ctypes.c_size_t(len(data)), None, ctypes.byref(self.image), None)
        return None if status else self.pixels(self.image)

    def resize(self, width, height, filter):
        assert self.c.pom_image_resize(ctypes.byref(self.image), width, height, filter, ctypes.byref(self.small), None) == 0
        return self.pixels(self.small)


def by_pillow(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data))
            return ImageOps.exif_transpose(image).convert("RGB") if image.format in ("JPEG", "MPO", "PNG", "WEBP") else None
        except Exception:
            return None


def photographs(library, folder, step):
    files = sorted(folder.rglob("*.jpg"))[::step]
    wrong = 0
    for i, file in enumerate(files):
        data = file.read_bytes()
        expected, got = by_pillow(data), library.decode(data)
        same = got is not None and np.array_equal(got, np.asarray(expected))
        width, height = SIZES[i % len(SIZES)]
        for filter, code in enumerate(FILTERS):
            same = same and np.array_equal(library.resize(width, height, filter), np.asarray(expected.resize((width, height), code)))
        if not same:
            print(f"{file}: other pixels than Pillow's")
            wrong += 1
    print(f"{len(files)} photographs, {len(files) * len(FILTERS)} resizes: {wrong} differ from Pillow {Image.__version__}")
    return wrong


def damaged_jpegs(library, golden):
    """What Pillow reads of a damaged JPEG is read alike, and what it refuses is refused."""
    rng, n, wrong = np.random.default_rng(5), 0, 0
    for file in sorted(golden.glob("files/jpeg-*.jpg")):
        data = file.read_bytes()
        cases = [data[:cut] for cut in range(2, len(data), max(1, len(data) // 20))]
        for at in rng.integers(len(data) // 2, len(data), 10):
            cases.append(data[:at] + bytes([rng.integers(0, 256)]) + data[at + 1 :])
        for case in cases:
            expected, got = by_pillow(case), library.decode(case)
            n += 1
            if (expected is None) != (got is None) or (got is not None and not np.array_equal(got, np.asarray(expected))):
                print(f"{file.name}, {len(case)} of {len(data)} bytes: Pillow {'refuses' if expected is None else 'reads'}, we {'refuse' if got is None else 'read'}")
                wrong += 1
    print(f"{n} damaged JPEGs: {wrong} differ from Pillow")
    return wrong


def main(library, data, golden, step="60"):
    library = Library(library)
    wrong = damaged_jpegs(library, Path(golden))
    if not Path(data).is_dir():
        print(f"SKIPPED image-parity: {data} with real photographs is absent")
        return 1 if wrong else 77
    return 1 if wrong + photographs(library, Path(data), int(step)) else 0


sys.exit(main(*sys.argv[1:]))
