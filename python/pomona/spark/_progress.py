"""Images done, failed and per second, in Spark's metrics: the driver's UI serves them at /metrics/json, and every sink that
spark.metrics.conf names gets them (CloudWatch, Cloud Monitoring, Prometheus)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

from pyspark.accumulators import AccumulatorParam

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Counts = Tuple[int, int, float]  # images, of them failed, seconds of the task
PAUSE = 60.0  # seconds without a task, after which the rate begins anew

log = logging.getLogger("pomona.spark")
_of_application: Dict[str, Any] = {}


def progress_of(spark: SparkSession) -> Any:
    """The application's accumulator of Counts; None where there is no context (Spark Connect)."""
    try:
        context = spark.sparkContext
    except Exception:  # what it raises differs between versions
        return None
    name = str(context.applicationId)
    if name not in _of_application:
        _of_application.clear()  # of contexts that were stopped
        _of_application[name] = context.accumulator((0, 0, 0.0), Sum(Gauges(context)))
    return _of_application[name]


def _scala_object(jvm: Any, name: str) -> Any:
    return getattr(getattr(jvm.org.apache.spark.metrics.source, f"{name}$"), "MODULE$")


class Gauges:
    """The driver's side: accumulators that Spark's own LongAccumulatorSource and DoubleAccumulatorSource show as metrics."""

    def __init__(self, context: Any) -> None:
        jvm, spark = context._jvm, context._jsc.sc()
        scala = jvm.PythonUtils.toScalaMap
        self._images = spark.longAccumulator("pomona.images")
        self._failed = spark.longAccumulator("pomona.images_failed")
        self._rate = spark.doubleAccumulator("pomona.images_per_second")
        counts = {"pomona.images": self._images, "pomona.images_failed": self._failed}
        _scala_object(jvm, "LongAccumulatorSource").register(spark, scala(counts))
        _scala_object(jvm, "DoubleAccumulatorSource").register(spark, scala({"pomona.images_per_second": self._rate}))
        self._began, self._last, self._since = 0.0, -PAUSE, 0

    def add(self, counts: Counts) -> None:
        """A task has ended."""
        images, failed, seconds = counts
        now = time.monotonic()
        if now - seconds - self._last >= PAUSE:
            self._began, self._since = now - seconds, 0
        self._last, self._since = now, self._since + images
        self._images.add(images)
        self._failed.add(failed)
        self._rate.reset()
        self._rate.add(self._since / max(now - self._began, 1e-3))
        log.info("%d images, %d failed, %.1f images/s", self._images.value(), self._failed.value(), self._rate.value())


class Sum(AccumulatorParam[Counts]):
    """Adds Counts up; on the driver, where each task's come in, also to the gauges."""

    def __init__(self, gauges: Optional[Gauges] = None) -> None:
        self._gauges = gauges

    def zero(self, value: Counts) -> Counts:
        return 0, 0, 0.0

    def addInPlace(self, value1: Counts, value2: Counts) -> Counts:
        if self._gauges is not None:
            self._gauges.add(value2)
        return value1[0] + value2[0], value1[1] + value2[1], value1[2] + value2[2]

    def __reduce__(self) -> Any:
        return Sum, ()
