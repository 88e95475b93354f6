"""Where the package keeps what is not Python: laid out as an installation, bin, lib and share."""

import os

RUNTIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runtime")
PROGRAM = os.path.join(RUNTIME, "bin", "pomona")
