#!/usr/bin/env python3
"""What a job would take on EMR, on Dataproc and on one machine: workers, minutes, dollars.

usage: deploy/cost.py IMAGES [--minutes M] [--max-workers N] [--decode-ms MS] [--on-demand] [--platform NAME]
       deploy/cost.py --table        the table of docs/deploy/README.md

A job has four parts: the cluster's start, the images (shared out, but for what Spark costs and for what lost spot machines have to
do again), the closing steps over the rows, and the last tasks, which leave other cores idle. The speed of a vCPU is what was measured on
Zen 5 cores, slower where the machine is: the network as with AVX2, the rest as it is. Prices are of share/pomona/prices.toml, and the rest
of deploy/cost.toml, which says what of it is measured and what assumed. Needs Python 3.11.
"""
import argparse
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOUR = 3600.0
TASK_IMAGES = 2000  # deploy/job.py
GETS_PER_PREFIX = 5500  # a second, of S3; each label's folder is one


def load():
    tables = tomllib.loads((HERE / "cost.toml").read_text())
    tables["prices"] = tomllib.loads((HERE.parent / "share" / "pomona" / "prices.toml").read_text())
    return tables


@dataclass
class Estimate:
    platform: str
    images: int
    workers: int
    minutes: float
    machines: float  # dollars, with the service's fee, disks and what stands by
    requests: float  # dollars
    images_per_s: float

    @property
    def dollars(self):
        return self.machines + self.requests


def vcpu_speed(tables, platform, decode_ms=None):
    """Images/s of one vCPU in the program: the time of the network, and of all else (reading, decoding, resizing, writing)."""
    speed = tables["speed"]
    rest = 1 / speed["job_per_core"] - 1 / speed["network_per_core"] if decode_ms is None else decode_ms / 1e3
    return tables[platform]["cores_per_vcpu"] / (1 / speed["avx2_per_core"] + rest)


def efficiency(tables):
    """Of the program's speed that is left within Spark where every core has a task, as on a worker: Java's work shares the cores."""
    return tables["measured"]["two_executors"] / (2 * tables["measured"]["program"])


def cluster_speed(tables, platform, workers, decode_ms=None):
    """Images/s of so many workers within Spark."""
    one = tables[platform]["worker_vcpus"] * vcpu_speed(tables, platform, decode_ms) * efficiency(tables)
    return one * workers * tables["spark"]["per_doubling"] ** math.log2(workers)


def seconds(tables, platform, images, workers, spot, decode_ms=None):
    """From the request for a cluster to its end."""
    spark, speed = tables["spark"], cluster_speed(tables, platform, workers, decode_ms)
    again = 1 + (spark["rework"] if spot else 0)
    last_tasks = min(TASK_IMAGES, images) / vcpu_speed(tables, platform, decode_ms) / 2
    return tables[platform]["start_minutes"] * 60 + images * again / speed + last_tasks + images / (spark["write_per_s"] * workers)


def hourly(tables, platform, workers, spot):
    """Dollars an hour of the primary node and the workers: machines, fees, disks."""
    place, factor = tables[platform], tables["region"]["factor"]
    listed = tables["prices"]["machines"][place["worker"]] * factor
    steady = min(workers, place["steady_workers"]) if spot else workers
    vcpus = place["primary_vcpus"] + workers * place["worker_vcpus"]
    on_demand = (place["primary_vcpus"] + steady * place["worker_vcpus"]) * listed
    on_spot = (workers - steady) * place["worker_vcpus"] * listed * (1 - tables["spot"]["discount"])
    fee = vcpus * (place["fee_per_vcpu"] if "fee_per_vcpu" in place else place["fee_share"] * listed)
    disks = (workers + 1) * place["disk_gb"] * place["disk_per_gb_month"] / 730
    return on_demand + on_spot + fee + disks + place["standing_per_hour"]


def request_dollars(tables, platform, images):
    """One GET an image, one LIST a thousand; what is written is few and large objects."""
    prices = tables["prices"]["s3" if platform == "emr" else "gs"]
    return images / 1000 * prices["get_per_1000"] + images / 1e6 * prices["list_per_1000"]


def estimate(tables, platform, images, workers, spot=True, decode_ms=None):
    took = seconds(tables, platform, images, workers, spot, decode_ms)
    return Estimate(platform, images, workers, took / 60, took / HOUR * hourly(tables, platform, workers, spot),
                    request_dollars(tables, platform, images), cluster_speed(tables, platform, workers, decode_ms))


def choose(tables, platform, images, minutes, most, spot=True, decode_ms=None):
    """The fewest workers that need no longer than so many minutes; else the most that there may be."""
    first = tables[platform]["steady_workers"]
    for workers in range(first, most):
        if seconds(tables, platform, images, workers, spot, decode_ms) <= minutes * 60:
            return estimate(tables, platform, images, workers, spot, decode_ms)
    return estimate(tables, platform, images, most, spot, decode_ms)


def single(tables, images, decode_ms=None, vcpus=8):
    """The program alone on one machine of EC2, on demand: what to hold a cluster against."""
    rate = vcpus * vcpu_speed(tables, "emr", decode_ms)
    took = 60 + images / rate  # a minute until the machine is up
    listed = tables["prices"]["machines"][tables["emr"]["worker"]] * tables["region"]["factor"]
    return Estimate("one machine", images, 1, took / 60, took / HOUR * vcpus * listed, request_dollars(tables, "emr", images), rate)


def number(value):
    return f"{value:,.0f}"


def time_of(minutes):
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def row(found):
    prefixes = math.ceil(found.images_per_s / GETS_PER_PREFIX)
    return (f"| {number(found.images)} | {found.platform} | {found.workers} | {time_of(found.minutes)} | {found.machines:.2f} | {found.requests:.2f} "
            f"| {found.dollars:.2f} | {number(found.images_per_s)} | {prefixes} |")


HEADER = ("| images | where | workers of 8 vCPUs | time | machines, $ | requests, $ | together, $ | images/s | prefixes of S3 |\n"
          "|---|---|---|---|---|---|---|---|---|")
SIZES = ((90_000, 30), (10_000_000, 60), (1_000_000_000, 480))  # images, minutes that the job may take


def table(tables):
    rows = []
    for images, minutes in SIZES:
        rows += [row(single(tables, images))] + [row(choose(tables, platform, images, minutes, 200)) for platform in ("emr", "dataproc")]
    return "\n".join([HEADER, *rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=int, nargs="?", help="how many")
    parser.add_argument("--table", action="store_true", help="the table of the documentation")
    parser.add_argument("--minutes", type=float, default=60, help="what the job may take, start included (default %(default)s)")
    parser.add_argument("--max-workers", type=int, default=200, help="the most workers (default %(default)s)")
    parser.add_argument("--decode-ms", type=float, help="milliseconds of a core for an image beside the network; large photographs take more")
    parser.add_argument("--on-demand", action="store_true", help="no spot machines")
    parser.add_argument("--platform", choices=["emr", "dataproc"], help="one alone")
    options = parser.parse_args()
    tables = load()
    if options.table:
        print(table(tables))
        return
    if not options.images or options.images < 1 or options.max_workers < 2:
        parser.error("say how many images, and at least 2 workers at most")
    print(HEADER + "\n" + row(single(tables, options.images, options.decode_ms)))
    for platform in [options.platform] if options.platform else ["emr", "dataproc"]:
        print(row(choose(tables, platform, options.images, options.minutes, options.max_workers, not options.on_demand, options.decode_ms)))
    print(f"prices of {tables['prices']['date']}: {tables['prices']['source']}, times {tables['region']['factor']} for the EU")


if __name__ == "__main__":
    main()
