"""The size of the batches that Spark hands to Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = 128
SETTING = "spark.sql.execution.arrow.maxRecordsPerBatch"


def small_batches(spark: SparkSession) -> None:
    """Rows of images and of moments are megabytes each; Spark counts rows only, and its 10,000 of them fill no memory but a node's."""
    rows = int(spark.conf.get(SETTING) or 0)
    if not 0 < rows <= ROWS:
        spark.conf.set(SETTING, str(ROWS))
