"""How much of the rows Spark hands to Python at once, and to a task: of images, not of small rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = 128
SETTING = "spark.sql.execution.arrow.maxRecordsPerBatch"
COST = "spark.sql.files.openCostInBytes"
FILE = 64 << 10  # a file's cost in bytes that are read: about 2,000 small pictures make a task of 128 MB


def small_batches(spark: SparkSession) -> None:
    """Rows of images and of moments are megabytes each; Spark counts rows only, and its 10,000 of them fill no memory but a node's."""
    rows = int(spark.conf.get(SETTING) or 0)
    if not 0 < rows <= ROWS:
        spark.conf.set(SETTING, str(ROWS))


def many_files(spark: SparkSession) -> None:
    """Unless the user has set it: Spark reckons a file as at least 4 MB, which makes a task of every 32 pictures."""
    if spark.conf.get(COST, None) is None:
        spark.conf.set(COST, str(FILE))
