"""Binary and string columns by the Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html).

Whatever has __arrow_c_array__ or __arrow_c_stream__ does: pyarrow, polars, nanoarrow, DuckDB, pandas. The values stay where
they are; only a table of their addresses is made.
"""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from typing import Any, Callable, List, Tuple

import numpy as np
import numpy.typing as npt

from .errors import ArgumentError, UnsupportedError

#: struct pom_bytes
BYTES = np.dtype([("data", np.uintp), ("n_bytes", np.uintp)])

Table = npt.NDArray[Any]
Nulls = npt.NDArray[np.bool_]


class Schema(Structure):
    pass


class Array(Structure):
    pass


class Stream(Structure):
    pass


Schema._fields_ = [
    ("format", c_char_p), ("name", c_char_p), ("metadata", c_void_p), ("flags", c_int64), ("n_children", c_int64),
    ("children", c_void_p), ("dictionary", c_void_p), ("release", CFUNCTYPE(None, POINTER(Schema))), ("private_data", c_void_p),
]  # fmt: skip
Array._fields_ = [
    ("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64), ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)), ("children", c_void_p), ("dictionary", c_void_p),
    ("release", CFUNCTYPE(None, POINTER(Array))), ("private_data", c_void_p),
]  # fmt: skip
Stream._fields_ = [
    ("get_schema", CFUNCTYPE(c_int, POINTER(Stream), POINTER(Schema))),
    ("get_next", CFUNCTYPE(c_int, POINTER(Stream), POINTER(Array))),
    ("get_last_error", CFUNCTYPE(c_char_p, POINTER(Stream))),
    ("release", CFUNCTYPE(None, POINTER(Stream))), ("private_data", c_void_p),
]  # fmt: skip

_capsule_pointer: Any = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype, _capsule_pointer.argtypes = c_void_p, [ctypes.py_object, c_char_p]


class Column:
    """A chunk of a column: where its values lie, for as long as this object lives."""

    def __init__(self, kind: str, array: Any, keep: object) -> None:
        self._keep = keep
        self.text = kind in ("u", "U", "vu")
        self.table, self.nulls = _READERS[kind](array), _nulls(array)


class _Owned:
    """A structure filled by a producer, released with this object."""

    def __init__(self, kind: Any) -> None:
        self.value = kind()

    def __del__(self) -> None:
        if self.value.release:
            self.value.release(ctypes.byref(self.value))


def is_arrow(value: object) -> bool:
    return hasattr(value, "__arrow_c_array__") or hasattr(value, "__arrow_c_stream__")


def columns(value: Any) -> List[Column]:
    """The chunks of a binary or string column."""
    if hasattr(value, "__arrow_c_array__"):
        schema, array = value.__arrow_c_array__()
        kind = _kind(Schema.from_address(_capsule_pointer(schema, b"arrow_schema")))
        return [Column(kind, Array.from_address(_capsule_pointer(array, b"arrow_array")), array)]
    return _stream_columns(value.__arrow_c_stream__())


def _stream_columns(capsule: Any) -> List[Column]:
    stream = Stream.from_address(_capsule_pointer(capsule, b"arrow_array_stream"))
    schema = _Owned(Schema)
    _call(stream, stream.get_schema, schema)
    kind = _kind(schema.value)
    found: List[Column] = []
    while True:
        array = _Owned(Array)
        _call(stream, stream.get_next, array)
        if not array.value.release:
            return found
        found.append(Column(kind, array.value, array))


def _call(stream: Any, function: Callable[..., int], out: _Owned) -> None:
    if function(ctypes.byref(stream), ctypes.byref(out.value)):
        cause = stream.get_last_error(ctypes.byref(stream)) or b"no cause given"
        raise ArgumentError(f"the Arrow stream failed: {cause.decode('utf-8', 'replace')}")


def _kind(schema: Any) -> str:
    kind = str(schema.format.decode())
    if kind in _READERS and not schema.dictionary:
        return kind
    what = "a dictionary" if schema.dictionary else f"format {kind!r}"
    raise UnsupportedError(f"an Arrow column of {what}: images are a column of binary, paths one of strings")


def _view(address: int, dtype: Any, start: int, n: int) -> npt.NDArray[Any]:
    """n values of memory that others own, from the start-th on."""
    dtype = np.dtype(dtype)
    if n == 0 or not address:
        return np.zeros(n, dtype)
    memory = (ctypes.c_char * (n * dtype.itemsize)).from_address(address + start * dtype.itemsize)
    return np.frombuffer(memory, dtype)


def _nulls(array: Any) -> Nulls:
    bitmap, n = array.buffers[0], array.length
    if not bitmap or array.null_count == 0:
        return np.zeros(n, np.bool_)
    bits = _view(bitmap, np.uint8, 0, (array.offset + n + 7) // 8)
    nulls: Nulls = np.unpackbits(bits, bitorder="little")[array.offset : array.offset + n] == 0
    return nulls


def _table(data: npt.NDArray[Any], n_bytes: npt.NDArray[Any]) -> Table:
    table = np.empty(len(n_bytes), BYTES)
    table["data"], table["n_bytes"] = data, n_bytes
    return table


def _by_offsets(offset_type: Any) -> Callable[[Any], Table]:
    def read(array: Any) -> Table:
        if array.length == 0:
            return np.empty(0, BYTES)
        offsets = _view(array.buffers[1], offset_type, array.offset, array.length + 1).astype(np.int64)
        return _table((array.buffers[2] or 0) + offsets[:-1], np.diff(offsets))

    return read


def _by_views(array: Any) -> Table:
    """Binary views: 16 bytes each, which hold a value of up to 12 bytes, or say in which buffer and where it lies."""
    views = _view(array.buffers[1], np.int32, 4 * array.offset, 4 * array.length).reshape(-1, 4)
    inline = (array.buffers[1] or 0) + 16 * (array.offset + np.arange(array.length, dtype=np.int64)) + 4
    buffers = np.array([array.buffers[i] or 0 for i in range(2, array.n_buffers - 1)] or [0], np.int64)
    short = views[:, 0] <= 12
    far = buffers[np.where(short, 0, views[:, 2])] + views[:, 3]
    return _table(np.where(short, inline, far), views[:, 0])


_READERS = {
    "z": _by_offsets(np.int32), "u": _by_offsets(np.int32), "Z": _by_offsets(np.int64), "U": _by_offsets(np.int64),
    "vz": _by_views, "vu": _by_views,
}  # fmt: skip

__all__: Tuple[str, ...] = ("BYTES", "Column", "Table", "columns", "is_arrow")
