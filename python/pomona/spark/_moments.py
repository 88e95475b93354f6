"""A frame's features to their moments: those of each partition, then merged on the executors until there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Optional, Tuple

from ..stats import Moments
from ._columns import table
from ._worker import task_threads

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

PIECE = 1 << 20  # bytes of moments in a row
ROUNDS = (16, 1)  # parts that are left after each; not by the size of the cluster, so that the order of additions is the same on any
PIECES = "part int, piece int, last boolean, moments binary"


def fit_moments(features: DataFrame) -> Optional[Moments]:
    """Of a frame with one column, array<float> without nulls; None where it has no row."""
    parts = features.mapInArrow(moments_of, PIECES)
    for n in ROUNDS:
        parts = merged(parts, n)
    rows = sorted(parts.collect(), key=lambda row: int(row.piece))
    return Moments.from_bytes(b"".join(bytes(row.moments) for row in rows)) if rows else None


def moments_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """A partition's rows to its moments, in pieces."""
    from pyspark import TaskContext

    task: Any = TaskContext.get()
    task_threads()
    moments = None
    for batch in batches:
        if batch.num_rows:
            rows = table(batch.column(0))
            moments = moments or Moments(rows.shape[1])
            moments.add(rows)
    if moments is not None:
        yield from _pieces(task.partitionId(), moments)


def merged(parts: DataFrame, n: int) -> DataFrame:
    """Of every n-th part one. The order in which they are merged does not depend on which came first, so nor do the bits."""
    from pyspark.sql.functions import col

    def pomona_merge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        task_threads()
        first, total = 0, None
        for part, moments in _whole(batches):
            first, total = (first, total.merge(moments)) if total is not None else (part, moments)
        if total is not None:
            yield from _pieces(first, total)

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
