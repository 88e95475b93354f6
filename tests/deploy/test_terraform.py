"""The Terraform configurations: validated and evaluated by Terraform where it and the provider are to be had, read as HCL and held against
rules and the provider's schema in any case."""
import functools
import json
import re
import shutil
from pathlib import Path

import hcl2
import pytest
from deploying import DEPLOY, outputs, run

FOLDERS = {"emr": DEPLOY / "emr" / "terraform", "dataproc": DEPLOY / "dataproc" / "terraform"}
NOT_EU = ("eu-west-2", "eu-central-2", "europe-west2", "europe-west6")


def text_of(value):
    """A string without the quotes that the parser leaves around it."""
    return value[1:-1] if isinstance(value, str) and value[:1] == value[-1:] == '"' else value


def plain(node):
    if isinstance(node, dict):
        return {text_of(key): plain(value) for key, value in node.items() if key != "__comments__"}
    return [plain(item) for item in node] if isinstance(node, list) else text_of(node)


@functools.lru_cache(maxsize=None)
def configuration_of(platform):
    return Configuration(FOLDERS[platform])


class Configuration:
    def __init__(self, folder):
        self.text = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
        parsed = [plain(hcl2.loads(file.read_text())) for file in sorted(folder.glob("*.tf"))]
        self.resources = {}
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for block in (block for part in parsed for block in part.get(kind, [])):
                ((what, named),) = ((k, v) for k, v in block.items() if k != "__is_block__")
                ((name, body),) = ((k, v) for k, v in named.items() if k != "__is_block__")
                self.resources[f"{prefix}{what}.{name}"] = body
        self.locals, self.variables = {}, {}
        for part in parsed:
            for block in part.get("locals", []):
                self.locals.update({k: v for k, v in block.items() if k != "__is_block__"})
            for block in part.get("variable", []):
                self.variables.update({k: v for k, v in block.items() if k != "__is_block__"})

    def of(self, what):
        return {name: body for name, body in self.resources.items() if name.startswith(what + ".")}

    def the(self, what):
        (body,) = self.of(what).values()
        return body


@pytest.fixture(params=sorted(FOLDERS))
def configuration(request):
    return configuration_of(request.param)


@pytest.fixture
def emr():
    return configuration_of("emr")


@pytest.fixture
def dataproc():
    return configuration_of("dataproc")


def test_regions_are_in_the_eu(configuration):
    region = configuration.variables["region"]
    allowed = set(re.findall(r'"((?:eu|europe)-[a-z]+-?\d+)"', str(region["validation"][0]["condition"])))
    assert region["default"] in allowed and len(allowed) >= 6
    assert not allowed & set(NOT_EU)


def test_every_name_that_is_used_is_there(configuration):
    for name in re.findall(r"\bvar\.(\w+)", configuration.text):
        assert name in configuration.variables, name
    for name in re.findall(r"\blocal\.(\w+)", configuration.text):
        assert name in configuration.locals, name
    for name in re.findall(r"\b((?:data\.)?(?:aws|google)_\w+\.\w+)\b", configuration.text):
        assert name in configuration.resources or f"data.{name}" in configuration.resources, name
    used = set(re.findall(r"\bvar\.(\w+)", configuration.text))
    assert used == set(configuration.variables), "a variable that nothing uses"


def test_no_key_and_no_open_door(configuration):
    assert "0.0.0.0/0" not in configuration.text and "::/0" not in configuration.text
    for words in ("aws_iam_access_key", "google_service_account_key", "aws_key_pair", "internet_gateway", "nat_gateway", "router_nat"):
        assert words not in configuration.text


def test_the_bucket_is_private_encrypted_versioned_and_cleans_up_emr(emr):
    block = emr.the("aws_s3_bucket_public_access_block")
    assert all(block[name] is True for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"))
    (rule,) = emr.the("aws_s3_bucket_server_side_encryption_configuration")["rule"]
    assert rule["apply_server_side_encryption_by_default"][0]["sse_algorithm"] == "aws:kms"
    assert emr.the("aws_s3_bucket_versioning")["versioning_configuration"][0]["status"] == "Enabled"
    rules = emr.the("aws_s3_bucket_lifecycle_configuration")["rule"]
    assert {rule["id"] for rule in rules} >= {"parts-of-broken-uploads", "replaced-versions", "logs"}
    assert "aws:SecureTransport" in emr.text and emr.the("aws_kms_key")["enable_key_rotation"] is True


def test_the_bucket_is_private_encrypted_versioned_and_cleans_up_dataproc(dataproc):
    for bucket in dataproc.of("google_storage_bucket").values():
        assert bucket["uniform_bucket_level_access"] is True and bucket["public_access_prevention"] == "enforced"
        assert "google_kms_crypto_key.pomona" in bucket["encryption"][0]["default_kms_key_name"]
    bucket = dataproc.resources["google_storage_bucket.pomona"]
    assert bucket["versioning"][0]["enabled"] is True and len(bucket["lifecycle_rule"]) == 3
    assert not bucket.get("force_destroy")


def test_budgets_tell_at_50_90_and_100_percent(emr, dataproc):
    assert emr.the("aws_budgets_budget")["dynamic"][0]["notification"]["for_each"] == [50, 90, 100]
    assert dataproc.the("google_billing_budget")["dynamic"][0]["threshold_rules"]["for_each"] == [0.5, 0.9, 1.0]


def test_failures_are_told(emr, dataproc):
    assert emr.the("aws_cloudwatch_metric_alarm")["alarm_actions"] and dataproc.the("google_monitoring_alert_policy")["notification_channels"]


def test_roles_name_what_they_may(emr):
    for name, document in emr.of("data.aws_iam_policy_document").items():
        for statement in document["statement"]:
            if statement.get("effect", "Allow") == "Allow" and not name.endswith(".key"):  # a key's policy is about that key
                assert not any(action == "*" or action.endswith(":*") for action in statement["actions"]), name
                if statement.get("resources") == ["*"]:
                    assert "condition" in statement, f"{name}: {statement.get('sid')}"


def test_actions_exist(emr):
    """As operations that AWS's own library knows, or as the few permissions that no operation is named for."""
    import botocore.session

    session = botocore.session.get_session()
    services = {"s3": "s3", "kms": "kms", "iam": "iam", "sts": "sts", "elasticmapreduce": "emr", "sns": "sns"}
    permissions = {"s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "kms:ReEncryptFrom", "kms:ReEncryptTo", "iam:PassRole"}
    for document in emr.of("data.aws_iam_policy_document").values():
        for action in (action for statement in document["statement"] for action in statement["actions"]):
            service, _, operation = action.partition(":")
            known = session.get_service_model(services[service]).operation_names
            assert action in permissions or operation == "*" or operation in known, action


@pytest.mark.parametrize("roles", ["roles/owner", "roles/editor", "roles/storage.admin", "roles/dataproc.admin"])
def test_no_broad_role(dataproc, roles):
    assert roles not in dataproc.text


def shape(value):
    """Names alone, at every depth."""
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else None


def test_dataproc_outputs_have_the_shape_that_the_tests_submit(dataproc):
    kept = outputs("dataproc")["cluster"]["config"]
    made = json.loads(json.dumps(dataproc.locals["cluster"]["config"]).replace('"${local.disk}"', json.dumps(dataproc.locals["disk"])))
    assert shape(made) == shape(kept)


def mismatches(where, body, schema):
    """What the body has that the provider does not take, and what it lacks."""
    blocks = dict(body)
    for dynamic in blocks.pop("dynamic", []):
        for name, inner in ((n, i) for n, i in dynamic.items() if n != "__is_block__"):
            blocks[name] = inner["content"]
    for name, argument in schema.items():
        if argument["required"] and name not in blocks:
            yield f"{where} lacks {name}"
    for name, value in blocks.items():
        if name in ("__is_block__", "for_each", "count", "depends_on", "lifecycle"):
            continue
        if name not in schema:
            yield f"{where} has no {name}"
        elif isinstance(value, list) and value and isinstance(value[0], dict) and value[0].get("__is_block__"):
            for inner in value:
                yield from mismatches(f"{where}.{name}", inner, schema[name]["block"])


def test_arguments_are_those_of_googles_provider(dataproc):
    schema = json.loads((Path(__file__).parent / "google_schema.json").read_text())
    found = []
    for name, body in dataproc.resources.items():
        found += mismatches(name, body, schema[name.rsplit(".", 1)[0]])
    assert not found
    body = {"name": "x", "colour": "red"}
    assert list(mismatches("ring", body, schema["google_kms_key_ring"])) == ["ring lacks location", "ring has no colour"]


@pytest.fixture(scope="session")
def terraform():
    if not shutil.which("terraform"):
        pytest.skip("deploy: terraform is not installed")
    return "terraform"


def test_terraform_format(terraform):
    run(terraform, "fmt", "-check", "-recursive", "-diff", DEPLOY)


def test_terraform_validates_and_evaluates_emr(terraform, tmp_path):
    """terraform validate, and terraform test with stand-ins for AWS (tests/plan.tftest.hcl)."""
    plugins = Path.home() / ".terraform.d" / "plugins"
    if not (plugins / "registry.terraform.io" / "hashicorp" / "aws").exists():
        pytest.skip("deploy: Terraform's provider for AWS is not in ~/.terraform.d/plugins (terraform providers mirror)")
    folder = tmp_path / "emr"
    shutil.copytree(FOLDERS["emr"], folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    plain_output = {"TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color", "CHECKPOINT_DISABLE": "1"}
    run(terraform, f"-chdir={folder}", "init", "-backend=false", "-input=false", f"-plugin-dir={plugins}", env=plain_output, timeout=300)
    run(terraform, f"-chdir={folder}", "validate", env=plain_output, timeout=300)
    assert "0 failed" in run(terraform, f"-chdir={folder}", "test", env=plain_output, timeout=300).stdout
