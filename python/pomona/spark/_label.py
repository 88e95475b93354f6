"""The label of an image, from the end of its path: the rules of `pomona features --label`."""

from __future__ import annotations

import re
from typing import Optional

from ..errors import ArgumentError

_TOKENS = {"{label}": "([^/]+)", "*": "[^/]*", "?": "[^/]"}


class Label:
    """`{label}` is one or more characters other than a slash, `*` any such characters, `?` one; the longest first."""

    def __init__(self, pattern: str) -> None:
        if pattern.count("{label}") != 1:
            raise ArgumentError(f"a label pattern has {{label}} once: {pattern!r} has not")
        parts = re.split(r"(\{label\}|\*|\?)", pattern)
        self._wanted = re.compile(r"(?:^|/)" + "".join(_TOKENS.get(part, re.escape(part)) for part in parts) + r"\Z")

    def of(self, path: Optional[str]) -> Optional[str]:
        found = self._wanted.search(path or "")
        return found.group(1) if found else None
