"""pomona.spark on a cluster of processes, against the program's tables.

usage: cluster_spark.py MASTER JOB [VICTIM NEWCOMER]
VICTIM: the process id of a worker, killed with all it started once the second run is under way; NEWCOMER: a file that asks for another worker.
"""
import json
import os
import sys
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pyspark
from pyspark.sql import SparkSession
from pyspark.sql.functions import spark_partition_id

from checks import SEEN, Wanted, ok
from pomona.spark import featurize, fit_projection
from processes import descendants, kill_all, memory

MODEL = "efficientnet-lite0"
PARTITIONS = 24


def session(master):
    builder = (SparkSession.builder.master(master).config("spark.driver.memory", "600m").config("spark.ui.port", "0")
               .config("spark.driver.host", "127.0.0.1").config("spark.executor.memory", "512m").config("spark.executor.cores", "1")
               .config("spark.executor.instances", "2").config("spark.yarn.am.memory", "512m").config("spark.ui.showConsoleProgress", "false")
               .config("spark.python.daemon.module", "pomona.spark.daemon").config("spark.executorEnv.POMONA_PRELOAD", MODEL)
               .config("spark.sql.shuffle.partitions", "2").config("spark.locality.wait", "0")
               .config("spark.yarn.jars", f"local:{Path(pyspark.__file__).parent}/jars/*"))
    for name in ("PYTHONPATH", "PYSPARK_PYTHON", "OMP_NUM_THREADS"):
        builder = builder.config(f"spark.executorEnv.{name}", os.environ[name])
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def job(spark, wanted, nap):
    """Features and projection; every partition takes a moment, so that there is time to come and go."""
    def slowly(batches):
        for batch in batches:
            time.sleep(nap)
            yield batch
    images = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(wanted.photos).repartition(PARTITIONS)
    columns = images.select("path", "content").mapInArrow(slowly, "path string, content binary")
    features = featurize(columns, model=MODEL).withColumn("partition", spark_partition_id())
    rows = features.collect()
    pca = fit_projection(features, k=5).pca
    return rows, pca.components_


def hosts(spark):
    """Of each executor ever: whether it is there, and the tasks that it has done."""
    context = spark.sparkContext
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    found = json.load(opener.open(f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/allexecutors", timeout=120))
    return {e["id"]: (e["isActive"], e["completedTasks"]) for e in found if e["id"] != "driver"}


def trouble(spark, victim, newcomer):
    """Once tasks have ended, a worker dies with its executor, and another one joins."""
    before = sum(done for _, done in hosts(spark).values())
    while sum(done for _, done in hosts(spark).values()) < before + 3:
        time.sleep(0.1)
    kill_all([victim, *descendants(victim)])
    Path(newcomer).touch()


def main(master, folder, victim=None, newcomer=None):
    spark, wanted = session(master), Wanted(folder)
    where = f"Spark {pyspark.__version__} on {master.split(':')[0]}"
    rows, projection = job(spark, wanted, 0)
    wanted.check(rows, {*wanted.features, *SEEN})
    both = hosts(spark)
    assert len(both) == 2, both
    ok(f"{where}: the program's bits from {len(both)} executors")
    print("memory:", json.dumps(memory("-m pomona.spark.daemon")))
    if victim:
        thread = threading.Thread(target=trouble, args=(spark, int(victim), newcomer), daemon=True)
        thread.start()
        again, same = job(spark, wanted, 0.5)
        thread.join(60)
        wanted.check(again, {*wanted.features, *SEEN})
        after = hosts(spark)
        assert sum(not there for there, _ in after.values()) >= 1 and len(after) >= 3, after
        assert any(done for name, (_, done) in after.items() if name not in both), after
        assert np.abs(same - projection).max() < 1e-12  # other partitions, so another order of additions
        ok(f"{where}: a worker killed, another joined, nothing changed; executors {after}")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
