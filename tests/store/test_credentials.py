#!/usr/bin/env python3
"""Where credentials come from: each place in its turn, renewed before they expire, and none of their secrets told.
The server here is none that S3 is: it tells which access key a listing was asked with, and gives out credentials as STS, a container, an
instance and SSO do.

usage: test_credentials.py BUCKETBENCH
"""
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

BENCH = sys.argv[1]
LISTING = """<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a.jpg</Key><Size>1</Size><ETag>"x"</ETag></Contents></ListBucketResult>"""
SECRET = "s3cr3t-of-the-test"


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class Handler(http.server.BaseHTTPRequestHandler):
    asked = []        # (access key, session token) of each S3 request
    lifetime = 3600   # of the credentials that are given out
    given = 0         # sets of them
    expired = set()   # access keys that S3 no longer takes
    role_name = "worker"

    def keys(self, place):
        Handler.given += 1
        return f"{place}{Handler.given}", SECRET, f"token-{place}"

    def json_keys(self, place):
        access, secret, token = self.keys(place)
        return json.dumps({"Code": "Success", "AccessKeyId": access, "SecretAccessKey": secret, "Token": token, "Expiration": at(self.lifetime)})

    def sts(self, action):
        access, secret, token = self.keys("STS")
        return (f"<{action}Response><{action}Result><Credentials><AccessKeyId>{access}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
                f"<SessionToken>{token}</SessionToken><Expiration>{at(self.lifetime)}</Expiration></Credentials></{action}Result></{action}Response>")

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        metadata = "/latest/meta-data/iam/security-credentials/"
        if self.path == "/container":
            good = self.headers.get("Authorization") == "container-token"
            self.answer(self.json_keys("CONTAINER") if good else "no", 200 if good else 403)
        elif self.path.startswith(metadata):
            good = self.headers.get("X-aws-ec2-metadata-token") == "imds-token"
            self.answer("no" if not good else self.role_name if self.path == metadata else self.json_keys("INSTANCE"), 200 if good else 401)
        elif self.path == "/federation/credentials?role_name=Reader&account_id=123":
            access, secret, token = self.keys("SSO")
            good = self.headers.get("x-amz-sso_bearer_token") == "sso-token"
            keys = {"accessKeyId": access, "secretAccessKey": secret, "sessionToken": token, "expiration": int((time.time() + 3600) * 1000)}
            self.answer(json.dumps({"roleCredentials": keys}) if good else "no", 200 if good else 401)
        else:
            self.list_bucket()

    def list_bucket(self):
        found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        key = found[1] if found else None
        self.asked.append((key, self.headers.get("x-amz-security-token")))
        if key in self.expired:
            self.answer("<Error><Code>ExpiredToken</Code></Error>", 400)
        else:
            self.answer(LISTING)

    def do_PUT(self):
        self.answer("imds-token", 200 if self.path == "/latest/api/token" else 404)

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Handler.form, Handler.signed = form, self.headers.get("Authorization", "")
        if "Action=AssumeRoleWithWebIdentity&" in form and "WebIdentityToken=web-token" in form:
            self.answer(self.sts("AssumeRoleWithWebIdentity"))
        elif "Action=AssumeRole&" in form:
            self.answer(self.sts("AssumeRole"))
        else:
            self.answer("<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>bad token</Message></Error></ErrorResponse>", 400)

    def log_message(self, *_):
        pass


class Credentials(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.server.server_port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.home = Path(self.folder.name)
        (self.home / ".aws").mkdir()
        Handler.asked, Handler.lifetime, Handler.given, Handler.expired = [], 3600, 0, set()

    def tearDown(self):
        self.folder.cleanup()

    def run_with(self, code=0, **env):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        done = subprocess.run([BENCH, "s3://bucket", "list"], text=True, capture_output=True, timeout=60, env={
            **clean, "HOME": str(self.home), "AWS_ENDPOINT_URL_S3": self.url, "AWS_ENDPOINT_URL_STS": self.url + "/",
            "AWS_ENDPOINT_URL_SSO": self.url, "AWS_EC2_METADATA_DISABLED": "true", "no_proxy": "127.0.0.1", **env})
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        return done.stderr

    def file(self, name, text):
        (self.home / ".aws" / name).write_text(text)

    def asked(self):
        return Handler.asked[-1]

    def test_the_environment_comes_first(self):
        self.file("credentials", f"[default]\naws_access_key_id=FILE\naws_secret_access_key={SECRET}\n")
        self.run_with(AWS_ACCESS_KEY_ID="ENV", AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN="t")
        self.assertEqual(self.asked(), ("ENV", "t"))
        self.assertIn("only one is set", self.run_with(1, AWS_ACCESS_KEY_ID="ENV"))

    def test_a_profile_in_either_file(self):
        self.file("credentials", f"# ours\n[default]\naws_access_key_id = FILE # theirs\naws_secret_access_key = {SECRET}\n[other]\n"
                                 f"aws_access_key_id=OTHER\naws_secret_access_key={SECRET}\naws_session_token=t\n")
        self.file("config", f"[profile third]\naws_access_key_id=THIRD\naws_secret_access_key={SECRET}\nregion=eu-west-3\n")
        self.run_with()
        self.assertEqual(self.asked(), ("FILE", None))
        self.run_with(AWS_PROFILE="other")
        self.assertEqual(self.asked(), ("OTHER", "t"))
        self.run_with(AWS_PROFILE="third")
        self.assertEqual(self.asked(), ("THIRD", None))
        self.assertIn("AWS_PROFILE is 'fourth'", self.run_with(1, AWS_PROFILE="fourth"))

    def test_web_identity(self):
        token = self.home / "token"
        token.write_text("web-token\n")
        env = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}
        self.run_with(**env)
        self.assertEqual(self.asked(), ("STS1", "token-STS"))
        self.assertIn("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr", Handler.form)
        token.write_text("wrong")
        self.assertIn("InvalidIdentityToken", self.run_with(1, **env))

    def test_a_role_of_another_profile(self):
        self.file("config", "[profile job]\nrole_arn=arn:r\nsource_profile=base\nexternal_id=x 1\n")
        self.file("credentials", f"[base]\naws_access_key_id=BASE\naws_secret_access_key={SECRET}\n")
        self.run_with(AWS_PROFILE="job")
        self.assertEqual(self.asked(), ("STS1", "token-STS"))
        self.assertIn("Credential=BASE/", Handler.signed)
        self.assertIn("ExternalId=x%201", Handler.form)

    def test_sso(self):
        self.file("config", "[profile me]\nsso_session=work\nsso_account_id=123\nsso_role_name=Reader\n"
                            "[sso-session work]\nsso_region=eu-west-1\nsso_start_url=https://x\n")
        cache = self.home / ".aws" / "sso" / "cache" / (hashlib.sha1(b"work").hexdigest() + ".json")
        self.assertIn("aws sso login --profile me", self.run_with(1, AWS_PROFILE="me"))
        cache.parent.mkdir(parents=True)
        cache.write_text(json.dumps({"accessToken": "sso-token", "expiresAt": at(600)}))
        self.run_with(AWS_PROFILE="me")
        self.assertEqual(self.asked(), ("SSO1", "token-SSO"))
        cache.write_text(json.dumps({"accessToken": "sso-token", "expiresAt": at(-1)}))
        self.assertIn("aws sso login --profile me", self.run_with(1, AWS_PROFILE="me"))

    def test_a_container(self):
        token = self.home / "token"
        token.write_text("container-token\n")
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url + "/container"}
        self.run_with(**env, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token))
        self.assertEqual(self.asked(), ("CONTAINER1", "token-CONTAINER"))
        self.assertIn("status 403", self.run_with(1, **env))
        self.assertIn("only https://", self.run_with(1, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://192.0.2.1/x"))

    def test_an_instance(self):
        env = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}
        self.run_with(**env)
        self.assertEqual(self.asked(), ("INSTANCE1", "token-INSTANCE"))

    def test_none_names_every_place(self):
        said = self.run_with(1, AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:1")
        for place in ("AWS_ACCESS_KEY_ID", "role_arn", "AWS_WEB_IDENTITY_TOKEN_FILE", "SSO", "~/.aws/credentials",
                      "AWS_CONTAINER_CREDENTIALS", "no instance metadata at http://127.0.0.1:1", "--no-sign-request"):
            self.assertIn(place, said)
        self.run_with(POMONA_NO_SIGN_REQUEST="true")
        self.assertEqual(self.asked(), (None, None))

    def test_expired_ones_are_renewed(self):
        Handler.expired = {"INSTANCE1"}
        self.run_with(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=self.url)
        self.assertEqual(self.asked()[0], "INSTANCE2")
        Handler.expired = {"ENV"}
        said = self.run_with(1, AWS_ACCESS_KEY_ID="ENV", AWS_SECRET_ACCESS_KEY=SECRET)
        self.assertIn("the credentials have expired", said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
