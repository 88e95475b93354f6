"""What Pomona raises: one exception per status of the C library, with the library's message."""

from __future__ import annotations


class Error(Exception):
    """Something failed; the message says what, on what, and what to do about it."""


class ArgumentError(Error, ValueError):
    """An argument or option is out of its range."""


class OutOfMemoryError(Error, MemoryError):
    """An allocation failed."""


class IOFailure(Error, OSError):
    """The operating system refused a read or write."""


class NotFoundError(Error, FileNotFoundError):
    """No such file, model, layer or table."""


class FormatError(Error, ValueError):
    """The bytes are not what they claim to be: truncated, corrupt or hostile."""


class UnsupportedError(Error):
    """Well-formed, but a feature that Pomona does not have."""


class LimitError(Error):
    """Over a bound on size, memory or time."""


class ConflictError(Error):
    """The destination is in use or was made with other settings."""


class NetworkError(Error, ConnectionError):
    """A remote host failed or refused."""


class CancelledError(Error):
    """The caller asked to stop."""


class InternalError(Error):
    """A defect in Pomona: please report it."""


_KINDS = {
    "POM_ERR_ARGUMENT": ArgumentError,
    "POM_ERR_MEMORY": OutOfMemoryError,
    "POM_ERR_IO": IOFailure,
    "POM_ERR_NOT_FOUND": NotFoundError,
    "POM_ERR_FORMAT": FormatError,
    "POM_ERR_UNSUPPORTED": UnsupportedError,
    "POM_ERR_LIMIT": LimitError,
    "POM_ERR_CONFLICT": ConflictError,
    "POM_ERR_NETWORK": NetworkError,
    "POM_ERR_CANCELLED": CancelledError,
    "POM_ERR_INTERNAL": InternalError,
}


def error_of(status: int, message: str) -> Error:
    """The exception for a status of the library."""
    from ._declarations import pom_status

    return _KINDS.get(pom_status.get(status, ""), Error)(message)
