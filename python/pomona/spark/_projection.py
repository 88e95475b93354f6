"""fit_projection: a scaler and a PCA from the merged moments of a frame's features."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Iterable, Iterator, Union

import numpy as np

from ..errors import ArgumentError
from ..stats import PCA
from ._batches import small_batches
from ._columns import as_list, is_vector, lists, present, table, with_vectors
from ._files import read_file, write_file
from ._moments import fit_moments
from ._table import pca_of, table_of
from ._worker import task_threads

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


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
    features = df.where(df[features_col].isNotNull()).select(as_list(df, features_col).alias("features"))
    moments = fit_moments(features)
    if moments is None:
        raise ArgumentError(f"the frame has no row with {features_col}")
    return Projection(PCA.from_moments(moments, k, scale=scale, center=center))


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
        vector = is_vector(df, features_col)
        pca, others = self.pca, [name for name in df.columns if name != features_col]
        frame = df.select(*(f"`{name}`" for name in others), as_list(df, features_col).alias(output_col))

        def pomona_project(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            task_threads()
            for batch in batches:
                yield _projected(pca, batch)

        projected = frame.mapInArrow(pomona_project, frame.schema)
        return with_vectors(projected, output_col) if vector else projected

    def save(self, path: str) -> None:
        """Writes projection.parquet, as `pomona features --pca` does: `pomona pca --projection` takes it. path: a file's, local or
        in whatever Spark reaches (s3a://, gs://, hdfs://)."""
        import pyarrow.parquet as pq

        out = io.BytesIO()
        pq.write_table(table_of(self.pca), out)
        write_file(path, out.getvalue())

    @classmethod
    def load(cls, path: str) -> Projection:
        """From a projection.parquet, Spark's or the program's."""
        import pyarrow.parquet as pq

        return cls(pca_of(pq.read_table(io.BytesIO(read_file(path)))))


def _projected(pca: PCA, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Its last column, features, projected."""
    import pyarrow as pa

    column = batch.column(batch.num_columns - 1)
    there = present(column)
    rows = pca.transform(table(column)) if there.any() else np.empty((0, pca.n_components_), np.float32)
    return pa.RecordBatch.from_arrays([*batch.columns[:-1], lists(rows, there)], batch.schema.names)
