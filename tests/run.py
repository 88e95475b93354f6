#!/usr/bin/env python3
"""Runs a set of tests and counts them: cmocka cases within each program, pytest cases, and plain programs as one each.

usage: run.py quick|peers      runs the set, ends with where the time went and the line 'N passed, N failed, N skipped'
       run.py total            adds up what the last runs of the sets counted (CI's closing line)
"""
import json, os, re, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / ".deps" / "results"
SANITIZED = {  # build folder -> sanitizers, meson suite (none: all), environment
    "build-asan": ("address,undefined", None, {"ASAN_OPTIONS": "detect_leaks=1:handle_sigill=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}),
    "build-tsan": ("thread", "threads", {"TSAN_OPTIONS": f"halt_on_error=1:suppressions={ROOT}/tests/tsan.supp"}),
}
# These hold a job to seconds, or keep every core busy by themselves; the other files of pytest run two at a time.
ALONE = {"tests/peers/test_features_full.py", "tests/peers/test_job_kill.py", "tests/peers/test_bucket_kill.py", "tests/peers/test_samebits.py"}
# The longest begin first, so that none of them is left over at the end.
LONGEST = ["tests/peers/test_fast_accuracy.py", "tests/spark/test_cluster.py", "tests/spark/test_local.py", "tests/peers/test_model_keras.py",
           "tests/peers/test_buckets.py", "tests/peers/test_faults.py", "tests/peers/test_pca_spark.py", "tests/readback/test_pca.py"]
HANGS = 1800  # seconds after which a program of tests is ended, and has failed
TIMES = {}  # what was run -> seconds


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped=0):
        self.passed, self.failed, self.skipped = self.passed + passed, self.failed + failed, self.skipped + skipped

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(command, **env):
    try:
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, text=True, errors="replace", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=HANGS)
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, 1, f"{said}\n{' '.join(map(str, command))} did not end within {HANGS} s")


def timed(name, command, **env):
    start = time.time()
    done = run(command, **env)
    TIMES[name] = time.time() - start
    return done


def count_program(test, count):
    """A program of cmocka cases counts each; any other counts as one."""
    out = test.get("stdout", "") + test.get("stderr", "")
    for name in sorted(set(re.findall(r"SKIPPED (?!TEST|\]).*", out))):
        print("  " + name)
    passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", out)))
    failed = sum(map(int, re.findall(r"\[  FAILED  \].*?(\d+) test\(s\), listed below", out)))
    skipped = sum(map(int, re.findall(r"\[  SKIPPED \].*?(\d+) test\(s\), listed below", out)))
    if test["result"] == "SKIP":
        count.add(0, 0, 1)
    elif test["result"] in ("OK", "EXPECTEDFAIL"):
        count.add(passed or 1, 0, skipped)
    else:
        count.add(passed, failed or 1, skipped)
        print(f"FAILED {test['name']} ({test['result']})\n{out[-6000:]}")


def programs(build, suite):
    """The programs of a suite, as ninja calls them."""
    run(["ninja", "-C", build, "build.ninja"])  # tests that came with a change are known only then
    tests = json.loads(run(["meson", "introspect", "--tests", build]).stdout)
    commands = {command for test in tests if f"pomona:{suite}" in test["suite"] for command in test["cmd"]}
    return sorted(command.removeprefix(f"{ROOT}/{build}/") for command in commands if command.startswith(f"{ROOT}/{build}/"))


def meson(build, setup=(), suite=None, **env):
    count, start = Count(), time.time()
    fresh, log = not (ROOT / build / "build.ninja").exists(), ROOT / build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    done = run(["meson", "setup" if fresh else "configure", build, "-Dtests=true", *setup], **({"CC": "clang-16"} if setup else {}))
    if done.returncode:
        sys.exit(done.stdout)
    done = timed(f"{build}: compiling", ["ninja", "-C", build, *(programs(build, suite) if suite else ())])
    if done.returncode:
        sys.exit(f"{build} does not build:\n{done.stdout[-8000:]}")
    run(["meson", "test", "-C", build, "--no-rebuild", "--timeout-multiplier", "4", *(("--suite", suite) if suite else ())], **env)
    tests = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    for test in tests:
        count_program(test, count)
        TIMES[f"{build}: {test['name'].split(' / ')[-1]}"] = test["duration"]
    if not tests:
        count.add(0, 1)
    print(f"{build}: {count.line()} ({len(tests)} programs, {time.time() - start:.0f} s)", flush=True)
    return count


def pytest_file(file):
    """One file in a process of its own."""
    count = Count()
    done = timed(file, [sys.executable, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", file], POMONA=str(ROOT / "build" / "pomona"))
    tail = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    numbers = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error|errors|skipped)", tail)}
    count.add(numbers.get("passed", 0), numbers.get("failed", 0) + numbers.get("error", 0) + numbers.get("errors", 0), numbers.get("skipped", 0))
    if done.returncode and not count.failed:
        count.add(0, 1)
    print(done.stdout[-8000:] if count.failed else "\n".join(l for l in done.stdout.splitlines() if l.startswith("SKIPPED")) or file, flush=True)
    return count


def pytest(*folders):
    """Their files two at a time, as most wait or keep one core busy; then those that need the machine for themselves."""
    files = [str(file.relative_to(ROOT)) for folder in folders for file in sorted((ROOT / folder).glob("test_*.py"))]
    files.sort(key=lambda file: LONGEST.index(file) if file in LONGEST else len(LONGEST))
    count, start = Count(), time.time()
    with ThreadPoolExecutor(2) as lanes:
        counts = list(lanes.map(pytest_file, [file for file in files if file not in ALONE]))
    counts += [pytest_file(file) for file in files if file in ALONE]
    for each in counts:
        count.add(each.passed, each.failed, each.skipped)
    print(f"pytest {' '.join(folders)}: {count.line()} ({time.time() - start:.0f} s)", flush=True)
    return count


def stage_python():
    """The Python package in build/site, where the tests import it from."""
    done = timed("the Python package", ["tools/stage_python.sh", "build", sys.executable])
    if done.returncode:
        sys.exit(f"the Python package does not build:\n{done.stdout[-8000:]}")


def quick():
    yield meson("build")
    for build, (sanitizers, suite, env) in SANITIZED.items():
        yield meson(build, ["-Dbuildtype=debugoptimized", "-Doptimization=1", f"-Db_sanitize={sanitizers}", "-Db_lundef=false"], suite, **env)
    stage_python()
    yield pytest("tests/e2e", "tests/readback", "tests/deploy", "tests/python")


def peers():
    stage_python()
    yield pytest("tests/peers", "tests/spark")


def print_times():
    """What took longest; the programs of meson and the files of pytest run beside each other, so these add up to more than the whole."""
    slowest = sorted(TIMES.items(), key=lambda item: -item[1])
    print("seconds")
    for name, seconds in [*slowest[:30], (f"{len(slowest[30:])} others", sum(seconds for _, seconds in slowest[30:]))]:
        print(f"{seconds:7.1f}  {name}")


def main(which):
    RESULTS.mkdir(parents=True, exist_ok=True)
    total = Count()
    if which == "total":
        for file in sorted(RESULTS.glob("*.json")):
            total.add(*json.loads(file.read_text()))
    else:
        for count in {"quick": quick, "peers": peers}[which]():
            total.add(count.passed, count.failed, count.skipped)
        (RESULTS / f"{which}.json").write_text(json.dumps([total.passed, total.failed, total.skipped]))
        print_times()
    print(total.line())
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("quick", "peers", "total"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
