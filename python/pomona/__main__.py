"""The program `pomona` of the package."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from ._program import PROGRAM


def main() -> NoReturn:
    os.execv(PROGRAM, [PROGRAM, *sys.argv[1:]])


if __name__ == "__main__":
    main()
