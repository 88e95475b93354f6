"""projection.parquet, as `pomona features --pca` writes it: docs/tables.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict

import numpy as np

from ..errors import FormatError
from ..stats import PCA

if TYPE_CHECKING:
    import pyarrow as pa


def table_of(pca: PCA) -> pa.Table:
    import pyarrow as pa

    state = pca.__getstate__()["_fitted"]
    k, flat = len(state["components"]), np.vstack([state["mean"], state["std"], *state["components"]])
    columns: Dict[str, Any] = {
        "row": pa.array(["mean", "std", *(f"component_{i}" for i in range(k))]),
        "explained_variance": pa.array([0.0, 0.0, *state["variance"]]),
        "explained_variance_ratio": pa.array([0.0, 0.0, *state["ratio"]]),
    }
    for name, kind in (("rows", pa.int64()), ("scaled", pa.int64()), ("centered", pa.int64()), ("residual", pa.float64())):
        columns[name] = pa.array([kind.to_pandas_dtype()(state[name])] * (k + 2), kind)
    columns["values"] = pa.array(list(flat), pa.list_(pa.field("element", pa.float64(), nullable=False)))
    schema = pa.schema([pa.field(name, column.type, nullable=False) for name, column in columns.items()])
    return pa.Table.from_arrays(list(columns.values()), schema=schema)


def pca_of(table: pa.Table) -> PCA:
    try:
        columns = table.to_pydict()
        values = np.array(columns["values"], np.float64).reshape(table.num_rows, -1)
        state: Dict[str, Any] = {
            "mean": values[0], "std": values[1], "components": np.ascontiguousarray(values[2:]),
            "variance": np.array(columns["explained_variance"][2:]), "ratio": np.array(columns["explained_variance_ratio"][2:]),
            "rows": int(columns["rows"][0]), "residual": float(columns["residual"][0]),
            "scaled": bool(columns["scaled"][0]), "centered": bool(columns["centered"][0]),
        }  # fmt: skip
    except (KeyError, IndexError, ValueError) as error:
        raise FormatError(f"this is no projection.parquet: {error}") from error
    pca = PCA(max(len(values) - 2, 1), state["scaled"], state["centered"])
    pca.__setstate__({**pca.get_params(), "_fitted": state, "_moments": None})
    return pca
