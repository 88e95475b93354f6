"""Clusters on the loopback interface: Spark's own, of a master and workers, and Hadoop's YARN. Started here, and stopped at the end."""
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from conftest import ROOT, environment, python_of
from servers import free_port

HADOOP = ROOT / ".deps" / "servers" / "hadoop"


def wait_until(true, what, log, seconds=150):
    for _ in range(seconds * 5):
        if true():
            return
        time.sleep(0.2)
    raise TimeoutError(f"{what} did not come up: {Path(log).read_text()[-3000:]}")


class Started:
    """Processes with their own sessions, so that what they start ends with them."""

    def __init__(self, folder):
        self.folder, self.processes = folder, {}

    def start(self, name, command, env):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.log(name), "w") as out:
            self.processes[name] = subprocess.Popen([str(c) for c in command], stdout=out, stderr=subprocess.STDOUT, env=env, cwd=self.folder,
                                                    start_new_session=True)
        return self.processes[name].pid

    def log(self, name):
        return self.folder / f"{name}.log"

    def stop(self):
        for process in self.processes.values():
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait(20)


class Standalone(Started):
    """Spark's own cluster: a master and workers, a process each."""

    def __init__(self, venv, folder):
        super().__init__(folder)
        self.home = next((python_of(venv).parent.parent / "lib").glob("python*/site-packages/pyspark"))
        scala = next((self.home / "jars").glob("spark-core_*.jar")).name.split("_")[1].split("-")[0]  # workers start executors by it
        self.env, self.url = environment(venv, SPARK_HOME=self.home, SPARK_SCALA_VERSION=scala), f"spark://127.0.0.1:{free_port()}"

    def run(self, name, kind, *arguments):
        return self.start(name, ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self.home}/jars/*",
                                 f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1", "--webui-port", free_port(), *arguments], self.env)

    def master(self):
        self.run("master", "master.Master", "--port", self.url.rsplit(":", 1)[1])
        wait_until(lambda: "New state: ALIVE" in self.log("master").read_text(), "Spark's master", self.log("master"))

    def worker(self, name):
        return self.run(name, "worker.Worker", "--port", free_port(), "--cores", 1, "--memory", "600m", "--work-dir", self.folder / name, self.url)


@contextmanager
def standalone(venv, folder):
    """With two workers, worker0 and worker1."""
    cluster = Standalone(venv, folder)
    try:
        cluster.master()
        for name in ("worker0", "worker1"):
            cluster.worker(name)
        log = cluster.log("master")
        wait_until(lambda: log.read_text().count("Registering worker") == 2, "its workers", log)
        yield cluster
    finally:
        cluster.stop()


@contextmanager
def yarn(folder):
    """Hadoop's resource manager with two node managers, in one process: the folder of its configuration."""
    started = Started(folder)
    ports = {"": free_port(), "scheduler.": free_port(), "resource-tracker.": free_port(), "admin.": free_port(), "webapp.": free_port()}
    settings = {f"yarn.resourcemanager.{name}address": f"127.0.0.1:{port}" for name, port in ports.items()}
    settings |= {"yarn.resourcemanager.hostname": "127.0.0.1", "mapreduce.jobhistory.webapp.address": "127.0.0.1:0", "fs.defaultFS": "file:///",
                 "yarn.scheduler.minimum-allocation-mb": 256, "yarn.nodemanager.vmem-check-enabled": "false",
                 "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "100"}
    site = folder / "conf" / "yarn-site.xml"
    site.parent.mkdir(parents=True)
    command = ["java", "-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--add-opens", "java.base/java.lang=ALL-UNNAMED",
               f"-Dtest.build.data={folder}/data", f"-Dhadoop.tmp.dir={folder}/tmp", "-cp", HADOOP / "*",
               "org.apache.hadoop.mapreduce.MiniHadoopClusterManager", "-nodfs", "-nodemanagers", 2, "-rmport", ports[""], "-writeConfig", site]
    for name, value in settings.items():
        command += ["-D", f"{name}={value}"]
    try:
        started.start("yarn", command, {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"})
        wait_until(lambda: "Started MiniMRCluster" in started.log("yarn").read_text() and site.exists() and site.stat().st_size, "YARN",
                   started.log("yarn"))
        yield site.parent
    finally:
        started.stop()
