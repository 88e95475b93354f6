"""pomona.spark on clusters of several processes: see cluster_spark.py."""
import os
import threading

import clusters
import pytest
from conftest import run_script


@pytest.mark.parametrize("venv", os.environ.get("POMONA_STANDALONE", "peers-spark4").split())
def test_standalone(venv, job, tmp_path):
    """A master and two workers; one is killed while a job runs, and a third joins. The newest Spark, as YARN's test has the other;
    POMONA_STANDALONE="peers-spark35 peers-spark4" is both."""
    with clusters.standalone(venv, tmp_path / "cluster") as cluster:
        wanted, ended = tmp_path / "newcomer", threading.Event()

        def join():
            while not ended.wait(0.1):
                if wanted.exists():
                    return cluster.worker("worker2")
        thread = threading.Thread(target=join)
        thread.start()
        try:
            out = run_script(venv, "cluster_spark.py", cluster.url, job, cluster.processes["worker0"].pid, wanted)
        finally:
            ended.set()
            thread.join()
    assert out.count("ok: Spark") == 2, out[-4000:]
    print(out[-1500:])


@pytest.mark.skipif(not clusters.HADOOP.exists(), reason=".deps/servers/hadoop is not there")
def test_yarn(job, tmp_path):
    """Spark 3.5, which EMR and Dataproc run, on YARN."""
    with clusters.yarn(tmp_path / "yarn") as conf:
        out = run_script("peers-spark35", "cluster_spark.py", "yarn", job, HADOOP_CONF_DIR=conf)
    assert out.count("ok: Spark") == 1, out[-4000:]
    print(out[-1500:])
