#!/usr/bin/env python3
"""Buckets of many shapes are listed whole, in order and once, with many requests at once where they are long; by a real server of generated keys.

usage: test_listing.py BUCKETBENCH   (which ends with an error where keys are not in strict order)
"""
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

BENCH = sys.argv[1]
SERVER = Path(__file__).resolve().parents[1] / "peers" / "generated_bucket.py"


def hashed(i):
    return hashlib.md5(str(i).encode()).hexdigest()


def wait_until_it_answers(port):
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


class Listing(unittest.TestCase):
    def listed(self, keys, folder_of_them="", delay_ms=30):
        """What the server counted while this folder of a bucket with these keys was listed."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            names = Path(folder, "names")
            names.write_text("\n".join(keys))
            server = subprocess.Popen([sys.executable, SERVER, str(port), "--names", names, "--delay-ms", str(delay_ms)], stdout=subprocess.PIPE)
            try:
                wait_until_it_answers(port)
                env = {"PATH": os.environ["PATH"], "HOME": folder, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "A",
                       "AWS_SECRET_ACCESS_KEY": "B", "AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true", "no_proxy": "127.0.0.1"}
                done = subprocess.run([BENCH, f"s3://photos/{folder_of_them}", "list"], env=env, capture_output=True, text=True, timeout=60)
            finally:
                server.terminate()
                count = json.loads(server.communicate(timeout=20)[0])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["listed"], len({k for k in keys if k.startswith(folder_of_them)}))
        return count

    def test_one_flat_folder_of_numbers(self):
        count = self.listed([f"set/img_{i:06}.jpg" for i in range(40000)])
        self.assertGreaterEqual(count["most"], 8)
        self.assertLess(count["requests"], 150)

    def test_one_flat_folder_of_hashes(self):
        count = self.listed([f"{hashed(i)}.jpg" for i in range(40000)])
        self.assertGreaterEqual(count["most"], 8)
        self.assertLess(count["requests"], 200)

    def test_folders(self):
        count = self.listed([f"{i // 1500:03}/{i:06}.jpg" for i in range(40000)])
        self.assertGreaterEqual(count["most"], 8)
        self.assertLess(count["requests"], 100)

    def test_folders_of_flat_folders_and_what_stands_between(self):
        keys = [f"a/{i:05}.jpg" for i in range(5000)] + [f"b-{i}.jpg" for i in range(3000)] + [f"b/{hashed(i)}.jpg" for i in range(7000)]
        self.listed([*keys, "b/", "b0", "c", *(f"d/{i % 3}/{hashed(i)}" for i in range(9000)), "z/z/z/z.jpg"], delay_ms=0)
        self.listed([*keys, "c/0.jpg"], folder_of_them="b/", delay_ms=0)

    def test_numbers_without_leading_zeros_and_odd_names(self):
        self.listed([f"{i}.jpg" for i in range(12345)], delay_ms=0)
        self.listed([f"Bild {i} \u00e4\u00f6 ({i % 7}).jpg" for i in range(5000)], delay_ms=0)
        self.listed([f"x{'y' * (i % 50)}{i}" for i in range(5000)], delay_ms=0)

    def test_guesses_in_vain_come_to_an_end(self):
        """Keys whose ends cannot be told from their beginnings: requests stay near the number of pages."""
        count = self.listed([f"{i % 2}{'0' * 40}{i:06}" for i in range(20000)], delay_ms=0)
        self.assertLess(count["requests"], 20 + 128)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
