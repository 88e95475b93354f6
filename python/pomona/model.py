"""Networks, and the features that they give of images."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, DefaultDict, Deque, Dict, List, Literal, NamedTuple, Optional, Tuple, Union, overload

import numpy as np
import numpy.typing as npt

from . import _declarations as c
from ._images import Images, images_of
from ._native import Handle, check, encoded, lib, text_of
from .errors import ArgumentError, ConflictError, Error, error_of

Features = npt.NDArray[np.float32]
Resize = Literal["bicubic", "bilinear", "lanczos", "box", "nearest"]
Precision = Literal["exact", "bf16", "int8"]


class Result(NamedTuple):
    """What `featurize(..., on_error="null")` gives."""

    #: One row per image; that of an image that failed is NaN, or null in an Arrow array.
    features: Any
    #: One entry per image: None, or why it failed.
    errors: List[Optional[str]]


@dataclass(frozen=True)
class ModelInfo:
    """What a model is; see struct pom_model_info."""

    name: str
    path: Optional[str]
    preprocess: str
    output_layer: str
    sha256: str
    width: int
    height: int
    features: int
    parameters: int
    macs: int
    weight_bytes: int
    session_bytes: int
    precision: str


def _info(model: Handle) -> ModelInfo:
    native = lib.pom_model_info(model.pointer).contents
    values = {field.name: getattr(native, field.name) for field in fields(ModelInfo)}
    for name, value in values.items():
        if isinstance(value, bytes):
            values[name] = os.fsdecode(value)
    values["precision"] = lib.pom_precision_name(native.precision).decode()
    return ModelInfo(**values)


def _precision(name: str) -> int:
    for value in c.pom_precision:
        if lib.pom_precision_name(value).decode() == name:
            return int(value)
    raise ArgumentError(f"no precision is called {name!r}: take exact, bf16 or int8")


def _filter(name: str) -> int:
    out = ctypes.c_int()
    check(lib.pom_filter_parse, encoded(name), ctypes.byref(out))
    return out.value


def cpu_count() -> int:
    """Threads worth running here: the CPUs that this process may use, and no more than its control group's quota."""
    return int(lib.pom_cpu_count())


class Model:
    """A network with its weights. Immutable; any number of threads may use one model.

    Pickled, it is the model's name and settings: whoever unpickles it needs the same file, and is told if it is another.
    """

    info: ModelInfo

    def __init__(self, handle: Handle, how: Tuple[Any, ...]) -> None:
        self._handle, self._how = handle, how
        self._idle: DefaultDict[Tuple[int, int], Deque[Handle]] = defaultdict(deque)
        self.info = _info(handle)

    @classmethod
    def load(
        cls,
        name_or_path: Union[str, "os.PathLike[str]"],
        *,
        output_layer: Optional[str] = None,
        preprocess: Optional[str] = None,
        size: int = 0,
        precision: Precision = "exact",
        calibration: Optional[bytes] = None,
    ) -> Model:
        """Loads a model by name ("efficientnet-lite0", "mobilenetv2", "resnet50", "vgg16", "pixels") or from an .onnx file.

        output_layer: the layer or tensor whose values are the features; by default the model's own output.
        preprocess: "tf", "caffe", "torch" or "lite"; by default what the file says.
        size: side of the square input in pixels; 0 is the model's own, or else 224.
        precision, calibration: "bf16" and "int8" are faster and only close to "exact"; int8 needs what `calibrate` gives.
        """
        options = c.pom_model_options(
            output_layer=encoded(output_layer) if output_layer is not None else None,
            preprocess=encoded(preprocess) if preprocess is not None else None,
            size=size,
            precision=_precision(precision),
        )
        if calibration is not None:
            blob = ctypes.create_string_buffer(calibration, len(calibration))
            options.calibration = c.pom_bytes(ctypes.cast(blob, ctypes.c_void_p), len(calibration))
        handle = Handle(c.pom_model, lib.pom_model_free)
        check(lib.pom_model_load, encoded(name_or_path), ctypes.byref(options), handle.out)
        return cls(handle, (os.fspath(name_or_path), output_layer, preprocess, size, precision, calibration))

    def __reduce__(self) -> Tuple[Any, ...]:
        return _load_again, (self.info.sha256, *self._how)

    def __repr__(self) -> str:
        info = self.info
        return f"<pomona.Model {info.name}: {info.width}x{info.height} pixels to {info.features} features, {info.precision}>"

    @overload
    def featurize(
        self,
        images: Images,
        *,
        threads: Optional[int] = ...,
        resize: Resize = ...,
        on_error: Literal["raise"] = ...,
        batch: int = ...,
        out: Literal["numpy"] = ...,
    ) -> Features: ...
    @overload
    def featurize(
        self,
        images: Images,
        *,
        threads: Optional[int] = ...,
        resize: Resize = ...,
        on_error: Literal["null"],
        batch: int = ...,
        out: Literal["numpy", "arrow"] = ...,
    ) -> Result: ...
    @overload
    def featurize(
        self,
        images: Images,
        *,
        threads: Optional[int] = ...,
        resize: Resize = ...,
        on_error: Literal["raise"] = ...,
        batch: int = ...,
        out: Literal["arrow"],
    ) -> Any: ...

    def featurize(
        self,
        images: Images,
        *,
        threads: Optional[int] = None,
        resize: Resize = "bicubic",
        on_error: Literal["raise", "null"] = "raise",
        batch: int = 8,
        out: Literal["numpy", "arrow"] = "numpy",
    ) -> Any:
        """The features of encoded images (JPEG, PNG, WebP), one row each.

        images: a list of bytes-like objects or of paths, or an Arrow array or stream of binary (taken where it lies) or of
            strings (paths): pyarrow's Array and ChunkedArray, a polars Series, and whatever else has __arrow_c_array__ or
            __arrow_c_stream__.
        threads: by default `cpu_count()`. The features are the same bits for any number of threads and any batch.
        resize: the filter that makes a picture the size that the network takes: Pillow's, to the bit.
        on_error: "raise" ends at the first image that fails; "null" gives a `Result`, which says of each image why it failed.
        batch: images that go through the network together.
        out: "numpy" gives float32 (n, features); "arrow" gives a pyarrow FixedSizeListArray over the same memory.

        Other Python threads run meanwhile.
        """
        if on_error not in ("raise", "null") or out not in ("numpy", "arrow"):
            raise ArgumentError('on_error is "raise" or "null", out is "numpy" or "arrow"')
        if batch < 1 or (threads is not None and threads < 1):
            raise ArgumentError("batch and threads are at least 1")
        run = _Run(self, images, _filter(resize), batch, first_ends=on_error == "raise")
        run.all(cpu_count() if threads is None else threads)
        if on_error == "raise" and run.failures:
            i = min(run.failures)
            raise type(run.failures[i])(f"{run.images.name(i)}: {run.failures[i]}")
        failed = sorted(run.failures)
        run.features[failed] = np.nan
        features = _to_arrow(run.features, failed) if out == "arrow" else run.features
        if on_error == "raise":
            return features
        errors = [str(run.failures[i]) if i in run.failures else None for i in range(len(run.images))]
        return Result(features, errors)

    def calibrate(self, images: Images, *, resize: Resize = "bicubic") -> bytes:
        """Watches this exact model on sample images and gives what `load(..., precision="int8", calibration=...)` needs.

        Pictures of all kinds that will come give a better calibration than many of one kind; 32 to 64 do.
        """
        size = (self.info.width, self.info.height)
        sample = images_of(images)
        part = sample.part(0, len(sample))
        for i in sorted(part.failures):
            raise part.failures[i]
        pixels = np.ascontiguousarray([_decode(row, size, _filter(resize)) for row in part.table], np.uint8)
        blob, n_bytes = ctypes.c_void_p(), ctypes.c_size_t()
        address = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        check(lib.pom_model_calibrate, self._handle.pointer, address, len(pixels), ctypes.byref(blob), ctypes.byref(n_bytes))
        try:
            return ctypes.string_at(blob, n_bytes.value)
        finally:
            _free(blob)

    def _featurizer(self, filter: int, batch: int) -> Handle:
        """One that is idle, or a new one; the caller gives it back to self._idle."""
        try:
            return self._idle[filter, batch].pop()
        except IndexError:
            pass
        options = c.pom_featurizer_options(filter=filter, max_batch=batch)
        handle = Handle(c.pom_featurizer, lib.pom_featurizer_free)
        check(lib.pom_featurizer_new, self._handle.pointer, ctypes.byref(options), handle.out)
        return handle


def _load_again(sha256: str, path: str, layer: Optional[str], preprocess: Optional[str], size: int, *how: Any) -> Model:
    model = Model.load(path, output_layer=layer, preprocess=preprocess, size=size, precision=how[0], calibration=how[1])
    if model.info.sha256 != sha256:
        raise ConflictError(f"{path} is another model here: its SHA-256 is {model.info.sha256}, and {sha256} is wanted")
    return model


_free: Any = ctypes.CDLL(None).free
_free.argtypes, _free.restype = [ctypes.c_void_p], None


class _Run:
    """One call of featurize: threads take the next part of the images until there is none."""

    def __init__(self, model: Model, images: Images, filter: int, batch: int, first_ends: bool) -> None:
        self.model, self.images, self.filter, self.batch, self.first_ends = model, images_of(images), filter, batch, first_ends
        self.features = np.empty((len(self.images), model.info.features), np.float32)
        self.failures: Dict[int, Error] = {}
        self._starts, self._lock = iter(range(0, len(self.images), batch)), threading.Lock()

    def all(self, threads: int) -> None:
        parts = -(-len(self.images) // self.batch)
        if min(threads, parts) <= 1:
            return self.work()
        with ThreadPoolExecutor(min(threads, parts), "pomona") as pool:
            for done in [pool.submit(self.work) for _ in range(min(threads, parts))]:
                done.result()

    def work(self) -> None:
        featurizer = self.model._featurizer(self.filter, self.batch)
        while not (self.first_ends and self.failures):
            with self._lock:
                start = next(self._starts, None)
            if start is None:
                break
            self.part(featurizer, start, min(start + self.batch, len(self.images)))
        self.model._idle[self.filter, self.batch].append(featurizer)

    def part(self, featurizer: Handle, start: int, stop: int) -> None:
        part, n = self.images.part(start, stop), stop - start
        statuses, messages = (ctypes.c_int * n)(), (c.pom_message * n)()
        images = part.table.ctypes.data_as(ctypes.POINTER(c.pom_bytes))
        rows = self.features[start:stop].ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        check(lib.pom_featurize, featurizer.pointer, images, n, rows, statuses, messages)
        for i in range(n):
            if i in part.failures:
                self.failures[start + i] = part.failures[i]
            elif statuses[i] != c.POM_OK:
                self.failures[start + i] = error_of(statuses[i], text_of(messages[i]))


def _to_arrow(features: Features, failed: List[int]) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    mask = None
    if failed:
        nulls = np.zeros(len(features), np.bool_)
        nulls[failed] = True
        mask = pa.array(nulls)
    return pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), features.shape[1], mask=mask)


def _decode(row: Any, size: Optional[Tuple[int, int]], filter: int) -> npt.NDArray[np.uint8]:
    picture, square = c.pom_image(), c.pom_image()
    try:
        check(lib.pom_image_decode, int(row["data"]), int(row["n_bytes"]), None, ctypes.byref(picture))
        shown = picture
        if size is not None:
            check(lib.pom_image_resize, ctypes.byref(picture), *size, filter, ctypes.byref(square))
            shown = square
        shape = (shown.height, shown.width, 3)
        pixels: npt.NDArray[np.uint8] = np.ctypeslib.as_array(shown.rgb, shape).copy()
        return pixels
    finally:
        lib.pom_image_clean_up(ctypes.byref(picture))
        lib.pom_image_clean_up(ctypes.byref(square))


def decode(
    image: Union[bytes, bytearray, memoryview, str, "os.PathLike[str]"],
    size: Optional[Tuple[int, int]] = None,
    *,
    resize: Resize = "bicubic",
) -> npt.NDArray[np.uint8]:
    """One image's pixels as the network sees them: uint8 (height, width, 3), RGB, stretched to size (width, height)."""
    part = images_of([image]).part(0, 1)
    for error in part.failures.values():
        raise error
    return _decode(part.table[0], size, _filter(resize))
