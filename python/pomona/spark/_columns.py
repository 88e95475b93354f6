"""Columns of features: array<float>, or vectors of MLlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


def is_vector(df: DataFrame, name: str) -> bool:
    from pyspark.ml.linalg import VectorUDT

    return isinstance(df.schema[name].dataType, VectorUDT)


def as_list(df: DataFrame, name: str) -> Any:
    """The column as array<float>; nulls stay."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql.functions import col, when

    if not is_vector(df, name):
        return col(name).cast("array<float>")
    return when(col(name).isNotNull(), vector_to_array(col(name), "float32"))


def with_vectors(df: DataFrame, name: str) -> DataFrame:
    """The frame with this column of lists as vectors; nulls stay."""
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql.functions import col, when

    return df.withColumn(name, when(col(name).isNotNull(), array_to_vector(col(name).cast("array<double>"))))


def table(column: pa.Array) -> Any:
    """Arrow's lists as float32 (n, d), where they lie."""
    values = column.flatten()
    if len(column) == 0 or len(values) % len(column) or values.null_count:
        raise ArgumentError("features are lists of the same length, without nulls")
    return np.asarray(values, np.float32).reshape(len(column), -1)


def lists(rows: Any, present: Any) -> pa.Array:
    """float32 (n, d) as Arrow's list<float>: a null where present is false, the next of the rows where it is true."""
    import pyarrow as pa

    ends = np.concatenate([[0], np.cumsum(present)]).astype(np.int32) * rows.shape[1]
    absent = np.concatenate([~present, [False]])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32(), mask=absent), pa.array(rows.reshape(-1), pa.float32()))
