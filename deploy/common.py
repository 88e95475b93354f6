"""What submitting a job to EMR and to Dataproc has in common: the words of the command line and Spark's settings."""
import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = "/opt/pomona"  # where install.sh puts a release on every node

# One executor for a worker of 8 vCPUs: YARN goes by the memory, so that each platform's submit.py sets an overhead that leaves no room for
# a second. Pictures and networks live there, outside the JVM's heap; the daemon has the network's weights once for all its workers.
SPARK = {
    "spark.pyspark.python": f"{ROOT}/venv/bin/python",
    "spark.pyspark.driver.python": f"{ROOT}/venv/bin/python",
    "spark.executor.cores": "8",
    "spark.executor.memory": "3g",
    "spark.driver.memory": "4g",
    "spark.dynamicAllocation.enabled": "true",
    "spark.python.daemon.module": "pomona.spark.daemon",
}


def arguments(platform, cluster_help):
    parser = argparse.ArgumentParser(description=f"Runs deploy/job.py on {platform}: on a cluster made for it, or on one that runs.")
    parser.add_argument("src", help="folder of images, such as s3://BUCKET/images/ or gs://BUCKET/images/")
    parser.add_argument("dest", help="folder that the tables go to")
    parser.add_argument("--release", required=True, help="the release that publish.sh printed")
    parser.add_argument("--model", default="efficientnet-lite0", help="a network's name, or NAME.onnx of the release (default %(default)s)")
    parser.add_argument("--pca", help="components (50), or the share of the variance (0.90); default: no PCA")
    parser.add_argument("--settings", type=Path, help="file with `terraform output -json`; default: asks terraform")
    parser.add_argument("--cluster", help=cluster_help)
    parser.add_argument("--keep", action="store_true", help="the cluster stays for further jobs, until it has been idle for a while")
    parser.add_argument("--wait", action="store_true", help="waits for the job's end and tells it by the exit status")
    parser.add_argument("--dry-run", action="store_true", help="prints the command and runs nothing")
    options = parser.parse_args()
    if not re.search(r"/pomona-[^/]+-[0-9a-f]{64}/?$", options.release):
        parser.error(f"{options.release}: a release ends with its SHA-256, as publish.sh prints it")
    if options.cluster and options.keep:
        parser.error("--keep is for a new cluster; one that runs stays anyway")
    options.release = options.release.rstrip("/")
    return options


def settings(options, terraform):
    """Terraform's outputs by name."""
    if options.settings:
        text = options.settings.read_text()
    else:
        text = subprocess.run(["terraform", f"-chdir={terraform}", "output", "-json"], check=True, stdout=subprocess.PIPE, text=True, timeout=600).stdout
    outputs = {name: output["value"] for name, output in json.loads(text).items()}
    if "cluster" not in outputs:
        sys.exit(f"there is no output 'cluster': run terraform apply in {terraform} first")
    return outputs


def model_of(options):
    return f"{ROOT}/models/{options.model}" if options.model.endswith(".onnx") else options.model


def spark(options, overhead):
    return {**SPARK, "spark.executor.memoryOverhead": overhead, "spark.executorEnv.POMONA_PRELOAD": model_of(options)}


def job_arguments(options):
    pca = ["--pca", options.pca] if options.pca else []
    return [options.src, options.dest, "--model", model_of(options), *pca]


def run(command, dry):
    """The command's output; with `dry` it is only printed."""
    if dry:
        print(shlex.join(command))
        return ""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout
