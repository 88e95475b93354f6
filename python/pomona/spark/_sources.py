"""Where a batch's images come from: its own column of encoded images, its pixels, or files that the worker reads."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Protocol, Tuple
from urllib.parse import unquote

if TYPE_CHECKING:
    import pyarrow as pa

READS = 16  # under way at once, per worker: what waits for a bucket takes no CPU


class Part(NamedTuple):
    """A few images."""

    paths: List[Optional[str]]
    images: Any  #: what Model.featurize takes
    failures: Dict[int, str]  #: those that could not even be read: the place in images, and why


class Source(Protocol):
    def parts(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Part]: ...


class Content:
    """path, content: encoded images, taken where they lie."""

    def parts(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Part]:
        for batch in batches:
            yield Part(batch.column(0).to_pylist(), batch.column(1), {})


class Pixels:
    """origin (percent-encoded), height, width, nChannels, data: rows of Spark's image source, 8 bits per channel, BGR, BGRA or gray."""

    def parts(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Part]:
        for batch in batches:
            images: List[Optional[bytes]] = []
            failures: Dict[int, str] = {}
            for i, row in enumerate(zip(*(column.to_pylist() for column in batch.columns[1:]))):
                try:
                    images.append(png(*row))
                except (TypeError, ValueError) as error:
                    images.append(None)
                    failures[i] = str(error)
            yield Part([origin and unquote(origin) for origin in batch.column(0).to_pylist()], images, failures)


class Files:
    """path: read by the worker itself, those of the next part while this one is in the network."""

    def parts(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Part]:
        with ThreadPoolExecutor(READS, "pomona-read") as pool:
            ahead: Optional[Tuple[List[Optional[str]], List[Future[bytes]]]] = None
            for batch in batches:
                paths = batch.column(0).to_pylist()
                reads = [pool.submit(read, path) for path in paths]
                if ahead:
                    yield _read(*ahead)
                ahead = paths, reads
            if ahead:
                yield _read(*ahead)


def _read(paths: List[Optional[str]], reads: List[Future[bytes]]) -> Part:
    causes = {i: read.exception() for i, read in enumerate(reads)}
    failures = {i: getattr(cause, "strerror", None) or str(cause) for i, cause in causes.items() if cause}
    return Part(paths, [None if i in failures else read.result() for i, read in enumerate(reads)], failures)


def read(path: Optional[str]) -> bytes:
    """A file's bytes: local ones by open, the others by pyarrow, with the credentials that it finds."""
    if path is None:
        raise ValueError("no path: the value is null")
    scheme, colon, rest = path.partition(":")
    if not colon or "/" in scheme:
        scheme, rest = "file", path
    if scheme == "file":
        with open("/" + rest.lstrip("/") if colon and rest.startswith("//") else rest, "rb") as file:
            return file.read()
    authority, _, key = rest.lstrip("/").partition("/")
    with _file_system({"s3a": "s3", "s3n": "s3"}.get(scheme, scheme), authority).open_input_file(
        f"/{key}" if scheme == "hdfs" else f"{authority}/{key}"
    ) as remote:
        return bytes(remote.read())


@lru_cache(maxsize=None)
def _file_system(scheme: str, authority: str) -> Any:
    from pyarrow.fs import FileSystem

    patience = "?retry_limit_seconds=60" if scheme == "gs" else ""  # its own is 15 minutes, also where there are no credentials at all
    return FileSystem.from_uri(f"{scheme}://{authority}/{patience}")[0]


COLOURS = {1: 0, 3: 2, 4: 6}  # channels -> PNG's colour type: gray, RGB, RGBA


def png(height: Optional[int], width: Optional[int], channels: Optional[int], data: Optional[bytes]) -> bytes:
    """The pixels as a PNG without compression, so that gray and alpha are treated as in any other image.
    https://www.w3.org/TR/png-3/"""
    import numpy as np

    if not data or not height or not width or channels not in COLOURS:
        raise ValueError("no image: Spark could not decode it")
    if len(data) != height * width * channels:
        raise ValueError(f"an image of {width} x {height} x {channels} has {height * width * channels} bytes, not {len(data)}")
    pixels = np.frombuffer(data, np.uint8).reshape(height, width, channels)
    lines = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = pixels[:, :, [2, 1, 0, 3][:channels] if channels > 1 else [0]].reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, COLOURS[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
