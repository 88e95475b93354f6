#!/usr/bin/env python3
"""Runs deploy/job.py on EMR with one command: on a cluster made for it, which ends with it, or on one that runs (--cluster)."""
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common

TERRAFORM = Path(__file__).resolve().parent / "terraform"
OVERHEAD = "5g"  # of a c*.2xlarge's 16 GB YARN has 12


def step(options, last):
    conf = [word for name, value in common.spark(options, OVERHEAD).items() for word in ("--conf", f"{name}={value}")]
    return {
        "Type": "Spark",
        "Name": f"pomona {options.src}",
        "ActionOnFailure": "TERMINATE_CLUSTER" if last else "CONTINUE",
        "Args": ["--deploy-mode", "client", *conf, f"{options.release}/job.py", *common.job_arguments(options)],
    }


def create(options, outputs):
    """The command that makes a cluster, installs the release on each node and runs the job."""
    cluster = outputs["cluster"]
    bootstrap = {"Name": "pomona", "Path": f"{options.release}/install.sh", "Args": [options.release]}
    values = {
        "region": outputs["region"],
        "name": f"pomona {options.src}",
        "release-label": cluster["ReleaseLabel"],
        "service-role": cluster["ServiceRole"],
        "security-configuration": cluster["SecurityConfiguration"],
        "log-uri": cluster["LogUri"],
        "ec2-attributes": cluster["Ec2Attributes"],
        "instance-fleets": cluster["InstanceFleets"],
        "managed-scaling-policy": cluster["ManagedScalingPolicy"],
        "bootstrap-actions": [bootstrap],
        "steps": [step(options, last=not options.keep)],
    }
    words = ["aws", "emr", "create-cluster", "--output", "json"]
    for name, value in values.items():
        words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
    words += ["--applications", *(f"Name={a['Name']}" for a in cluster["Applications"])]
    words += ["--tags", *(f"{tag['Key']}={tag['Value']}" for tag in cluster["Tags"])]
    if options.keep:
        return words + ["--no-auto-terminate", "--auto-termination-policy", json.dumps(cluster["AutoTerminationPolicy"])]
    return words + ["--auto-terminate"]


def add(options, outputs):
    return ["aws", "emr", "add-steps", "--output", "json", "--region", outputs["region"], "--cluster-id", options.cluster,
            "--steps", json.dumps([step(options, last=False)])]


def wait(region, cluster, step_id):
    """Waits for the step's end; whether it was done."""
    query = ["aws", "emr", "describe-step", "--output", "json", "--region", region, "--cluster-id", cluster, "--step-id", step_id]
    while True:
        status = json.loads(common.run(query, False))["Step"]["Status"]
        if status["State"] in ("COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED"):
            print(f"{step_id} {status['State']} {status.get('FailureDetails', {}).get('Message', '')}".rstrip())
            return status["State"] == "COMPLETED"
        time.sleep(30)


def main():
    options = common.arguments("EMR", "id of a cluster that runs (j-...), which has the release installed")
    outputs = common.settings(options, TERRAFORM)
    answer = common.run(add(options, outputs) if options.cluster else create(options, outputs), options.dry_run)
    if options.dry_run:
        return 0
    cluster = options.cluster or json.loads(answer)["ClusterId"]
    if options.cluster:
        step_id = json.loads(answer)["StepIds"][0]
    else:
        steps = ["aws", "emr", "list-steps", "--output", "json", "--region", outputs["region"], "--cluster-id", cluster]
        step_id = json.loads(common.run(steps, False))["Steps"][0]["Id"]
    print(f"cluster {cluster} step {step_id} logs {outputs['cluster']['LogUri']}{cluster}/steps/{step_id}/")
    return 0 if not options.wait or wait(outputs["region"], cluster, step_id) else 1


if __name__ == "__main__":
    sys.exit(main())
