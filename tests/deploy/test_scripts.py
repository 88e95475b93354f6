"""The shell scripts: checked as text, and run whole in folders of their own."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deploying import DEPLOY, ROOT, run


def scripts():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.sh", ".ci/run"], cwd=ROOT, text=True, stdout=subprocess.PIPE, timeout=60)
    return listed.stdout.split()


def test_shellcheck_finds_nothing():
    assert shutil.which("shellcheck"), "tools/deps.sh test installs it"
    found = scripts()
    assert "deploy/install.sh" in found and "tools/deps.sh" in found
    run("shellcheck", *(ROOT / script for script in found))


def install(release, root, ok=True):
    return run(DEPLOY / "install.sh", release, "python3", env={"POMONA_ROOT": str(root)}, ok=ok)


def test_publishing_the_same_again_names_the_same(release, tmp_path, wheel):
    again = run(DEPLOY / "publish.sh", "dataproc", wheel, tmp_path / "other", tmp_path / "network.onnx").stdout.splitlines()[-1]
    assert again.rsplit("/")[-1] == release.name


def test_a_changed_file_is_not_installed(release, tmp_path):
    (release / "network.onnx").write_bytes(b"others")
    done = install(release, tmp_path / "opt", ok=False)
    assert done.returncode == 1 and "was changed after it was published" in done.stdout
    assert not (tmp_path / "opt").exists()


def test_a_changed_list_is_not_believed(release, tmp_path):
    sums = release / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(True) if "onnx" not in line))
    done = install(release, tmp_path / "opt", ok=False)
    assert done.returncode == 1 and "is not the one that the folder is named for" in done.stdout


def test_a_folder_without_a_list_is_told(tmp_path):
    (tmp_path / "pomona-1-0").mkdir()
    done = install(tmp_path / "pomona-1-0", tmp_path / "opt", ok=False)
    assert done.returncode == 1 and "holds no SHA256SUMS" in done.stdout


def test_publish_says_what_is_missing(tmp_path, wheel):
    done = run(DEPLOY / "publish.sh", "emr", tmp_path / "no.whl", tmp_path, ok=False)
    assert done.returncode == 1 and "make wheel builds it" in done.stdout
    done = run(DEPLOY / "publish.sh", "azure", wheel, tmp_path, ok=False)
    assert done.returncode == 1 and "neither emr nor dataproc" in done.stdout


def test_the_real_wheel_is_installed(tmp_path):
    """Where NumPy stands beside the cluster's Python, as on Dataproc."""
    built = sorted((ROOT / "dist").glob("pomona-*x86_64.whl"))
    if not built:
        pytest.skip("deploy: no wheel in dist/ (make wheel)")
    numpy = {"PYTHONPATH": str(Path(pytest.importorskip("numpy").__file__).parents[1])}
    release = run(DEPLOY / "publish.sh", "dataproc", built[-1], tmp_path / "bucket").stdout.splitlines()[-1]
    run(DEPLOY / "install.sh", release, sys.executable, env={"POMONA_ROOT": str(tmp_path / "opt"), **numpy})
    assert run(tmp_path / "opt/venv/bin/pomona", "--version", env=numpy).stdout.startswith("pomona ")
