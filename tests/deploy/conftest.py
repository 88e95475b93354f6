import os
import sys
from pathlib import Path

import pytest
from deploying import DEPLOY, run, small_wheel


@pytest.fixture
def wheel(tmp_path):
    return small_wheel(tmp_path)


@pytest.fixture
def release(tmp_path, wheel):
    """A published release in a folder, with a file for a network."""
    model = tmp_path / "network.onnx"
    model.write_bytes(b"weights")
    done = run(DEPLOY / "publish.sh", "dataproc", wheel, tmp_path / "bucket", model)
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def aws():
    """Environment in which `aws` talks to a stand-in for AWS on this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }
    server.stop()
