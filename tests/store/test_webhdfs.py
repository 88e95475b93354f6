#!/usr/bin/env python3
"""What WebHDFS may answer and a healthy Hadoop (tests/peers/test_hdfs.py) seldom does: dead DataNodes, standby, old servers, TLS, tokens.

usage: test_webhdfs.py BUCKETBENCH
"""
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
from pathlib import Path

BENCH = sys.argv[1]
TOKEN = "s3cr3t+t0ken/of=the&test"
IMAGE = b"not an image, but bytes\n" * 100


def status(name, kind="FILE", length=len(IMAGE)):
    return {"pathSuffix": name, "type": kind, "length": length, "modificationTime": 1795283294934}


class Handler(http.server.BaseHTTPRequestHandler):
    """A NameNode with /photos/a.jpg and /photos/b/c.jpg, and 40 folders in /many; a DataNode at /data."""
    folders = {"/photos": [status("a.jpg"), status("b", "DIRECTORY", 0)], "/photos/b": [status("c.jpg")],
               "/many": [status(f"{i:02}", "DIRECTORY", 0) for i in range(40)] + [status("z.jpg")],
               **{f"/many/{i:02}": [status("a.jpg"), status("b.jpg")] for i in range(40)}}

    def do_GET(self):
        state, url = self.server.state, urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        path, op = url.path.removeprefix("/webhdfs/v1").rstrip("/"), query.get("op")
        state["asked"].append((op, query.get("user.name"), query.get("delegation")))
        if url.path == "/data":
            return self.answer(200, IMAGE)
        if state["wrong"].get(op):
            return self.refuse(*state["wrong"][op].pop(0))
        if op == "GETFILESTATUS":
            return self.answer(200, {"FileStatus": status("", "DIRECTORY", 0)})
        if op == "LISTSTATUS":
            return self.answer(200, {"FileStatuses": {"FileStatus": self.folders[path]}})
        if op == "LISTSTATUS_BATCH":
            entries = [e for e in self.folders[path] if e["pathSuffix"] > query.get("startAfter", "")]
            n = 50 if path == "/many" else 1
            left = {"remainingEntries": max(0, len(entries) - n), "partialListing": {"FileStatuses": {"FileStatus": entries[:n]}}}
            self.wait_with_others()
            return self.answer(200, {"DirectoryListing": left})
        where = state["places"].pop(0) if state["places"] else f"{state['scheme']}://127.0.0.1:{self.server.server_port}/data?{url.query}"
        self.answer(307, b"", where)

    def wait_with_others(self):
        """As a distant server takes its time; counts how many listings it has at once."""
        state = self.server.state
        with state["lock"]:
            state["listings"] += 1
            state["most_listings"] = max(state["most_listings"], state["listings"])
        time.sleep(state["delay"])
        with state["lock"]:
            state["listings"] -= 1

    def refuse(self, code, exception, message="of the test"):
        self.answer(code, {"RemoteException": {"exception": exception, "javaClassName": "org." + exception, "message": message}})

    def answer(self, code, body, location=None):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class WebHdfs(unittest.TestCase):
    def start(self, scheme="http", context=None):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.state = server.state = {"asked": [], "wrong": {}, "places": [], "scheme": scheme,
                                     "delay": 0, "listings": 0, "most_listings": 0, "lock": threading.Lock()}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port

    def bench(self, uri, code=0, **env):
        """What bench said, in which no token may stand."""
        settings = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "HADOOP_USER_NAME": "somebody", **env}
        done = subprocess.run([BENCH, uri], env=settings, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        for secret in (TOKEN, urllib.parse.quote(TOKEN, safe="")):
            self.assertNotIn(secret, done.stdout + done.stderr)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def read(self, uri, **env):
        said = self.bench(uri, **env)
        self.assertEqual((said["objects"], said["bytes"], said["failed"]), (2, 2 * len(IMAGE), 0))

    def test_every_request_says_who_asks(self):
        self.read(f"hdfs://127.0.0.1:{self.start()}/photos")
        self.assertEqual({who for _, *who in map(tuple, self.state["asked"]) for who in [tuple(who)]}, {("somebody", None)})

    def test_a_token_takes_the_place_of_the_name(self):
        self.read(f"hdfs://127.0.0.1:{self.start()}/photos", HADOOP_DELEGATION_TOKEN=TOKEN)
        self.assertEqual({(name, token) for _, name, token in self.state["asked"]}, {(None, TOKEN)})

    def test_a_server_without_batches(self):
        port = self.start()
        self.state["wrong"]["LISTSTATUS_BATCH"] = [(400, "IllegalArgumentException")]
        self.read(f"hdfs://127.0.0.1:{port}/photos")
        self.assertEqual([op for op, *_ in self.state["asked"] if op.startswith("LIST")], ["LISTSTATUS_BATCH", "LISTSTATUS", "LISTSTATUS"])

    def test_folders_are_listed_many_at_once(self):
        port = self.start()
        self.state["delay"] = 0.1
        said = self.bench(f"hdfs://127.0.0.1:{port}/many")
        self.assertEqual((said["listed"], said["failed"]), (81, 0))
        self.assertEqual(sum(op == "LISTSTATUS_BATCH" for op, *_ in self.state["asked"]), 1 + 2 * 40, "none is asked for twice")
        self.assertGreaterEqual(self.state["most_listings"], 8)

    def test_a_dead_datanode_is_left_for_another(self):
        port = self.start()
        self.state["places"] = [f"http://127.0.0.1:{closed_port()}/data"]
        self.read(f"hdfs://127.0.0.1:{port}/photos")

    def test_what_passes_is_asked_for_again(self):
        port = self.start()
        self.state["wrong"] = {"OPEN": [(403, "RetriableException"), (500, "IOException")], "GETFILESTATUS": [(403, "StandbyException")]}
        self.read(f"hdfs://127.0.0.1:{port}/photos")

    def test_a_namenode_on_standby(self):
        port = self.start()
        self.state["wrong"]["GETFILESTATUS"] = [(403, "StandbyException")] * 20
        self.assertIn("this NameNode is on standby: name the active one", self.bench(f"hdfs://127.0.0.1:{port}/photos", 1))

    def test_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            port = self.start("https", context)
            self.read(f"swebhdfs://127.0.0.1:{port}/photos", SSL_CERT_FILE=str(certificate))
            self.assertIn("is not trusted", self.bench(f"swebhdfs://127.0.0.1:{port}/photos", 1))
            self.state["scheme"] = "http"
            self.assertIn("leads to a place without TLS", self.bench(
                f"swebhdfs://127.0.0.1:{port}/photos", 1, SSL_CERT_FILE=str(certificate), HADOOP_DELEGATION_TOKEN=TOKEN))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
