"""Spark's Python daemon with a model in it: workers are forked from it, so that a node holds the weights once.

    spark.python.daemon.module            pomona.spark.daemon
    spark.executorEnv.POMONA_PRELOAD      the model's name, or its file on every node
"""

import os
from typing import Any

from pyspark import daemon

from ._worker import preload

if __name__ == "__main__":
    preload(os.environ.get("POMONA_PRELOAD", ""))
    run: Any = daemon.manager
    run()
