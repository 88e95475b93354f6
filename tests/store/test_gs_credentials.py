#!/usr/bin/env python3
"""Where Google's tokens come from: each place in its turn, renewed before they expire, and none of their secrets told.
The server here is none that Google is: it tells which token a listing was asked with, and gives tokens out as the token endpoint and a
machine's metadata server do. Signatures are checked by the openssl command.

usage: test_gs_credentials.py BUCKETBENCH
"""
import base64
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
from pathlib import Path

BENCH = sys.argv[1]
SECRET = "s3cr3t-of-the-test"
EMAIL = "worker@project.iam.gserviceaccount.com"
METADATA = "/computeMetadata/v1/instance/service-accounts/default/"


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        state, url = self.server.state, urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path.startswith(METADATA):
            at_home = state["machine"] and self.headers.get("Metadata-Flavor") == "Google"
            what = EMAIL if url.path.endswith("email") else json.dumps(self.new_token("machine"))
            return self.answer(what if at_home else "no", 200 if at_home else 404)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        state["asked"].append((token, self.headers.get("x-goog-user-project")))
        if token in state["expired"] or time.time() > state["until"].get(token, float("inf")):
            state["refusals"] += 1
            return self.answer(json.dumps({"error": {"code": 401, "message": "Invalid Credentials"}}), 401)
        page = int(query.get("pageToken", 0)) + 1
        time.sleep(state["pause"])
        listing = {"items": [{"name": f"{page}.jpg", "size": "1", "generation": "7"}]}
        self.answer(json.dumps({**listing, **({"nextPageToken": str(page)} if page < state["pages"] else {})}))

    def do_POST(self):
        state = self.server.state
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        state["forms"].append(form)
        if state["refused"]:
            return self.answer(json.dumps({"error": "invalid_grant", "error_description": "Token has been revoked."}), 400)
        self.answer(json.dumps(self.new_token(form["grant_type"].split(":")[-1])))

    def new_token(self, kind):
        state = self.server.state
        state["given"] += 1
        token = f"{SECRET}-{kind}-{state['given']}"
        state["until"][token] = time.time() + state["lifetime"]
        return {"access_token": token, "expires_in": state["lifetime"], "token_type": "Bearer"}

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


class GoogleCredentials(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        cls.server.daemon_threads = True
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.address = f"127.0.0.1:{cls.server.server_port}"
        cls.keys = tempfile.TemporaryDirectory()
        cls.key = Path(cls.keys.name, "key.pem")
        subprocess.run(["openssl", "genrsa", "-out", cls.key, "2048"], check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.keys.cleanup()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.home = Path(self.folder.name)
        self.state = self.server.state = {"asked": [], "forms": [], "expired": set(), "given": 0, "until": {}, "lifetime": 3600,
                                          "machine": False, "pages": 1, "pause": 0, "refused": False, "refusals": 0}

    def tearDown(self):
        self.folder.cleanup()

    def run_bench(self, code=0, **settings):
        """What bench printed, in which no secret may stand."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "POMONA_GS_ENDPOINT": f"http://{self.address}",
               "GCE_METADATA_HOST": self.address, **{k: str(v) for k, v in settings.items()}}
        done = subprocess.run([BENCH, "gs://photos", "list"], env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def write(self, name, **content):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        return path

    def service_account(self, **changes):
        content = {"type": "service_account", "client_email": EMAIL, "private_key_id": "key-1", "private_key": self.key.read_text(),
                   "token_uri": f"http://{self.address}/token", **changes}
        return self.write("account.json", **content)

    def user(self, name=".config/gcloud/application_default_credentials.json"):
        return self.write(name, type="authorized_user", client_id="id", client_secret=SECRET, refresh_token=SECRET + "+&=",
                          token_uri=f"http://{self.address}/token", quota_project_id="payer")

    def tokens(self):
        """Those that came, in their order, each once."""
        return list(dict.fromkeys(token.removeprefix(SECRET + "-") for token, _ in self.state["asked"]))

    def test_service_account(self):
        self.run_bench(GOOGLE_APPLICATION_CREDENTIALS=self.service_account())
        self.assertEqual(self.tokens(), ["jwt-bearer-1"])
        head, claims, signature = self.state["forms"][0]["assertion"].split(".")
        self.assertEqual(json.loads(decode(head)), {"alg": "RS256", "typ": "JWT", "kid": "key-1"})
        said = json.loads(decode(claims))
        self.assertEqual((said["iss"], said["aud"]), (EMAIL, f"http://{self.address}/token"))
        self.assertEqual(said["scope"], "https://www.googleapis.com/auth/devstorage.read_write")
        self.assertEqual(said["exp"] - said["iat"], 3600)
        self.assertLess(abs(said["iat"] - time.time()), 60)
        (self.home / "signature").write_bytes(decode(signature))
        subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout", "-out", self.home / "public.pem"], check=True, capture_output=True)
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.home / "public.pem", "-signature", self.home / "signature"],
                       input=f"{head}.{claims}".encode(), check=True, capture_output=True)

    def test_user_of_gcloud(self):
        self.user()
        self.run_bench()
        self.assertEqual(self.tokens(), ["refresh_token-1"])
        self.assertEqual(self.state["asked"][0][1], "payer")
        self.assertEqual(self.state["forms"][0], {"grant_type": "refresh_token", "client_id": "id", "client_secret": SECRET,
                                                  "refresh_token": SECRET + "+&="})

    def test_gclouds_folder_and_who_pays(self):
        self.user("elsewhere/application_default_credentials.json")
        self.run_bench(CLOUDSDK_CONFIG=self.home / "elsewhere", GOOGLE_CLOUD_QUOTA_PROJECT="other")
        self.assertEqual(self.state["asked"][0][1], "other")

    def test_machine(self):
        self.state["machine"] = True
        self.run_bench()
        self.assertEqual(self.tokens(), ["machine-1"])

    def test_the_named_file_comes_first(self):
        self.state["machine"] = True
        self.user()
        self.run_bench(GOOGLE_APPLICATION_CREDENTIALS=self.service_account())
        self.assertEqual(self.tokens(), ["jwt-bearer-1"])

    def test_nobody(self):
        self.state["machine"] = True
        self.run_bench(POMONA_NO_SIGN_REQUEST="true")
        self.assertEqual(self.tokens(), [""])

    def test_renewed_before_it_expires(self):
        self.state.update(lifetime=4, pages=6, pause=0.8)
        self.run_bench(GOOGLE_APPLICATION_CREDENTIALS=self.service_account())
        self.assertGreater(len(self.tokens()), 1)
        self.assertEqual(self.state["refusals"], 0)

    def test_renewed_when_the_store_says_so(self):
        self.state["expired"].add(f"{SECRET}-jwt-bearer-1")
        self.run_bench(GOOGLE_APPLICATION_CREDENTIALS=self.service_account())
        self.assertEqual(self.tokens(), ["jwt-bearer-1", "jwt-bearer-2"])

    def test_a_token_that_is_never_taken(self):
        self.state["expired"].update(f"{SECRET}-jwt-bearer-{i}" for i in range(100))
        said = self.run_bench(1, GOOGLE_APPLICATION_CREDENTIALS=self.service_account())
        self.assertIn("the credentials are not accepted", said)
        self.assertIn(f"as the service account {EMAIL}", said)

    def test_there_are_none(self):
        said = self.run_bench(1)
        for place in ("GOOGLE_APPLICATION_CREDENTIALS is not set", "gcloud/application_default_credentials.json", f"at {self.address}",
                      "--no-sign-request"):
            self.assertIn(place, said)
        self.assertIn("NO_GCE_CHECK", self.run_bench(1, NO_GCE_CHECK="true"))
        self.assertEqual(self.state["asked"], [])

    def test_files_that_will_not_do(self):
        def said(path):
            return self.run_bench(1, GOOGLE_APPLICATION_CREDENTIALS=path)
        self.assertIn("No such file", said(self.home / "none.json"))
        self.assertIn("no credentials file of Google", said(self.write("a.json", key=SECRET)))
        self.assertIn("lacks client_email or private_key", said(self.service_account(private_key=None)))
        self.assertIn("no RSA key in PEM", said(self.service_account(private_key=SECRET)))
        self.assertIn("of type external_account", said(self.write("b.json", type="external_account", secret=SECRET)))

    def test_a_key_that_was_revoked(self):
        self.state["refused"] = True
        said = self.run_bench(1, GOOGLE_APPLICATION_CREDENTIALS=self.service_account())
        self.assertIn("invalid_grant Token has been revoked.", said)
        self.assertIn("check that the account and its key are still valid", said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
