"""Columns of features: array<float>, or vectors of MLlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def is_vector(df: DataFrame, name: str) -> bool:
    """By its name: pyspark.ml takes a second to import, and whoever has vectors has imported it."""
    return type(df.schema[name].dataType).__name__ == "VectorUDT"


def as_list(df: DataFrame, name: str) -> Any:
    """The column as array<float>; nulls stay."""
    from pyspark.sql.functions import col, when

    if not is_vector(df, name):
        return col(name).cast("array<float>")
    from pyspark.ml.functions import vector_to_array

    return when(col(name).isNotNull(), vector_to_array(col(name), "float32"))


def with_vectors(df: DataFrame, name: str) -> DataFrame:
    """The frame with this column of lists as vectors; nulls stay."""
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql.functions import col, when

    return df.withColumn(name, when(col(name).isNotNull(), array_to_vector(col(name).cast("array<double>"))))


def present(column: Any) -> Any:
    """Of an Arrow array: which of its values are not null."""
    bitmap = column.buffers()[0]
    if bitmap is None or column.null_count == 0:
        return np.ones(len(column), np.bool_)
    start = column.offset
    return np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")[start : start + len(column)].astype(np.bool_)


def table(column: Any) -> Any:
    """Those of Arrow's list<float> that are not null, as float32 (n, d), where they lie."""
    ends = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, 4 * column.offset)
    starts, lengths = ends[:-1][present(column)], np.diff(ends)[present(column)]
    d = int(lengths[0]) if len(lengths) else 0
    if d == 0 or (lengths != d).any() or (np.diff(starts) != d).any() or column.values.null_count:
        raise ArgumentError("features are lists of the same length, without nulls")
    data, first = column.values.buffers()[1], column.values.offset + int(starts[0])
    return np.frombuffer(data, np.float32, len(starts) * d, 4 * first).reshape(-1, d)


# pyarrow.array() imports pandas wherever there is one, half a second of each worker's start; these are of its buffers.


def numbers(values: Any, kind: Any) -> Any:
    """A numpy array as Arrow's of the same type."""
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def binaries(values: list[bytes | None], kind: Any) -> Any:
    """As Arrow's binary, or as the string that they are in UTF-8."""
    import pyarrow as pa

    there = np.array([value is not None for value in values], np.bool_)
    ends = np.cumsum([0, *(len(value or b"") for value in values)], dtype=np.int32)
    return pa.Array.from_buffers(kind, len(values), [_bitmap(there), pa.py_buffer(ends), pa.py_buffer(b"".join(value or b"" for value in values))])


def strings(values: list[str | None]) -> Any:
    import pyarrow as pa

    return binaries([value if value is None else value.encode() for value in values], pa.string())


def lists(rows: Any, there: Any) -> Any:
    """float32 (n, d) as Arrow's list<float>: a null where there is false, the next of the rows where it is true."""
    import pyarrow as pa

    ends = np.cumsum(np.concatenate([[0], there * rows.shape[1]]), dtype=np.int32)
    values = numbers(rows.reshape(-1), pa.float32())
    return pa.Array.from_buffers(pa.list_(pa.float32()), len(there), [_bitmap(there), pa.py_buffer(ends)], children=[values])


def _bitmap(there: Any) -> Any:
    import pyarrow as pa

    return None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
