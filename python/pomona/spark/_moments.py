"""A frame's features to their moments: those of each partition, then merged on the executors until there is one."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Optional, Tuple

import numpy as np

from ..stats import Moments
from ._columns import binaries, numbers, table
from ._worker import task_threads

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

PIECE = 1 << 20  # bytes of moments in a row
ROUNDS = (16, 1)  # parts that are left after each; not by the size of the cluster, so that the order of additions is the same on any
PIECES = "part int, piece int, left int, moments binary"  # left: pieces that still come


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
    """Of every n-th part one. The order in which they are merged does not depend on which came first, so nor do the bits.

    Adaptive execution is left to choose how many tasks do it: few parts are merged by few."""
    from pyspark.sql.functions import col

    def pomona_merge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        task_threads()
        for _, group in groupby(_whole(batches), lambda part: part[0] % n):
            first, total = next(group)
            for _, moments in group:
                total.merge(moments)
            yield from _pieces(first, total)

    group = col("part") % n
    adaptive = parts.sparkSession.conf.get("spark.sql.adaptive.enabled") == "true"
    grouped = parts.repartition(group) if adaptive else parts.repartition(n, group)
    return grouped.sortWithinPartitions(group, "part", "piece").mapInArrow(pomona_merge, PIECES)


def _pieces(part: int, moments: Moments) -> Iterator[pa.RecordBatch]:
    """Of a size that Spark's rows and Arrow's batches stand, for any d."""
    import pyarrow as pa

    blob = memoryview(moments.to_bytes())
    n = -(-len(blob) // PIECE)
    for i in range(n):
        counts = [numbers(np.array([value], np.int32), pa.int32()) for value in (part, i, n - 1 - i)]
        piece = binaries([bytes(blob[i * PIECE : (i + 1) * PIECE])], pa.binary())
        yield pa.RecordBatch.from_arrays([*counts, piece], ["part", "piece", "left", "moments"])


def _whole(batches: Iterable[pa.RecordBatch]) -> Iterator[Tuple[int, Moments]]:
    """Pieces in their order, put together again."""
    pieces: List[bytes] = []
    for batch in batches:
        for part, _, left, blob in zip(*(column.to_pylist() for column in batch.columns)):
            pieces.append(blob)
            if left == 0:
                yield part, Moments.from_bytes(b"".join(pieces))
                pieces = []
