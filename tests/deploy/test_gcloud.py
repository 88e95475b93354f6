"""What submit.py says to `gcloud`, where it is installed: gcloud reads words and files by itself, and what it then asks of Dataproc is seen by
a server here, which says no."""
import http.server
import json
import shutil
import threading

import pytest
from deploying import DEPLOY, outputs, run

RELEASE = "gs://pomona-orchard/deploy/pomona-0.1.0-" + "0" * 64


class No(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.path.split("?")[0], json.loads(body)))
        answer = b'{"error": {"code": 400, "message": "seen", "status": "INVALID_ARGUMENT"}}'
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass


@pytest.fixture
def dataproc():
    if not shutil.which("gcloud"):
        pytest.skip("deploy: gcloud is not installed")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), No) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_gcloud_asks_for_the_workflow(dataproc, tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({name: {"value": value} for name, value in outputs("dataproc").items()}))
    env = {
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_DATAPROC": f"http://127.0.0.1:{dataproc.server_address[1]}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
    }
    done = run(DEPLOY / "dataproc" / "submit.py", "gs://photos/fruits/", "gs://pomona-orchard/tables/fruits", "--pca", "50", "--release", RELEASE,
               "--settings", file, env=env, ok=False)
    assert dataproc.asked, done.stdout
    path, asked = dataproc.asked[-1]
    assert path.endswith("/regions/europe-west3/workflowTemplates:instantiateInline")
    assert asked["jobs"][0]["pysparkJob"]["mainPythonFileUri"] == f"{RELEASE}/job.py"
    config = asked["placement"]["managedCluster"]["config"]
    assert config["gceClusterConfig"]["internalIpOnly"] is True and config["secondaryWorkerConfig"]["preemptibility"] == "SPOT"
    assert done.returncode != 0  # the server's no is the command's
