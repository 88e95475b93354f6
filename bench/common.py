"""What the parts of the benchmark share: where things stand, running a program, figures as text."""
import os, statistics, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
WORK = ROOT / ".deps" / "bench"
POMONA = ROOT / "build" / "pomona"
PYTHON = ROOT / ".deps" / "peers" / "bin" / "python"
MOBILENET = SHARED / "models" / "mobilenetv2.onnx"
FRUITS = SHARED / "data" / "fruits-360" / "Training"


def attempt(command, **env):
    """The exit status and what the program printed."""
    done = subprocess.run([str(c) for c in command], env={**os.environ, **env}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def output(command, **env):
    status, text = attempt(command, **env)
    if status:
        sys.exit(f"{' '.join(map(str, command))} ended with {status}:\n{text[-3000:]}")
    return text


def measured(command):
    """Wall seconds and peak memory (MB) of a whole process, start included."""
    start = time.perf_counter()
    env = {**os.environ, "PYSPARK_PYTHON": str(PYTHON)}
    pid = subprocess.Popen([str(c) for c in command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} ended with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def spread(values, digits=1):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def three_digits(values):
    return spread(values, 0 if statistics.median(values) >= 100 else 1)


def table(head, rows):
    """A Markdown table."""
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [head, ["---"] * len(head), *rows])
