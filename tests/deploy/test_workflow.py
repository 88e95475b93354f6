"""The example of a workflow: no stored keys, nothing that this repository lacks, and actionlint (with shellcheck) finds nothing where it is
to be had."""
import re
import shutil

import pytest
import yaml
from deploying import DEPLOY, ROOT, run

WORKFLOW = DEPLOY / "ci" / "github-actions.yml"


@pytest.fixture
def jobs():
    return yaml.safe_load(WORKFLOW.read_text())["jobs"]


def test_there_are_no_stored_keys(jobs):
    assert "secrets." not in WORKFLOW.read_text()
    for name in ("emr", "dataproc"):
        assert jobs[name]["permissions"] == {"contents": "read", "id-token": "write"} and jobs[name]["environment"] == name
    assert "id-token" not in str(jobs["wheel"])


def test_it_calls_what_is_here(jobs):
    for script in re.findall(r"\bdeploy/[\w/.]+\.(?:sh|py)\b", WORKFLOW.read_text()):
        assert (ROOT / script).exists(), script
    assert all("timeout-minutes" in job for job in jobs.values())


def test_input_reaches_no_shell_but_by_environment(jobs):
    for job in jobs.values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step


def test_actionlint_finds_nothing():
    actionlint = shutil.which("actionlint", path=f"{ROOT}/.deps/servers") or shutil.which("actionlint")
    if not actionlint:
        pytest.skip("deploy: actionlint is not to be had (tools/deps.sh peers builds it)")
    run(actionlint, WORKFLOW)
