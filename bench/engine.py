"""Images per second of the networks alone, in memory, 2 threads: Pomona and its peers in turn, each peer in its best setting."""
import re, statistics
from dataclasses import dataclass, field

from common import MOBILENET, POMONA, PYTHON, ROOT, SHARED, WORK, attempt, output, spread, table, three_digits

THREADS = 2
HERE = ROOT / "bench"
NETWORKS = ["mobilenetv2", "efficientnet-lite0", "resnet50", "vgg16"]
SETTINGS = ["2x1", "2x8", "1x1", "1x8"]  # streams x batch, see peer.py


@dataclass(frozen=True)
class Peer:
    name: str
    engines: tuple  # of peer.py, the best is taken
    int8: bool = False  # runs what openvino_int8.py made of the network


ORT = Peer("ONNX Runtime", ("onnxruntime",))
OPENVINO_F32 = Peer("OpenVINO f32", ("openvino-f32",))
OPENVINO_BF16 = Peer("OpenVINO bf16", ("openvino-bf16",))
OPENVINO_INT8 = Peer("OpenVINO int8", ("openvino-f32", "openvino-bf16"), int8=True)


@dataclass(frozen=True)
class Contest:
    title: str
    precision: str
    peers: tuple
    env: dict = field(default_factory=dict)


NATIVE = (
    Contest("exact", "exact", (ORT, OPENVINO_F32)),
    Contest("fast", "fast", (OPENVINO_BF16, OPENVINO_INT8)),
)
ONLY_AVX2 = {"POMONA_CPU": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
AVX2 = (
    Contest("exact, AVX2", "exact", (OPENVINO_F32,), ONLY_AVX2),
    Contest("fast, AVX2", "fast", (OPENVINO_INT8,), ONLY_AVX2),
)


# --- the files ---

def network(name):
    """The ONNX file: real weights where there are some."""
    if name == "mobilenetv2":
        return MOBILENET
    if name == "efficientnet-lite0":
        return ROOT / ".deps" / "models" / f"{name}.onnx"
    file = WORK / "models" / f"{name}.onnx"
    if not file.exists():
        output([PYTHON, SHARED / "peers" / "make_models.py", file.parent, name])
    return file


def quantised(name):
    """OpenVINO's int8 form of it, kept until the network or the script changes."""
    source, script, made = network(name), HERE / "openvino_int8.py", WORK / "int8" / f"{name}.xml"
    if not made.exists() or made.stat().st_mtime < max(f.stat().st_mtime for f in (source, script)):
        made.parent.mkdir(parents=True, exist_ok=True)
        output([PYTHON, script, source, made, SHARED / "data"])
    return made


# --- one measurement ---

def seconds(name):
    return 10 if name == "vgg16" else 5


def pomona_rate(name, contest):
    """Images a second, and the per cent of the peak."""
    text = output([POMONA, "model", "bench", network(name), "--precision", contest.precision, "--threads", THREADS, "--seconds", seconds(name)],
                  **contest.env)
    rate, peak = re.search(r"images/s ([\d.]+)\s+peak ([\d.]+) %", text).groups()
    return float(rate), float(peak)


def peer_rate(name, peer, engine, setting, contest, duration):
    """Images a second; 0 where the peer refuses, such as bf16 on a CPU without it."""
    model = quantised(name) if peer.int8 else network(name)
    status, text = attempt([PYTHON, HERE / "peer.py", model, engine, setting, "--threads", THREADS, "--seconds", duration], **contest.env)
    return 0.0 if status else float(re.search(r"images/s ([\d.]+)", text)[1])


def best_setting(name, peer, contest):
    """(engine, setting), tried once each; None where the peer refuses them all."""
    rates = {(e, s): peer_rate(name, peer, e, s, contest, seconds(name) / 2) for e in peer.engines for s in SETTINGS}
    for (engine, setting), rate in rates.items():
        print(f"{name:18s} {contest.title:12s} trying {peer.name} as {engine} {setting}: {rate:.1f}", flush=True)
    best = max(rates, key=rates.get)
    return best if rates[best] else None


# --- a contest over one network ---

@dataclass
class Result:
    name: str
    settings: dict  # peer -> (engine, setting)
    pomona: list
    peak: list
    peers: dict  # peer -> rates

    def ratios(self, peer):
        return [ours / theirs for ours, theirs in zip(self.pomona, self.peers[peer])]

    def ratios_to_best(self):
        return [min(of_round) for of_round in zip(*map(self.ratios, self.peers))]


def run(name, contest, rounds):
    settings = {peer: setting for peer in contest.peers if (setting := best_setting(name, peer, contest))}
    result = Result(name, settings, [], [], {peer: [] for peer in settings})
    for _ in range(rounds):
        rate, peak = pomona_rate(name, contest)
        result.pomona.append(rate)
        result.peak.append(peak)
        for peer, (engine, setting) in settings.items():
            result.peers[peer].append(peer_rate(name, peer, engine, setting, contest, seconds(name)))
    return result


def report(contest, result):
    who = f"{result.name:18s} {contest.title:12s}"
    print(f"{who} Pomona         images/s {spread(result.pomona)}   {statistics.median(result.peak):.0f} % of the peak")
    for peer, rates in result.peers.items():
        print(f"{who} {peer.name:14s} images/s {spread(rates)}   ratio {spread(result.ratios(peer), 2)}   as {' '.join(result.settings[peer])}", flush=True)


def peer_cells(result, peer):
    if peer not in result.peers:
        return "refused", ""
    engine, setting = result.settings[peer]
    rest = ", rest bf16" if peer.int8 and engine == "openvino-bf16" else ""
    return f"{three_digits(result.peers[peer])}, {setting}{rest}", f"{statistics.median(result.ratios(peer)):.2f}"


def markdown(contest, results):
    def cells(result):
        yield from (result.name, three_digits(result.pomona), f"{statistics.median(result.peak):.0f} %")
        for peer in contest.peers:
            yield from peer_cells(result, peer)
        yield spread(result.ratios_to_best(), 2)

    head = [f"images/s, {contest.title}", "Pomona", "of the peak", *(c for p in contest.peers for c in (p.name, "ratio")), "ratio to the best"]
    return table(head, map(cells, results))


def layers(names, contest):
    for name in names:
        print(f"\n{name}, {contest.title}")
        print(output([POMONA, "model", "bench", network(name), "--precision", contest.precision, "--seconds", seconds(name), "--layers"], **contest.env))


def bench(contests, args):
    """Runs the contests and returns their tables."""
    tables = []
    for contest in contests:
        if contest.precision not in args.precision:
            continue
        results = []
        for name in args.networks:
            results.append(run(name, contest, args.rounds))
            report(contest, results[-1])
        tables.append(markdown(contest, results))
        if args.layers:
            layers(args.networks, contest)
    return tables
