"""Photographs become a table of CNN features, scaled and reduced by PCA.

>>> import pomona
>>> model = pomona.Model.load("efficientnet-lite0")
>>> features = model.featurize(["photos/apple/1.jpg", "photos/pear/2.jpg"])     # float32, (2, 1280)
>>> reduced = pomona.PCA(2).fit_transform(features)
"""

from ._native import lib as _lib
from .errors import (
    ArgumentError,
    CancelledError,
    ConflictError,
    Error,
    FormatError,
    InternalError,
    IOFailure,
    LimitError,
    NetworkError,
    NotFoundError,
    OutOfMemoryError,
    UnsupportedError,
)
from .model import Model, ModelInfo, Result, cpu_count, decode
from .stats import PCA, Moments, NotFittedError, Scaler, set_threads

__version__: str = _lib.pom_version().decode()

__all__ = [
    "PCA",
    "ArgumentError",
    "CancelledError",
    "ConflictError",
    "Error",
    "FormatError",
    "IOFailure",
    "InternalError",
    "LimitError",
    "Model",
    "ModelInfo",
    "Moments",
    "NetworkError",
    "NotFittedError",
    "NotFoundError",
    "OutOfMemoryError",
    "Result",
    "Scaler",
    "UnsupportedError",
    "cpu_count",
    "decode",
    "set_threads",
]
