"""The cost model: held against what was measured, against what must hold of any such model, and against the table in the documentation."""
import math
import sys

import pytest
from deploying import DEPLOY, ROOT, run

sys.path.insert(0, str(DEPLOY))
cost = pytest.importorskip("cost")  # needs Python 3.11

PLATFORMS = ("emr", "dataproc")


@pytest.fixture
def tables():
    return cost.load()


def measured_here(tables):
    """A machine like the one that the figures of docs/performance.md are of: two Zen 5 cores, the network in AVX-512, nothing to start."""
    tables["speed"]["avx2_per_core"] = tables["speed"]["network_per_core"]
    tables["here"] = {"cores_per_vcpu": 1.0}
    return 2 * cost.vcpu_speed(tables, "here")


@pytest.mark.parametrize("images, seconds", [(60_300, 101.8), (6_030, 11.3)])
def test_it_tells_what_was_measured_on_two_cores(tables, images, seconds):
    assert images / measured_here(tables) == pytest.approx(seconds, rel=0.10)


def test_a_worker_does_what_was_measured(tables):
    """bench/spark.py's images/s: the program on one core, one executor of one core, two; a worker of two vCPUs like those cores is the two."""
    measured = tables["measured"]
    assert measured["one_executor"] <= 1.05 * measured["program"] and 1.4 < measured["two_executors"] / measured["one_executor"] <= 2.05
    tables["speed"].update(dict.fromkeys(("job_per_core", "network_per_core", "avx2_per_core"), measured["program"]))
    tables["here"] = {"cores_per_vcpu": 1.0, "worker_vcpus": 2}
    assert cost.cluster_speed(tables, "here", 1) == pytest.approx(measured["two_executors"], rel=0.01)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_more_workers_are_faster_and_never_cheaper_by_much(tables, platform):
    found = [cost.estimate(tables, platform, 10_000_000, workers, spot=False) for workers in (2, 4, 8, 16, 32)]
    for slow, fast in zip(found, found[1:]):
        assert fast.minutes < slow.minutes and fast.images_per_s < 2 * slow.images_per_s
        assert fast.machines > 0.9 * slow.machines


@pytest.mark.parametrize("platform", PLATFORMS)
def test_cost_grows_with_the_images(tables, platform):
    a, b = (cost.estimate(tables, platform, images, 40) for images in (500_000_000, 1_000_000_000))
    assert b.requests == pytest.approx(2 * a.requests) and b.machines == pytest.approx(2 * a.machines, rel=0.05)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_spot_is_cheaper_and_somewhat_slower(tables, platform):
    spot, steady = (cost.estimate(tables, platform, 100_000_000, 20, spot) for spot in (True, False))
    assert spot.machines < 0.8 * steady.machines and steady.minutes < spot.minutes < 1.1 * steady.minutes


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("images, minutes", cost.SIZES)
def test_the_fewest_workers_that_are_fast_enough(tables, platform, images, minutes):
    found = cost.choose(tables, platform, images, minutes, 200)
    assert found.minutes <= minutes and found.minutes > tables[platform]["start_minutes"]
    if found.workers > tables[platform]["steady_workers"]:
        assert cost.estimate(tables, platform, images, found.workers - 1).minutes > minutes


def test_a_small_job_needs_no_cluster(tables):
    for platform in PLATFORMS:
        assert cost.single(tables, 90_000).dollars < cost.choose(tables, platform, 90_000, 30, 200).dollars


def test_slow_decoding_costs(tables):
    assert cost.vcpu_speed(tables, "emr", decode_ms=5.0) < 0.7 * cost.vcpu_speed(tables, "emr")


def test_requests_are_those_of_the_prices(tables):
    prices = tables["prices"]["s3"]
    assert cost.request_dollars(tables, "emr", 1_000_000) == pytest.approx(1000 * prices["get_per_1000"] + prices["list_per_1000"])
    assert math.isclose(cost.request_dollars(tables, "emr", 0), 0)


def test_the_documentation_has_this_table():
    table = run(sys.executable, DEPLOY / "cost.py", "--table").stdout.strip()
    assert table in (ROOT / "docs" / "deploy" / "README.md").read_text(), "put the output of deploy/cost.py --table there"


def test_the_command_line():
    out = run(sys.executable, DEPLOY / "cost.py", "5000000", "--platform", "emr", "--minutes", "30").stdout
    assert "| 5,000,000 | emr |" in out and "| 5,000,000 | one machine |" in out and "prices of" in out
