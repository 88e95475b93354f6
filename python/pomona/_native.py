"""The C library beside this file, with the types of its functions, and its failures as exceptions."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Callable

from . import _declarations as c
from ._program import RUNTIME
from .errors import ArgumentError, error_of

# A CDLL lets go of the interpreter's lock for as long as a call lasts.
lib: Any = ctypes.CDLL(os.path.join(RUNTIME, "lib", "libpomona.so.0"))
c.declare(lib)


def check(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function whose last argument is the message; raises the error that it reports."""
    message = c.pom_message()
    status = function(*arguments, ctypes.byref(message))
    if status != c.POM_OK:
        raise error_of(status, text_of(message))


def text_of(message: Any) -> str:
    return str(message.text.decode("utf-8", "replace"))


class Handle:
    """An object of the library, freed with this one."""

    def __init__(self, kind: Any, free: Callable[[Any], None]) -> None:
        self.pointer = ctypes.POINTER(kind)()
        self._free = free

    @property
    def out(self) -> Any:
        return ctypes.byref(self.pointer)

    def __del__(self) -> None:
        if self.pointer:
            self._free(self.pointer)


def encoded(text: object) -> bytes:
    """A path or name as the library takes it."""
    try:
        data = os.fsencode(text)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"a name or path is wanted, not {type(text).__name__}") from None
    if b"\0" in data:
        raise ArgumentError("a name or path holds a NUL character")
    return data
