"""featurize: a frame of images to a frame of features."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Literal, Optional, Tuple, Union

from ..errors import ArgumentError
from ..model import Model, Precision, Resize
from ._batches import many_files, small_batches
from ._columns import with_vectors
from ._label import Label
from ._progress import progress_of
from ._sources import Content, Files, Pixels, Source
from ._worker import Featurizer, Recipe

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

SCHEMA = "path string, label string, features array<float>, error string"


def featurize(
    df: DataFrame,
    *,
    model: Union[str, "os.PathLike[str]"],
    content_col: str = "content",
    image_col: str = "image",
    path_col: str = "path",
    label: str = "{label}/*",
    vectors: Literal["list", "mllib"] = "list",
    resize: Resize = "bicubic",
    output_layer: Optional[str] = None,
    preprocess: Optional[str] = None,
    size: int = 0,
    precision: Precision = "exact",
    calibration: Optional[bytes] = None,
) -> DataFrame:
    """The features of the frame's images: path, label, features, error; one row per image.

    What the frame has decides where images come from: a column `content_col` of encoded images, as Spark's binaryFile source
    gives; or a column `image_col` of pixels, as its image source gives; or `path_col` alone: then the workers read the images
    themselves (local, s3://, gs://, hdfs://).

    model, output_layer, preprocess, size, precision, calibration: as `pomona.Model.load`. A model file only has to be where
        the driver is; Spark takes it to the nodes.
    label: how a label is found at the end of a path, as `pomona features --label`; null where it does not match.
    vectors: "mllib" makes features vectors of MLlib; "list" leaves them array<float>.
    resize: the filter that makes a picture the size that the network takes.

    An image that fails has null features, and its cause in error. Nothing is computed before an action on the result asks for it;
    the bits are those of `pomona features`, whatever the partitions. For the session, this lowers
    spark.sql.execution.arrow.maxRecordsPerBatch to 128, for 10,000 photographs are no batch, and spark.sql.files.openCostInBytes
    to 64 KB unless it is set, for 32 small photographs are no task.
    """
    if vectors not in ("list", "mllib"):
        raise ArgumentError(f'vectors is "list" or "mllib", not {vectors!r}')
    spark, read = df.sparkSession, Label(label)
    source, columns = _source(df, content_col, image_col, path_col)
    how: Any = {"output_layer": output_layer, "preprocess": preprocess, "size": size, "precision": precision, "calibration": calibration}
    loaded = Model.load(model, **how)
    recipe = Recipe.of(loaded, **how)
    _ship(spark, loaded, recipe.model)
    worker = Featurizer(recipe, source, read, resize, progress_of(spark))
    small_batches(spark)
    many_files(spark)

    def pomona_featurize(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:  # the name that Spark's UI shows
        return worker(batches)

    features = df.select(*columns).mapInArrow(pomona_featurize, SCHEMA)
    return with_vectors(features, "features") if vectors == "mllib" else features


def _source(df: DataFrame, content: str, image: str, path: str) -> Tuple[Source, Any]:
    """Where the images come from, and the columns that it reads; the first is the path."""
    from pyspark.sql.functions import col

    if content in df.columns and path in df.columns:
        return Content(), [col(path).alias("path"), col(content).alias("content")]
    if image in df.columns:
        fields = ("origin", "height", "width", "nChannels", "data")
        return Pixels(), [col(f"{image}.{field}").alias(field) for field in fields]
    if path in df.columns:
        return Files(), [col(path).alias("path")]
    wanted = f"{path} and {content} (binaryFile), {image} (image), or {path} alone"
    raise ArgumentError(f"the frame has the columns {', '.join(df.columns)}; wanted are {wanted}")


def _ship(spark: SparkSession, model: Model, name: str) -> None:
    """Has Spark take the model's file to every node, under this name."""
    from pyspark import SparkFiles

    copy = os.path.join(SparkFiles.getRootDirectory(), "pomona", name)
    if model.info.path is None or os.path.exists(copy):
        return
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    shutil.copyfile(model.info.path, copy)
    spark.sparkContext.addFile(copy)
