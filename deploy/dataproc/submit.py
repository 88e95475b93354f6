#!/usr/bin/env python3
"""Runs deploy/job.py on Dataproc with one command: on a cluster made for it, which is deleted after it, or on one that runs (--cluster)."""
import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common

TERRAFORM = Path(__file__).resolve().parent / "terraform"
NAME = "pomona"
OVERHEAD = "12g"  # of a *-standard-8's 32 GB YARN has some 26


def cluster_config(options, outputs):
    """The configuration that Terraform made, with the release that each node installs."""
    config = json.loads(json.dumps(outputs["cluster"]["config"]))
    config["gceClusterConfig"]["metadata"]["pomona-release"] = options.release
    config["initializationActions"] = [{"executableFile": f"{options.release}/init.sh", "executionTimeout": "300s"}]
    return config


def template(options, outputs):
    """A workflow: make the cluster, run the job, delete the cluster."""
    labels = outputs["cluster"]["labels"]
    job = {"mainPythonFileUri": f"{options.release}/job.py", "args": common.job_arguments(options), "properties": common.spark(options, OVERHEAD)}
    return {
        "labels": labels,
        "placement": {"managedCluster": {"clusterName": NAME, "labels": labels, "config": cluster_config(options, outputs)}},
        "jobs": [{"stepId": "features", "pysparkJob": job, "labels": labels}],
    }


def gcloud(outputs, *words):
    return ["gcloud", "dataproc", *words, f"--project={outputs['project']}", f"--region={outputs['region']}"]


def submit(options, outputs, cluster):
    properties = "^;^" + ";".join(f"{name}={value}" for name, value in common.spark(options, OVERHEAD).items())
    return [*gcloud(outputs, "jobs", "submit", "pyspark", f"{options.release}/job.py"), f"--cluster={cluster}", f"--properties={properties}",
            *([] if options.wait else ["--async"]), "--", *common.job_arguments(options)]


def commands(options, outputs, folder):
    """The commands, and the files that they name: what is long goes to gcloud by file."""
    if options.cluster:
        return [submit(options, outputs, options.cluster)], {}
    if options.keep:
        file = folder / "cluster.json"
        cluster = {"labels": outputs["cluster"]["labels"], "config": cluster_config(options, outputs)}
        return [gcloud(outputs, "clusters", "import", NAME, f"--source={file}"), submit(options, outputs, NAME)], {file: cluster}
    file = folder / "workflow.json"
    run = gcloud(outputs, "workflow-templates", "instantiate-from-file", f"--file={file}")
    return [run + ([] if options.wait else ["--async"])], {file: template(options, outputs)}


def main():
    options = common.arguments("Dataproc", f"name of a cluster that runs ('{NAME}' after --keep), which has the release installed")
    if not re.match(r"gs://", options.release):
        sys.exit(f"{options.release}: Dataproc's nodes read a release from gs://")
    outputs = common.settings(options, TERRAFORM)
    with tempfile.TemporaryDirectory() as folder:
        lines, files = commands(options, outputs, Path(folder))
        for file, content in files.items():
            file.write_text(json.dumps(content, indent=2))
            if options.dry_run:
                print(f"# {file.name}\n{file.read_text()}")
        for line in lines:
            sys.stdout.write(common.run(line, options.dry_run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
