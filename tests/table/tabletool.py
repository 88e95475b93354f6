"""The program tabletool beside this file, for Python tests, and the values that its tables hold."""
import json
import pathlib
import subprocess

import numpy as np

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build/tests/table/tabletool"


def values(rows, width):
    """The features that tabletool's value_of makes, as float32."""
    row = np.arange(rows, dtype=np.uint32)[:, None]
    i = np.arange(width, dtype=np.uint32)[None]
    h = (row * np.uint32(2654435761)) ^ (i * np.uint32(2246822519))
    h ^= h >> np.uint32(15)
    h = h * np.uint32(2654435769)
    return np.where(h % 4 == 0, np.float32(0), ((h >> np.uint32(8)).astype(np.float32) - np.float32(8388608)) / np.float32(1048576))


def paths(rows):
    return [f"s3://bucket/äpfel/{i:06d}.jpg" for i in range(rows)]


def labels(rows):
    return [f'Apple "{i % 67}"' for i in range(rows)]


def make(path, rows, width, kind="list"):
    """Writes a table; kind is list or spark. Returns its path as text."""
    subprocess.run([PROGRAM, "make", path, str(rows), str(width), kind], check=True)
    return str(path)


def cat(path, kind="list"):
    """Reads path, label and features by our reader, as lists of floats or (kind double) of doubles."""
    done = subprocess.run([PROGRAM, "cat", path, kind], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]
