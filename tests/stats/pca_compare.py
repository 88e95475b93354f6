"""Principal components compared: up to sign and, where variances nearly coincide, by the subspace that they span."""
import numpy as np
import pyarrow.parquet as pq


def lists(table, column, dtype):
    return np.array([np.asarray(v, dtype=dtype) for v in table[column].to_pylist()])


class Projection:
    """A projection.parquet."""

    def __init__(self, path):
        table = pq.read_table(path)
        names, values = table["row"].to_pylist(), lists(table, "values", np.float64)
        assert names == ["mean", "std"] + [f"component_{i}" for i in range(len(names) - 2)]
        self.mean, self.std, self.components = values[0], values[1], values[2:]
        self.variance = table["explained_variance"].to_numpy()[2:]
        self.ratio = table["explained_variance_ratio"].to_numpy()[2:]
        self.rows = table["rows"].to_pylist()[0]
        self.k, self.d = self.components.shape


def groups(variance, k, gap=1e-7):
    """Ranges of components whose variances differ by less than gap of the largest; those that reach past k are left out."""
    start = 0
    for i in range(1, len(variance) + 1):
        if i == len(variance) or variance[i - 1] - variance[i] > gap * variance[0]:
            if i <= k:
                yield slice(start, i)
            start = i


def assert_same_components(ours, theirs, spectrum, tolerance):
    """ours, theirs: k rows each. spectrum: all variances, descending."""
    seen = 0
    for group in groups(spectrum, len(ours)):
        a, b = ours[group], theirs[group]
        seen += len(a)
        if len(a) == 1:
            assert np.abs(a - b * np.sign(np.sum(a * b))).max() <= tolerance, group
        else:
            assert np.abs(a - (a @ b.T) @ b).max() <= tolerance, group
    assert seen >= 0.9 * len(ours), f"only {seen} of {len(ours)} components could be compared"


def assert_same_rows(ours, theirs, spectrum, tolerance):
    """Projected rows, column by column up to sign, relative to the column's deviation; groups by their norms."""
    for group in groups(spectrum, ours.shape[1]):
        a, b = ours[:, group], theirs[:, group]
        if a.shape[1] == 1:
            b = b * np.sign(np.sum(a * b))
        else:
            a, b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        assert np.abs(a - b).max() <= tolerance * max(np.abs(b).max(), 1e-30), group
