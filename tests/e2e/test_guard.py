"""--eu-only: a machine elsewhere is refused, by metadata services that a small server plays."""
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from conftest import PIXELS, pomona


class Metadata(BaseHTTPRequestHandler):
    """EC2's, which asks for a token, or Google's, which asks for a header."""

    def answer(self, text):
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        asked = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.answer("a-token" if asked and self.server.cloud == "aws" else "")

    def do_GET(self):
        if self.path == "/latest/meta-data/placement/region" and self.headers["X-aws-ec2-metadata-token"] == "a-token":
            self.answer(self.server.region)
        elif self.path == "/computeMetadata/v1/instance/zone" and self.headers["Metadata-Flavor"] == "Google" and self.server.cloud == "google":
            self.answer(f"projects/123456/zones/{self.server.region}-b")
        else:
            self.answer("")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def machine():
    server = HTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"

    def play(cloud, region):
        server.cloud, server.region = cloud, region
        return {**os.environ, "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{host}", "GCE_METADATA_HOST": host,
                "AWS_EC2_METADATA_DISABLED": "", "NO_GCE_CHECK": ""}
    yield play
    server.shutdown()


@pytest.mark.parametrize("cloud, region, option, passes", [
    ("aws", "eu-central-1", "--eu-only", True), ("aws", "eu-south-2", "--eu-only", True),
    ("aws", "us-east-1", "--eu-only", False), ("aws", "us-east-1", "--eu-only=false", True),
    ("aws", "eu-west-2", "--eu-only", False), ("aws", "eu-west-2", "--eu-only=eu-central-2,eu-west-2", True),
    ("aws", "eu-central-2", "--eu-only", False), ("aws", "eu-west-2", "--eu-only=eu-west-22,eu-west", False),
    ("google", "europe-west3", "--eu-only", True), ("google", "europe-west2", "--eu-only", False),
    ("google", "europe-west6", "--eu-only", False), ("google", "europe-west6", "--eu-only=europe-west6", True),
    ("google", "us-central1", "--eu-only=true", False), ("none", "", "--eu-only", True),
])
def test_where_the_machine_is(photos, tmp_path, machine, cloud, region, option, passes):
    said = pomona("features", photos, "-o", tmp_path / "out", *PIXELS, option, code=0 if passes else 1, env=machine(cloud, region))
    assert passes or (f"this machine is in {region}, outside the member states of the EU" in said and not (tmp_path / "out").exists())


def test_the_default_may_stand_in_the_settings(photos, tmp_path, machine):
    config = tmp_path / "config.toml"
    config.write_text("eu-only = true\n")
    env = {**machine("aws", "us-east-1"), "POMONA_CONFIG": str(config)}
    for args in (["ls", photos], ["plan", photos], ["verify", photos], ["features", photos, "-o", tmp_path / "out"],
                 ["pca", photos, "-o", tmp_path / "out"]):
        assert "outside the member states" in pomona(*args, code=1, env=env)
    config.write_text("eu-only = 'us-east-1'\n")
    pomona("features", photos, "-o", tmp_path / "out", *PIXELS, env=env)
    assert "wanted true, false or names of regions" in pomona("ls", photos, "--eu-only=a b", code=1)
