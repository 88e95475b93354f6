"""fit_projection: a scaler and a PCA from the merged moments of a frame's features."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Tuple, Union

import numpy as np

from ..errors import ArgumentError, FormatError
from ..stats import PCA, Moments
from ._batches import small_batches
from ._files import read_file, write_file
from ._worker import lists, task_threads

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

PIECE = 1 << 20  # bytes of moments in a row
PIECES = "part int, piece int, last boolean, moments binary"


def fit_projection(
    df: DataFrame, k: Union[int, float] = 0.90, *, features_col: str = "features", scale: bool = True, center: bool = True
) -> Projection:
    """The scaler and PCA of the features (array<float>, or vectors of MLlib), as `pomona features --pca k` fits them.

    k: how many components, or the share of the variance, in (0, 1), that the fewest components must explain.
    scale, center: as `pomona.PCA`.

    Rows without features are left out. Each partition becomes its moments (4 d² bytes, whatever its rows), which are merged
    in two rounds on the executors, always in the same order; the driver gets one.
    """
    small_batches(df.sparkSession)
    parts = _floats(df, features_col).mapInArrow(_moments, PIECES)
    for merged in (max(df.sparkSession.sparkContext.defaultParallelism, 1), 1):
        parts = _merged(parts, merged)
    rows = parts.collect()
    if not rows:
        raise ArgumentError(f"the frame has no row with {features_col}")
    moments = Moments.from_bytes(b"".join(bytes(row.moments) for row in sorted(rows, key=lambda row: int(row.piece))))
    return Projection(PCA.from_moments(moments, k, scale=scale, center=center))


def _floats(df: DataFrame, column: str) -> DataFrame:
    """The one column, as array<float>, without nulls."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql.functions import col

    present, values = df.where(col(column).isNotNull()), col(column)
    if _is_vector(df, column):
        values = vector_to_array(values, "float32")
    return present.select(values.cast("array<float>").alias("features"))


def _is_vector(df: DataFrame, column: str) -> bool:
    from pyspark.ml.linalg import VectorUDT

    return isinstance(df.schema[column].dataType, VectorUDT)


def _table(column: pa.Array) -> Any:
    """A column of lists as float32 (n, d), where it lies."""
    values = column.flatten()
    if len(column) == 0 or len(values) % len(column) or values.null_count:
        raise ArgumentError("features are lists of the same length, without nulls")
    return np.asarray(values, np.float32).reshape(len(column), -1)


def _moments(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """A partition's rows to its moments, in pieces."""
    from pyspark import TaskContext

    task: Any = TaskContext.get()
    task_threads()
    moments = None
    for batch in batches:
        if batch.num_rows:
            rows = _table(batch.column(0))
            moments = moments or Moments(rows.shape[1])
            moments.add(rows)
    if moments is not None:
        yield from _pieces(task.partitionId(), moments)


def _merged(parts: DataFrame, n: int) -> DataFrame:
    """Of every n-th part one. The order in which they are merged does not depend on which came first, so nor do the bits."""
    from pyspark.sql.functions import col

    def pomona_merge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        task_threads()
        first, merged = 0, None
        for part, moments in _whole(batches):
            first, merged = (first, merged.merge(moments)) if merged is not None else (part, moments)
        if merged is not None:
            yield from _pieces(first, merged)

    return parts.repartition(n, col("part") % n).sortWithinPartitions("part", "piece").mapInArrow(pomona_merge, PIECES)


def _pieces(part: int, moments: Moments) -> Iterator[pa.RecordBatch]:
    """Of a size that Spark's rows and Arrow's batches stand, for any d."""
    import pyarrow as pa

    blob = memoryview(moments.to_bytes())
    for start in range(0, len(blob), PIECE):
        row = {"part": part, "piece": start // PIECE, "last": start + PIECE >= len(blob), "moments": bytes(blob[start : start + PIECE])}
        types = {"part": pa.int32(), "piece": pa.int32(), "last": pa.bool_(), "moments": pa.binary()}
        yield pa.RecordBatch.from_arrays([pa.array([row[name]], kind) for name, kind in types.items()], list(types))


def _whole(batches: Iterable[pa.RecordBatch]) -> Iterator[Tuple[int, Moments]]:
    """Pieces in their order, put together again."""
    pieces: List[bytes] = []
    for batch in batches:
        for part, _, last, blob in zip(*(column.to_pylist() for column in batch.columns)):
            pieces.append(blob)
            if last:
                yield part, Moments.from_bytes(b"".join(pieces))
                pieces = []


class Projection:
    """A scaler and a PCA, to be applied to frames; pca is the `pomona.PCA` with the numbers."""

    def __init__(self, pca: PCA) -> None:
        self.pca = pca

    def __repr__(self) -> str:
        return f"<pomona.spark.Projection of {self.pca.n_features_in_} features to {self.pca.n_components_}>"

    def transform(self, df: DataFrame, *, features_col: str = "features", output_col: str = "pca_features") -> DataFrame:
        """The frame with output_col instead of features_col: array<float>, or vectors where the features are.
        Null where the features are null."""
        small_batches(df.sparkSession)
        vector = _is_vector(df, features_col)
        pca, others = self.pca, [name for name in df.columns if name != features_col]
        frame = df.select(*(f"`{name}`" for name in others), _list_column(features_col, vector).alias(output_col))

        def pomona_project(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            task_threads()
            for batch in batches:
                yield _projected(pca, batch)

        projected = frame.mapInArrow(pomona_project, frame.schema)
        return _vectors(projected, output_col) if vector else projected

    def save(self, path: str) -> None:
        """Writes projection.parquet, as `pomona features --pca` does: `pomona pca --projection` takes it. path: a file's, local or
        in whatever Spark reaches (s3a://, gs://, hdfs://)."""
        import pyarrow.parquet as pq

        out = io.BytesIO()
        pq.write_table(_as_table(self.pca), out)
        write_file(path, out.getvalue())

    @classmethod
    def load(cls, path: str) -> Projection:
        """From a projection.parquet, Spark's or the program's."""
        import pyarrow.parquet as pq

        return cls(_from_table(pq.read_table(io.BytesIO(read_file(path)))))


def _list_column(name: str, vector: bool) -> Any:
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql.functions import col, when

    if not vector:
        return col(name).cast("array<float>")
    return when(col(name).isNotNull(), vector_to_array(col(name), "float32"))


def _vectors(df: DataFrame, name: str) -> DataFrame:
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql.functions import col, when

    return df.withColumn(name, when(col(name).isNotNull(), array_to_vector(col(name).cast("array<double>"))))


def _projected(pca: PCA, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Its last column, features, projected."""
    import pyarrow as pa

    column = batch.column(batch.num_columns - 1)
    present = np.asarray(column.is_valid())
    rows = pca.transform(_table(column.drop_null())) if present.any() else np.empty((0, pca.n_components_), np.float32)
    return pa.RecordBatch.from_arrays([*batch.columns[:-1], lists(rows, present)], batch.schema.names)


NAMES = ("variance", "ratio")


def _as_table(pca: PCA) -> pa.Table:
    """docs/tables.md, projection."""
    import pyarrow as pa

    state = pca.__getstate__()["_fitted"]
    k, flat = len(state["components"]), np.vstack([state["mean"], state["std"], *state["components"]])
    columns: Dict[str, Any] = {
        "row": pa.array(["mean", "std", *(f"component_{i}" for i in range(k))]),
        "explained_variance": pa.array([0.0, 0.0, *state["variance"]]),
        "explained_variance_ratio": pa.array([0.0, 0.0, *state["ratio"]]),
    }
    for name, kind in (("rows", pa.int64()), ("scaled", pa.int64()), ("centered", pa.int64()), ("residual", pa.float64())):
        columns[name] = pa.array([kind.to_pandas_dtype()(state[name])] * (k + 2), kind)
    columns["values"] = pa.array(list(flat), pa.list_(pa.field("element", pa.float64(), nullable=False)))
    schema = pa.schema([pa.field(name, column.type, nullable=False) for name, column in columns.items()])
    return pa.Table.from_arrays(list(columns.values()), schema=schema)


def _from_table(table: pa.Table) -> PCA:
    try:
        columns = table.to_pydict()
        values = np.array(columns["values"], np.float64).reshape(table.num_rows, -1)
        state: Dict[str, Any] = {
            "mean": values[0], "std": values[1], "components": np.ascontiguousarray(values[2:]),
            "variance": np.array(columns["explained_variance"][2:]), "ratio": np.array(columns["explained_variance_ratio"][2:]),
            "rows": int(columns["rows"][0]), "residual": float(columns["residual"][0]),
            "scaled": bool(columns["scaled"][0]), "centered": bool(columns["centered"][0]),
        }  # fmt: skip
    except (KeyError, IndexError, ValueError) as error:
        raise FormatError(f"this is no projection.parquet: {error}") from error
    pca = PCA(max(len(values) - 2, 1), state["scaled"], state["centered"])
    pca.__setstate__({**pca.get_params(), "_fitted": state, "_moments": None})
    return pca
