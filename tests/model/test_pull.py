#!/usr/bin/env python3
"""`pomona model pull` against servers that behave and servers that do not.

usage: test_pull.py POMONA MAKE_KERAS_FIXTURE
"""
import hashlib
import http.server
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

POMONA, MAKE_FIXTURE = sys.argv[1:3]
FILE = "/keras/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"


class Handler(http.server.BaseHTTPRequestHandler):
    weights = b""
    stalled, go_on = threading.Event(), threading.Event()

    def do_GET(self):
        place, _, path = self.path[1:].partition("/")
        if place == "moved":
            self.send_response(302)
            self.send_header("Location", "/" + path)
            self.end_headers()
        elif place == "cut" and path == FILE[1:]:
            self.answer(self.weights[:100_000], len(self.weights))
        elif place == "stalls":
            self.answer(self.weights[:100_000], len(self.weights))
            self.wfile.flush()
            self.stalled.set()
            self.go_on.wait(30)
        elif self.path == FILE:
            self.answer(self.weights, len(self.weights))
        else:
            self.send_error(404)

    def answer(self, body, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Pull(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        subprocess.run([MAKE_FIXTURE, cls.folder / "weights.h5"], check=True)
        Handler.weights = (cls.folder / "weights.h5").read_bytes()
        cls.sha256 = hashlib.sha256(Handler.weights).hexdigest()
        cls.server = serve()
        cls.url = f"http://127.0.0.1:{cls.server.server_port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.models = self.folder / self.id()

    def start(self, base, *arguments):
        env = {**os.environ, "POMONA_MODELS": str(self.models), "POMONA_MODEL_URL": base, "no_proxy": "127.0.0.1"}
        return subprocess.Popen([POMONA, "model", "pull", *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def pull(self, base, *arguments):
        return self.ended(self.start(base, *arguments))

    def ended(self, process):
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def refused(self, done, *words):
        self.assertEqual(done.returncode, 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(list(self.models.glob("*")), [])

    def test_a_good_file_is_kept_under_its_name(self):
        done = self.pull(self.url + "/keras", "mobilenetv2", "--sha256", self.sha256.upper())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.sha256, done.stdout)
        self.assertIn("checked against --sha256", done.stdout)
        self.assertEqual([p.name for p in self.models.iterdir()], ["mobilenetv2.onnx"])

    def test_redirects_are_followed(self):
        done = self.pull(self.url + "/moved/keras", "mobilenetv2", "--sha256", self.sha256)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_another_file_than_the_published_is_thrown_away(self):
        self.refused(self.pull(self.url + "/keras", "mobilenetv2"), self.sha256, "f8aff69536bd77a6", "thrown away")

    def test_an_answer_of_404_is_told(self):
        self.refused(self.pull(self.url + "/elsewhere", "mobilenetv2"), "404", self.url)

    def test_a_body_that_breaks_off_is_told(self):
        self.refused(self.pull(self.url + "/cut/keras", "mobilenetv2"), "broke off after 100000 bytes")

    def test_an_interrupt_leaves_nothing_behind(self):
        process = self.start(self.url + "/stalls/keras", "mobilenetv2")
        self.assertTrue(Handler.stalled.wait(30))
        process.send_signal(signal.SIGINT)
        self.refused(self.ended(process), "stopped")
        Handler.go_on.set()

    def test_a_server_that_is_not_there_is_told(self):
        self.refused(self.pull("http://127.0.0.1:1/keras", "mobilenetv2"), "127.0.0.1:1")

    def test_the_certificate_is_verified(self):
        if not shutil.which("openssl"):
            self.skipTest("SKIPPED pull over TLS: no openssl command")
        key, cert = self.folder / "key.pem", self.folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                        "-subj", "/CN=127.0.0.1"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server = serve(context)
        self.refused(self.pull(f"https://127.0.0.1:{server.server_port}/keras", "mobilenetv2", "--sha256", self.sha256), "certificate")
        server.shutdown()

    def test_models_without_a_published_file_say_how_to_get_them(self):
        self.refused(self.pull(self.url, "efficientnet-lite0"), "make deps")
        self.refused(self.pull(self.url, "pixels"), "no file")
        self.refused(self.pull(self.url, "resnet51"), "mobilenetv2, resnet50 and vgg16")
        self.refused(self.pull(self.url, "mobilenetv2", "--classifier"), "model import")
        self.refused(self.pull(self.url, "vgg16", "--sha256", "abc"), "64 hexadecimal digits")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
