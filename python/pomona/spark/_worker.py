"""What runs in Spark's Python workers."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, NamedTuple, Tuple

import numpy as np

from ..errors import Error
from ..model import Model
from ..stats import set_threads
from ._columns import lists, strings
from ._label import Label
from ._sources import Source

if TYPE_CHECKING:
    import pyarrow as pa

PART = 64  # images that are read, or wait in memory, together


class Recipe(NamedTuple):
    """Which model, as workers load it."""

    model: str  #: the name of a shipped file, or of a model that needs none
    how: Tuple[Tuple[str, Any], ...]


    @classmethod
    def of(cls, model: Model, **how: Any) -> Recipe:
        path, sha256 = model.info.path, model.info.sha256
        return cls(f"{sha256[:16]}-{os.path.basename(path)}" if path else model.info.name, tuple(sorted({**DEFAULTS, **how}.items())))


DEFAULTS = {"output_layer": None, "preprocess": None, "size": 0, "precision": "exact", "calibration": None}
_models: Dict[Recipe, Model] = {}


def load(recipe: Recipe) -> Model:
    """Once per worker process, which Spark uses again for the next task."""
    from pyspark import SparkFiles

    if recipe not in _models:
        shipped = SparkFiles.get(recipe.model)
        _models[recipe] = Model.load(shipped if os.path.exists(shipped) else recipe.model, **dict(recipe.how))
    return _models[recipe]


def preload(name_or_path: str) -> None:
    """In the daemon, before it forks workers. A model that is not here is loaded by them, and fails there with its cause."""
    try:
        model = Model.load(name_or_path)
    except Error as error:
        print(f"pomona: nothing loaded ahead: {error}", file=sys.stderr)
    else:
        _models[Recipe.of(model)] = model


def task_threads() -> int:
    """The CPUs that Spark has counted for this task."""
    from pyspark import TaskContext

    task: Any = TaskContext.get()
    threads = int(task.cpus()) if hasattr(task, "cpus") else 1
    set_threads(threads)
    return threads


class Featurizer:
    """Batches of images to batches of path, label, features, error."""

    def __init__(self, recipe: Recipe, source: Source, label: Label, resize: str, progress: Any) -> None:
        self.recipe, self.source, self.label, self.resize, self.progress = recipe, source, label, resize, progress

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        start, done, failed = time.monotonic(), 0, 0
        model, threads = load(self.recipe), task_threads()
        for part in self.source.parts(_sliced(batches)):
            features, errors = model.featurize(part.images, threads=threads, resize=self.resize, on_error="null")  # type: ignore[call-overload]
            for i, cause in part.failures.items():
                errors[i] = cause
            done, failed = done + len(errors), failed + sum(error is not None for error in errors)
            yield self._table(part.paths, features, errors)
        self._report(done, failed, time.monotonic() - start)

    def _table(self, paths: Any, features: Any, errors: Any) -> pa.RecordBatch:
        import pyarrow as pa

        good = np.array([error is None for error in errors], np.bool_)
        columns = [strings(paths), strings([self.label.of(path) for path in paths]), lists(features[good], good), strings(errors)]
        return pa.RecordBatch.from_arrays(columns, ["path", "label", "features", "error"])

    def _report(self, done: int, failed: int, seconds: float) -> None:
        rate = done / seconds if seconds > 0 else 0.0
        print(f"pomona: {done} images, {failed} failed, {rate:.1f} images/s in this task", file=sys.stderr)
        if self.progress is not None:
            self.progress.add((done, failed, seconds))


def _sliced(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, PART):
            yield batch.slice(start, PART)
