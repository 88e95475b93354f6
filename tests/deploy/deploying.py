"""What the tests of the deployment share."""
import json
import os
import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def run(*command, env=None, ok=True, timeout=120):
    """The finished process; its output is the failure's text."""
    done = subprocess.run([str(word) for word in command], env={**os.environ, **(env or {})}, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout)
    assert not ok or done.returncode == 0, done.stdout
    return done


def small_wheel(folder):
    """A package named pomona that says its version: what publishing and installing are tried with, whatever is built."""
    wheel = folder / "pomona-0.0.1-py3-none-any.whl"
    info = "pomona-0.0.1.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pomona/__init__.py", '__version__ = "0.0.1"\n')
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: pomona\nVersion: 0.0.1\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"pomona/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return wheel


def outputs(platform):
    return json.loads((ROOT / "tests" / "deploy" / f"outputs_{platform}.json").read_text())
