"""Encoded images as the library takes them: tables of struct pom_bytes, over memory that others own."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Dict, Iterable, List, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _arrow
from .errors import ArgumentError, Error, IOFailure, NotFoundError

#: What `featurize` takes: encoded images, or paths of them.
Images = Union[Iterable[Union[bytes, bytearray, memoryview, str, "os.PathLike[str]", None]], Any]


class Part:
    """A run of images, for as long as this object lives."""

    def __init__(self, table: _arrow.Table, failures: Dict[int, Error], keep: object) -> None:
        self.table, self.failures, self._keep = table, failures, keep


class Column:
    """A column of Arrow's."""

    def __init__(self, chunks: List[_arrow.Column]) -> None:
        empty = np.empty(0, _arrow.BYTES)
        self._table = np.concatenate([empty, *(chunk.table for chunk in chunks)])
        self._nulls = np.concatenate([np.empty(0, np.bool_), *(chunk.nulls for chunk in chunks)])
        self._keep = chunks

    def __len__(self) -> int:
        return len(self._table)

    def name(self, i: int) -> str:
        return f"image {i}"

    def part(self, start: int, stop: int) -> Part:
        nulls = np.flatnonzero(self._nulls[start:stop])
        return Part(self._table[start:stop], {int(i): _nothing() for i in nulls}, None)


class Listed:
    """A list of bytes-like objects and of paths; a file is read when its turn comes."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def name(self, i: int) -> str:
        item = self._items[i]
        return os.fsdecode(item) if isinstance(item, (str, os.PathLike)) else f"image {i}"

    def part(self, start: int, stop: int) -> Part:
        views: List[npt.NDArray[np.uint8]] = []
        failures = {}
        for i, item in enumerate(self._items[start:stop]):
            try:
                views.append(_view(item))
            except Error as error:
                failures[i] = error
                views.append(np.empty(0, np.uint8))
        table = np.array([(view.ctypes.data, view.nbytes) for view in views], _arrow.BYTES)
        return Part(table, failures, views)


def _nothing() -> Error:
    return ArgumentError("no image: the value is null")


def _view(item: Any) -> npt.NDArray[np.uint8]:
    """The bytes of an image, copied only where it is a file."""
    if item is None:
        raise _nothing()
    if isinstance(item, (str, os.PathLike)):
        item = _read(item)
    try:
        return np.frombuffer(item, np.uint8) if len(item) else np.empty(0, np.uint8)
    except (TypeError, ValueError, BufferError) as error:
        raise TypeError(f"an image is bytes or a path, not {type(item).__name__}") from error


def _read(path: Any) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise NotFoundError("no such file") from None
    except (OSError, ValueError) as error:
        raise IOFailure(getattr(error, "strerror", None) or str(error)) from None


def images_of(images: Images) -> Union[Column, Listed]:
    """The caller's images, whatever they came as."""
    if isinstance(images, (str, bytes, bytearray, memoryview, os.PathLike)):
        raise TypeError("a list of images is wanted, not one image")
    if not _arrow.is_arrow(images):
        return Listed(images if isinstance(images, (list, tuple)) else list(images))
    chunks = _arrow.columns(images)
    if any(chunk.text for chunk in chunks):
        return Listed([path for chunk in chunks for path in _texts(chunk)])
    return Column(chunks)


def _texts(chunk: _arrow.Column) -> List[Union[str, None]]:
    return [
        None if null else ctypes.string_at(int(value["data"]), int(value["n_bytes"])).decode()
        for value, null in zip(chunk.table, chunk.nulls)
    ]
