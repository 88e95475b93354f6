"""What the scripts that run inside Spark compare with: the program's tables."""
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

BAD = {"apple/empty.jpg", "apple/none.jpg", "cherry red/half.jpg"}
SEEN = BAD - {"apple/empty.jpg"}  # by Spark's sources of files, which leave out what is empty


def name_of(path, folder):
    """A path of Spark's or the program's, below the folder of photographs."""
    return path.split(f"{folder}/", 1)[1]


class Wanted:
    """The tables that `pomona features` made of job/photos."""

    def __init__(self, job):
        self.photos = str(Path(job) / "photos")
        features = pq.read_table(f"{job}/table/features.parquet").to_pydict()
        self.features = {name_of(path, self.photos): np.array(values, np.float32) for path, values in zip(features["path"], features["features"])}
        self.labels = {name_of(path, self.photos): label for path, label in zip(features["path"], features["label"])}
        errors = pq.read_table(f"{job}/table/errors.parquet").to_pydict()
        self.errors = {name_of(path, self.photos): cause for path, cause in zip(errors["path"], errors["cause"])}

    def check(self, rows, names=None):
        """Rows of featurize: the same bits, labels and causes as the program's, each image once."""
        found = {name_of(row.path, self.photos): row for row in rows}
        names = {*self.features, *self.errors} if names is None else set(names)
        assert len(rows) == len(found) and set(found) == names, set(found) ^ names
        for name, row in found.items():
            if name in self.errors:
                assert row.features is None and row.error == self.errors[name], (name, row.error, self.errors[name])
            else:
                values = np.asarray(getattr(row.features, "values", row.features), np.float64)
                assert row.error is None and row.label == self.labels[name], row
                assert (values == self.features[name]).all(), name


def ok(what):
    print("ok:", what)
    sys.stdout.flush()
