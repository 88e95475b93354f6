"""Buckets: reading and listing beside obstore, the first row of a large bucket, and a job from a distant one beside one from local files.

Servers run on the loopback interface: versitygw, nginx, a generated bucket; slow_proxy.py makes a server distant by holding each request
for 100 ms. They share the client's cores, but where a row says that they stand on the other one. Objects are links to the images of Fruits-360 in a folder in memory.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from common import FRUITS, MOBILENET, POMONA, PYTHON, ROOT, SHARED, output, spread, table

sys.path.insert(0, str(ROOT / "tests" / "peers"))

BENCH = ROOT / "build" / "tests" / "store" / "bucketbench"
STORE = SHARED / "peers" / "store"
NGINX = ROOT / ".deps" / "nginx" / "usr" / "sbin" / "nginx"
GENERATED = ROOT / "tests" / "peers" / "generated_bucket.py"
SLOW_PROXY = [sys.executable, STORE / "slow_proxy.py", "--delay-ms", 100, "--to"]
OBJECTS, KEYS, MANY_KEYS, JOB_IMAGES = 10_000, 100_000, 1_000_000, 6030
NGINX_CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log; events {{ worker_connections 4096; }}
http {{
    access_log off; sendfile on; keepalive_requests 1000000; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location = /objects/ {{ proxy_pass http://127.0.0.1:{listing}; }}
        location / {{ root {root}; }}
    }}
}}"""


# --- servers ---

def fill(folder, n):
    """n objects <label>/<name>, evenly over the whole set; links where there are more objects than files."""
    files = sorted(FRUITS.rglob("*.jpg"))
    copies = folder.parent.parent / "files"
    copies.mkdir(exist_ok=True)
    for i in range(n):
        source = files[i * len(files) // n] if n <= len(files) else files[i % len(files)]
        copy = copies / f"{source.parent.name} {source.name}"
        if not copy.exists():
            copy.write_bytes(source.read_bytes())
        link = folder / source.parent.name / (source.name if n <= len(files) else f"{i // len(files):03}_{source.name}")
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(copy, link)


class Servers:
    """Those that are needed now and then are started when asked for; all end with the stack."""

    def __init__(self, stack, folder):
        import servers

        self.kit, self.stack, self.folder = servers, stack, folder
        self.gateway = stack.enter_context(servers.versitygw(folder))
        for bucket, n in (("objects", OBJECTS), ("keys", KEYS), ("images", JOB_IMAGES)):
            fill(self.gateway.root / bucket, n)
        self.port = int(self.gateway.url.rsplit(":", 1)[1])
        self.slow = self.distant(self.port)

    def start(self, name, command):
        """The command with a free port behind it."""
        port = self.kit.free_port()
        self.stack.enter_context(self.kit.started([*command, port], port, self.folder / f"{name}.log", seconds=30))
        return port

    def distant(self, port):
        return self.start(f"slow_proxy-{port}", [*SLOW_PROXY, port, "--listen"])

    @contextmanager
    def distant_alone(self, log):
        """As distant, for a while; then its log has what it counted."""
        port = self.kit.free_port()
        with self.kit.started([*SLOW_PROXY, self.port, "--listen", port], port, log):
            yield port

    @staticmethod
    def pids():
        """Of all servers: they are children of this process."""
        return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()

    def pin(self, cores):
        for pid in self.pids():
            subprocess.run(["taskset", "--all-tasks", "--cpu-list", "--pid", ",".join(map(str, cores)), pid], check=True, timeout=30,
                           stdout=subprocess.DEVNULL)

    @contextmanager
    def apart(self):
        """The core of the client, for a while in which the servers have the others, as they would stand apart."""
        cores = sorted(os.sched_getaffinity(0))
        self.pin(cores[1:] or cores)
        yield cores[0]
        self.pin(cores)

    def cpu_seconds(self):
        stats = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in self.pids()]
        return sum(int(ticks) for stat in stats for ticks in stat[11:13]) / os.sysconf("SC_CLK_TCK")

    def env(self, port):
        return {**self.gateway.env, "AWS_ENDPOINT_URL": url(port), "AWS_ALLOW_HTTP": "true"}

    def nginx(self):
        port, root = self.kit.free_port(), self.gateway.root
        generated = [sys.executable, GENERATED, "--folder", root / "objects"]
        config = self.folder / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(folder=self.folder, port=port, root=root, listing=self.start("listing", generated)))
        self.stack.enter_context(self.kit.started([NGINX, "-c", config, "-e", self.folder / "nginx-error.log"], port, self.folder / "nginx.log"))
        return port

    def generated(self):
        image = next(FRUITS.rglob("*.jpg"))
        return self.start("generated", [sys.executable, GENERATED, "--keys", MANY_KEYS, "--object", image])


def url(port):
    return f"http://127.0.0.1:{port}"


@contextmanager
def all_servers():
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.exists() else None) as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # nginx's workers are somebody else where it is started by root
        yield Servers(stack, Path(folder))


# --- one measurement ---

def run(command, env, core=None):
    """core: the one that it may use; any, without."""
    pinned = [] if core is None else ["taskset", "--cpu-list", core]
    done = subprocess.run([str(c) for c in [*pinned, *command]], env=env, text=True, capture_output=True, timeout=300)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def ours(servers, port, bucket, mode, core=None):
    return json.loads(run([BENCH, f"s3://{bucket}/", mode], servers.env(port), core))


def obstore(servers, port, bucket, tool, concurrency=64, keys=None, core=None):
    command = [PYTHON, STORE / "read_objects.py", tool, "--endpoint", url(port), "--bucket", bucket, "--concurrency", concurrency]
    return json.loads(run([*command, *(["--keys", keys] if keys else [])], servers.env(port), core))


def rounds_of(rounds, *measures):
    """The results of each, in turn: a list for each."""
    results = [[measure() for measure in measures] for _ in range(rounds)]
    return [list(column) for column in zip(*results)]


def ratios(over, under):
    return [a / b for a, b in zip(over, under)]


def row(what, our_text, their_text, ratio, wanted="", good=None):
    verdict = f"{wanted}: {'yes' if good(statistics.median(ratio)) else 'NO'}" if good else ""
    cells = [what, our_text, their_text, spread(ratio, 2), verdict]
    print(" | ".join(cell for cell in cells if cell), flush=True)
    return cells


# --- what is measured ---

def reading(servers, args, what, port, concurrency, wanted):
    """Objects a second, all keys known before."""
    def rate(result):
        return result["objects_s"]

    mine, theirs = rounds_of(args.rounds, lambda: rate(ours(servers, port, "objects", "apart")),
                             lambda: rate(obstore(servers, port, "objects", "obstore-threads", concurrency)))
    yield row(what, f"{spread(mine, 0)}/s", f"{spread(theirs, 0)}/s", ratios(mine, theirs), f">= {wanted}", lambda r: r >= wanted)


def bench_direct(servers, args):
    yield from reading(servers, args, "10,000 objects, versitygw", servers.port, 64, 1.3)


def bench_delayed(servers, args):
    log = servers.folder / "delayed.log"
    with servers.distant_alone(log) as port:
        yield from reading(servers, args, "10,000 objects, 100 ms a request, at most 512 at once", port, 512, 1.1)
    print(f"requests at once, as the proxy counted them: at most {json.loads(log.read_text())['peak']}")


def bench_cpu(servers, args):
    if not NGINX.exists():
        print("left out: CPU time an object, as .deps/nginx is not there (tools/deps.sh bench)")
        return
    port, keys = servers.nginx(), servers.folder / "keys.txt"
    root = servers.gateway.root / "objects"
    keys.write_text("\n".join(sorted(str(f.relative_to(root)) for f in root.rglob("*.jpg"))))
    with servers.apart() as core:
        mine, theirs = rounds_of(
            args.rounds, lambda: ours(servers, port, "objects", "apart", core)["cpu_us"],
            lambda: obstore(servers, port, "objects", "obstore-threads", keys=keys, core=core)["cpu_s"] * 1e6 / OBJECTS)
    yield row("CPU time of the client an object, on a core of its own, nginx on the other", f"{spread(mine)} us", f"{spread(theirs)} us",
              ratios(mine, theirs), "<= 0.5", lambda r: r <= 0.5)


def bench_listing(servers, args):
    mine, theirs = rounds_of(args.rounds, lambda: ours(servers, servers.slow, "keys", "list")["wall_s"],
                             lambda: obstore(servers, servers.slow, "keys", "list-obstore")["list_s"])
    yield row("listing 100,000 keys, 100 ms a request", f"{spread(mine, 2)} s", f"{spread(theirs, 2)} s", ratios(mine, theirs),
              "<= 1/3", lambda r: r <= 1 / 3)


def features(servers, port, source, *options, core=None):
    """Wall seconds of the whole process, and its receipt."""
    out = servers.folder / "out"
    command = [POMONA, "features", source, "-o", out, "--model", MOBILENET, "--fresh", "--quiet", *options]
    start = time.perf_counter()
    run(command, servers.env(port), core)
    return time.perf_counter() - start, json.loads((out / "run.json").read_text())


def bench_first(servers, args):
    port = servers.generated()
    for what, at in (("", port), (", 100 ms a request", servers.distant(port))):
        def first():
            return features(servers, at, "s3://photos/", "--limit", 500)[1]["speed"]["wall_seconds"]["first_row"]
        seconds = rounds_of(args.rounds, first)[0]
        yield row(f"first row of a job on 1,000,000 keys{what}, seconds", "", "", seconds, "<= 1", lambda s: s <= 1)


def bench_job(servers, args):
    """With the client on one core and the servers on the others, as they would stand apart. Once more on the same cores, where the servers
    take time from the job, so that nothing is wanted of the ratio."""
    def seconds(port, source, core):
        return features(servers, port, source, core=core)[0]

    def compare(rounds, core=None):
        return rounds_of(rounds, lambda: seconds(servers.slow, "s3://images/", core),
                         lambda: seconds(servers.port, servers.gateway.root / "images", core))

    def line(what, distant, local, *wanted):
        return row(f"{JOB_IMAGES:,} images -> features, 100 ms a request beside local files, {what}", f"{spread(distant, 2)} s",
                   f"{spread(local, 2)} s, local", ratios(distant, local), *wanted)

    with servers.apart() as core:
        yield line("on a core of its own, servers on the other", *compare(args.rounds, core), "<= 1.05", lambda r: r <= 1.05)
    before = servers.cpu_seconds()
    both = compare(1)
    yield line(f"servers on the job's cores, where they take {servers.cpu_seconds() - before:.1f} s", *both)


PARTS = {"direct": bench_direct, "delayed": bench_delayed, "cpu": bench_cpu, "listing": bench_listing, "first": bench_first, "job": bench_job}


def bench(args):
    output(["meson", "configure", ROOT / "build", "-Dtests=true"])
    output(["ninja", "-C", ROOT / "build", BENCH.relative_to(ROOT / "build")])
    with all_servers() as servers:
        start = time.perf_counter()
        rows = [row for part in args.buckets for row in PARTS[part](servers, args)]
    print(f"buckets took {time.perf_counter() - start:.0f} s")
    return [table(["buckets", "Pomona", "obstore", "ratio by round", "wanted"], rows)]
