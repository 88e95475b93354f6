"""Scaler and principal components over tables of features, with scikit-learn's conventions."""

from __future__ import annotations

import ctypes
from typing import Any, ClassVar, Dict, List, Optional, Tuple, TypeVar, Union

import numpy as np
import numpy.typing as npt

from . import _declarations as c
from ._native import Handle, check, lib
from .errors import ArgumentError, Error

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
FLOAT_P, DOUBLE_P = ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_double)

_E = TypeVar("_E", bound="_Estimator")


class NotFittedError(Error, ValueError, AttributeError):
    """transform before fit."""


def _rows(rows: npt.ArrayLike, d: Optional[int] = None) -> Floats:
    """float32 (n, d), row-major, as the library takes it; without a copy where it is that."""
    table = np.ascontiguousarray(rows, np.float32)
    if table.ndim != 2:
        raise ArgumentError(f"a table of rows and features is wanted, not an array of {table.ndim} dimensions")
    if d is not None and table.shape[1] != d:
        raise ArgumentError(f"rows of {table.shape[1]} features, where {d} are wanted")
    return table


class Moments:
    """Count, mean and covariance of the rows seen so far, in one pass: what a scaler and a PCA are fitted from.

    Moments merge, also those of other processes and machines (`to_bytes`, `from_bytes`), and grow with every day's rows.
    One thread at a time per object.
    """

    def __init__(self, d: int) -> None:
        self._handle = Handle(c.pom_moments, lib.pom_moments_free)
        check(lib.pom_moments_new, _size(d), self._handle.out)

    def add(self, rows: npt.ArrayLike) -> Moments:
        """Adds the rows of an (n, d) table. ArgumentError where a value is not finite; then none of them is added."""
        table = _rows(rows, self.n_features)
        check(lib.pom_moments_add, self._handle.pointer, table.ctypes.data_as(FLOAT_P), len(table))
        return self

    def merge(self, other: Moments) -> Moments:
        """Becomes the moments of the rows of both."""
        if other is self:
            raise ArgumentError("moments cannot be merged with themselves")
        check(lib.pom_moments_merge, self._handle.pointer, other._handle.pointer)
        return self

    @property
    def count(self) -> int:
        """Rows seen."""
        return int(lib.pom_moments_count(self._handle.pointer))

    @property
    def n_features(self) -> int:
        return int(lib.pom_moments_features(self._handle.pointer))

    def to_bytes(self) -> bytes:
        """For `from_bytes` of any machine: versioned, with a checksum; about 4 d² bytes."""
        n_bytes = lib.pom_moments_saved_bytes(self._handle.pointer)
        blob = bytearray(n_bytes)
        check(lib.pom_moments_save, self._handle.pointer, (ctypes.c_char * n_bytes).from_buffer(blob), n_bytes)
        return bytes(blob)

    @classmethod
    def from_bytes(cls, blob: Union[bytes, bytearray, memoryview]) -> Moments:
        """FormatError for anything that `to_bytes` did not give."""
        data = np.frombuffer(blob, np.uint8) if len(blob) else np.empty(0, np.uint8)
        moments = cls.__new__(cls)
        moments._handle = Handle(c.pom_moments, lib.pom_moments_free)
        check(lib.pom_moments_load, data.ctypes.data, data.nbytes, moments._handle.out)
        return moments

    def __reduce__(self) -> Tuple[Any, ...]:
        return Moments.from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        return f"<pomona.Moments of {self.count} rows of {self.n_features} features>"


def _size(value: int) -> int:
    if not 0 <= value < 2**63:
        raise ArgumentError(f"{value} is out of range")
    return value


class _Fitted:
    """A projection's arrays, and the struct pom_projection over them that the library computes with."""

    def __init__(self, state: Dict[str, Any]) -> None:
        self.state = state
        self.native = c.pom_projection(
            d=len(state["mean"]), k=len(state["components"]), rows=state["rows"], scaled=state["scaled"],
            centered=state["centered"], residual=state["residual"],
            **{name: state[name].ctypes.data_as(DOUBLE_P) for name in ("mean", "std", "components", "variance", "ratio")},
        )  # fmt: skip

    @classmethod
    def from_moments(cls, moments: Moments, options: Any) -> _Fitted:
        handle = Handle(c.pom_projection, lib.pom_projection_free)
        check(lib.pom_projection_fit, moments._handle.pointer, ctypes.byref(options), handle.out)
        return cls(_state(handle))

    @classmethod
    def from_rows(cls, rows: Floats, options: Any, memory_bytes: int) -> _Fitted:
        source = _Source(rows)
        handle = Handle(c.pom_projection, lib.pom_projection_free)
        check(lib.pom_projection_fit_rows, ctypes.byref(source.native), ctypes.byref(options), memory_bytes, handle.out)
        return cls(_state(handle))

    def scale(self, rows: Floats) -> Floats:
        out = np.empty_like(rows)
        lib.pom_projection_scale(ctypes.byref(self.native), rows.ctypes.data_as(FLOAT_P), len(rows), out.ctypes.data_as(FLOAT_P))
        return out

    def project(self, rows: Floats) -> Floats:
        out = np.empty((len(rows), self.native.k), np.float32)
        here, there = rows.ctypes.data_as(FLOAT_P), out.ctypes.data_as(FLOAT_P)
        check(lib.pom_projection_apply, ctypes.byref(self.native), here, len(rows), there)
        return out


def _state(handle: Handle) -> Dict[str, Any]:
    native = handle.pointer.contents
    shapes = {"mean": (native.d,), "std": (native.d,), "components": (native.k, native.d), "variance": (native.k,), "ratio": (native.k,)}
    state: Dict[str, Any] = {name: getattr(native, name) for name in ("rows", "scaled", "centered", "residual")}
    for name, shape in shapes.items():
        state[name] = np.ctypeslib.as_array(getattr(native, name), shape).copy() if np.prod(shape) else np.empty(shape)
    return state


class _Source:
    """struct pom_row_source over an array."""

    def __init__(self, rows: Floats) -> None:
        self._rows, self._at = rows, 0
        kinds: Dict[str, Any] = {name: kind for name, kind, *_ in c.pom_row_source._fields_}
        self.native = c.pom_row_source(d=rows.shape[1], next=kinds["next"](self._next), rewind=kinds["rewind"](self._rewind))

    def _next(self, _user: Any, out: Any, max_rows: int, n: Any, _message: Any) -> int:
        part = self._rows[self._at : self._at + max_rows]
        ctypes.memmove(out, part.ctypes.data, part.nbytes)
        self._at += len(part)
        n[0] = len(part)
        return int(c.POM_OK)

    def _rewind(self, _user: Any, _message: Any) -> int:
        self._at = 0
        return int(c.POM_OK)


class _Estimator:
    """What scikit-learn asks of an estimator: its clone(), pipelines and grid searches take these too."""

    _parameters: ClassVar[Tuple[str, ...]]
    _moments: Optional[Moments]
    _fitted: Optional[_Fitted]

    def __init__(self) -> None:
        self._moments = self._fitted = None

    def _options(self) -> Any:
        raise NotImplementedError

    def get_params(self, deep: bool = True) -> Dict[str, Any]:
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self: _E, **parameters: Any) -> _E:
        for name, value in parameters.items():
            if name not in self._parameters:
                raise ArgumentError(f"{type(self).__name__} has no parameter {name!r}: {', '.join(self._parameters)}")
            setattr(self, name, value)
        return self

    def fit(self: _E, X: npt.ArrayLike, y: object = None) -> _E:
        """Fits to the rows of an (n, d) table, and forgets what was there before."""
        rows = _rows(X)
        self._moments, self._fitted = None, _Fitted.from_rows(rows, self._options(), 0)
        return self

    def partial_fit(self: _E, X: npt.ArrayLike, y: object = None) -> _E:
        """Fits to these rows and those of the calls before. The moments of the rows are kept: 8 d² bytes."""
        rows = _rows(X)
        if self._moments is None:
            self._moments = Moments(rows.shape[1])
        self._moments.add(rows)
        self._fitted = None
        return self

    @property
    def _fit(self) -> _Fitted:
        if self._fitted is None and self._moments is not None:
            self._fitted = _Fitted.from_moments(self._moments, self._options())
        if self._fitted is None:
            raise NotFittedError(f"this {type(self).__name__} is not fitted: call fit first")
        return self._fitted

    def transform(self, X: npt.ArrayLike) -> Floats:
        raise NotImplementedError

    def fit_transform(self, X: npt.ArrayLike, y: object = None) -> Floats:
        rows = _rows(X)
        return self.fit(rows).transform(rows)

    @property
    def mean_(self) -> Doubles:
        """Mean of each feature."""
        return self._array("mean")

    @property
    def scale_(self) -> Doubles:
        """Standard deviation of each feature, as Spark's: divided by n - 1."""
        return self._array("std")

    @property
    def n_features_in_(self) -> int:
        return len(self.mean_)

    @property
    def n_samples_seen_(self) -> int:
        return int(self._fit.state["rows"])

    def _array(self, name: str) -> Doubles:
        array: Doubles = self._fit.state[name]
        return array

    def __sklearn_is_fitted__(self) -> bool:
        return self._fitted is not None or self._moments is not None

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags  # type: ignore[import-untyped,unused-ignore]

        return Tags(
            estimator_type="transformer", target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float32"]), input_tags=InputTags(),
        )  # fmt: skip

    def __getstate__(self) -> Dict[str, Any]:
        fitted = self._fit.state if self.__sklearn_is_fitted__() else None
        return {**self.get_params(), "_fitted": fitted, "_moments": self._moments}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._fitted = _Fitted(state["_fitted"]) if state["_fitted"] else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_params().items())})"


class Scaler(_Estimator):
    """(x - mean) / standard deviation, and 0 where that is 0: Spark's StandardScaler(withMean, withStd)."""

    _parameters = ()

    def _options(self) -> Any:
        return c.pom_pca_options()

    @classmethod
    def from_moments(cls, moments: Moments) -> Scaler:
        scaler = cls()
        scaler._fitted = _Fitted.from_moments(moments, scaler._options())
        return scaler

    def transform(self, X: npt.ArrayLike) -> Floats:
        """float32 (n, d)"""
        return self._fit.scale(_rows(X, self.n_features_in_))

    def inverse_transform(self, X: npt.ArrayLike) -> Floats:
        return np.asarray(_rows(X, self.n_features_in_) * self.scale_ + self.mean_, np.float32)


class PCA(_Estimator):
    """Principal components, after a scaler unless scale=False: what `pomona features --pca` computes, signs included.

    n_components: how many, or the share of the variance, in (0, 1), that the fewest components must explain. More than the
        rank of the rows is lowered: see `n_components_`.
    scale: standardise the features first.
    center: subtract the mean when projecting, as scikit-learn does; False is Spark's PCAModel.transform. No effect with scale.
    """

    _parameters = ("n_components", "scale", "center")

    def __init__(self, n_components: Union[int, float] = 0.90, scale: bool = True, center: bool = True) -> None:
        super().__init__()
        self.n_components, self.scale, self.center = n_components, scale, center

    def _options(self) -> Any:
        options = c.pom_pca_options(no_scale=not self.scale, no_center=not self.center)
        if isinstance(self.n_components, (int, np.integer)) and self.n_components >= 1:
            options.k = _size(int(self.n_components))
        elif 0 < self.n_components < 1:
            options.variance = float(self.n_components)
        else:
            raise ArgumentError(f"n_components is a number from 1, or a share between 0 and 1, not {self.n_components!r}")
        return options

    @classmethod
    def from_moments(
        cls, moments: Moments, n_components: Union[int, float] = 0.90, *, scale: bool = True, center: bool = True
    ) -> PCA:
        """Fitted from moments, wherever their rows were seen."""
        pca = cls(n_components, scale, center)
        pca._fitted = _Fitted.from_moments(moments, pca._options())
        return pca

    def transform(self, X: npt.ArrayLike) -> Floats:
        """float32 (n, n_components_)"""
        return self._fit.project(_rows(X, self.n_features_in_))

    def inverse_transform(self, X: npt.ArrayLike) -> Floats:
        """The rows that project to X and lie nearest to the mean."""
        rows = _rows(X, self.n_components_) @ self.components_
        scale, centered = (self.scale_ if self.scale else 1.0), self.center or self.scale
        return np.asarray(rows * scale + (self.mean_ if centered else 0.0), np.float32)

    @property
    def components_(self) -> Doubles:
        """(n_components_, d): unit vectors, the entry of largest absolute value positive."""
        return self._array("components")

    @property
    def explained_variance_(self) -> Doubles:
        return self._array("variance")

    @property
    def explained_variance_ratio_(self) -> Doubles:
        return self._array("ratio")

    @property
    def n_components_(self) -> int:
        return len(self.components_)


def set_threads(threads: int) -> None:
    """Threads of fit, for the whole process. Do not call while another thread is in one."""
    if threads < 1:
        raise ArgumentError("threads is at least 1")
    lib.pom_stats_set_threads(threads)


__all__: List[str] = ["PCA", "Moments", "NotFittedError", "Scaler", "set_threads"]
