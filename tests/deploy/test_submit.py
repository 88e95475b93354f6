"""Submission: EMR's commands are run by AWS's own command line against a stand-in for its services, Dataproc's requests are read by
Google's own types."""
import json
import shlex

import pytest
from deploying import DEPLOY, outputs, run

RELEASE = "s3://pomona-orchard/deploy/pomona-0.1.0-" + "0" * 64


@pytest.fixture
def settings(tmp_path):
    def write(platform):
        file = tmp_path / "settings.json"
        file.write_text(json.dumps({name: {"value": value} for name, value in outputs(platform).items()}))
        return file

    return write


def submit(platform, settings, *words, env=None, ok=True, release=None):
    release = release or RELEASE.replace("s3:", "s3:" if platform == "emr" else "gs:")
    return run(DEPLOY / platform / "submit.py", *words, "--settings", settings(platform), "--release", release, env=env, ok=ok)


def test_emr_dry_run_prints_the_command(settings):
    done = submit("emr", settings, "s3://photos/fruits/", "s3://pomona-orchard/tables/fruits", "--model", "mobilenetv2.onnx", "--pca", "0.90",
                  "--dry-run")
    words = shlex.split(done.stdout)
    assert words[:3] == ["aws", "emr", "create-cluster"] and "--auto-terminate" in words
    assert words[words.index("--region") + 1] == "eu-central-1"
    (step,) = json.loads(words[words.index("--steps") + 1])
    assert step["Args"][-6:] == ["s3://photos/fruits/", "s3://pomona-orchard/tables/fruits", "--model", "/opt/pomona/models/mobilenetv2.onnx", "--pca", "0.90"]
    assert step["ActionOnFailure"] == "TERMINATE_CLUSTER"
    assert "spark.executorEnv.POMONA_PRELOAD=/opt/pomona/models/mobilenetv2.onnx" in step["Args"]
    (bootstrap,) = json.loads(words[words.index("--bootstrap-actions") + 1])
    assert bootstrap["Path"] == f"{RELEASE}/install.sh" and bootstrap["Args"] == [RELEASE]


def test_emr_makes_a_cluster_and_ends_it(settings, aws):
    import boto3

    service = boto3.client("emr", region_name="eu-central-1", endpoint_url=aws["AWS_ENDPOINT_URL"], aws_access_key_id="a", aws_secret_access_key="b")
    done = submit("emr", settings, "s3://photos/fruits/", "s3://pomona-orchard/tables/fruits", "--keep", env=aws)
    cluster = done.stdout.split()[1]
    made = service.describe_cluster(ClusterId=cluster)["Cluster"]
    assert made["ReleaseLabel"] == "emr-7.12.0" and {"Key": "project", "Value": "pomona"} in made["Tags"]
    assert made["SecurityConfiguration"] == "pomona-orchard" and made["LogUri"].endswith("/logs/emr/")
    assert service.list_bootstrap_actions(ClusterId=cluster)["BootstrapActions"][0]["Args"] == [RELEASE]
    assert service.list_steps(ClusterId=cluster)["Steps"][0]["Config"]["Args"][0] == "spark-submit"

    submit("emr", settings, "s3://photos/more/", "s3://pomona-orchard/tables/more", "--cluster", cluster, env=aws)
    assert len(service.list_steps(ClusterId=cluster)["Steps"]) == 2

    assert cluster in run(DEPLOY / "emr" / "teardown.sh", "eu-central-1", env=aws).stdout
    assert service.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"].startswith("TERMINAT")


def test_a_release_goes_through_the_bucket_and_nothing_else(aws, tmp_path, wheel):
    model, evil = tmp_path / "network.onnx", tmp_path / "evil-1.0-py3-none-any.whl"
    model.write_bytes(b"weights")
    evil.write_bytes(b"not on the list, not even a wheel")
    run("aws", "s3", "mb", "s3://pomona-orchard", env=aws)
    release = run(DEPLOY / "publish.sh", "dataproc", wheel, "s3://pomona-orchard/deploy", model, env=aws).stdout.splitlines()[-1]
    run("aws", "s3", "cp", evil, f"{release}/", env=aws)
    done = run(DEPLOY / "install.sh", release, "python3", env={**aws, "POMONA_ROOT": str(tmp_path / "opt")})
    assert "install: pomona 0.0.1" in done.stdout
    assert (tmp_path / "opt/models/network.onnx").read_bytes() == b"weights"


def test_a_release_without_its_hash_is_refused(settings):
    done = submit("emr", settings, "s3://a/", "s3://b/", release="s3://pomona-orchard/deploy/pomona-0.1.0", ok=False)
    assert done.returncode == 2 and "a release ends with its SHA-256" in done.stdout


def files_of(text):
    """The files and commands that a dry run prints."""
    files, lines = {}, text.splitlines(True)
    while lines and lines[0].startswith("# "):
        name = lines.pop(0)[2:].strip()
        content, end = json.JSONDecoder().raw_decode("".join(lines))
        files[name] = content
        lines = "".join(lines)[end:].lstrip("\n").splitlines(True)
    return files, [shlex.split(line) for line in lines]


def as_google(kind, content):
    """Read by Google's own type: a name or value that it does not have fails."""
    dataproc = pytest.importorskip("google.cloud.dataproc_v1")
    from google.protobuf import json_format

    return json_format.ParseDict(content, getattr(dataproc, kind).pb()(), ignore_unknown_fields=False)


def test_dataproc_makes_a_cluster_runs_and_deletes(settings):
    done = submit("dataproc", settings, "gs://photos/fruits/", "gs://pomona-orchard/tables/fruits", "--pca", "50", "--wait", "--dry-run")
    files, (command,) = files_of(done.stdout)
    assert command[:4] == ["gcloud", "dataproc", "workflow-templates", "instantiate-from-file"] and "--region=europe-west3" in command
    workflow = as_google("WorkflowTemplate", files["workflow.json"])
    config = workflow.placement.managed_cluster.config
    assert config.software_config.image_version == "2.2-debian12" and config.gce_cluster_config.internal_ip_only
    assert config.initialization_actions[0].executable_file.endswith("/init.sh")
    assert config.gce_cluster_config.metadata["pomona-release"].startswith("gs://pomona-orchard/deploy/pomona-0.1.0-")
    assert config.lifecycle_config.idle_delete_ttl.seconds == 900
    assert list(workflow.jobs[0].pyspark_job.args)[-4:] == ["--model", "efficientnet-lite0", "--pca", "50"]


def test_dataproc_keeps_a_cluster_on_request(settings):
    done = submit("dataproc", settings, "gs://photos/fruits/", "gs://pomona-orchard/tables/fruits", "--keep", "--dry-run")
    files, (make, job) = files_of(done.stdout)
    assert make[:4] == ["gcloud", "dataproc", "clusters", "import"]
    as_google("Cluster", files["cluster.json"])
    assert job[:5] == ["gcloud", "dataproc", "jobs", "submit", "pyspark"] and "--cluster=pomona" in job
    assert job[job.index("--") + 1] == "gs://photos/fruits/"


def test_dataproc_uses_a_cluster_that_runs(settings):
    done = submit("dataproc", settings, "gs://a/", "gs://b/", "--cluster", "mine", "--dry-run")
    files, (job,) = files_of(done.stdout)
    assert not files and "--cluster=mine" in job and "--async" in job
