"""pomona plan: predictions beside what the job then takes."""
import os
import subprocess
import tomllib

import pytest
from conftest import BINARY, PIXELS, ROOT, pomona, receipt


def plan(*args, code=0, **env):
    done = subprocess.run([BINARY, "plan", *map(str, args)], capture_output=True, text=True, timeout=120, env={**os.environ, **env})
    assert done.returncode == code, done.stdout + done.stderr
    return {l.split(maxsplit=1)[0]: l.split(maxsplit=1)[1] for l in done.stdout.splitlines()} if code == 0 else done.stderr


def test_figures_are_those_of_the_job(photos, tmp_path):
    (photos / "notes.txt").write_text("")
    said = plan(photos, *PIXELS, "--sample", 8, TMPDIR=str(tmp_path / "photos"))
    size = sum(p.stat().st_size for p in photos.rglob("*.*") if p.suffix != ".txt")
    assert said["images"].startswith(f"24, {size / 1e6:.1f} MB (and 1 other files)")
    assert said["sample"].startswith("8 images with ")
    assert said["requests"] == "0 list, 0 get, 0 put"
    assert said["cost"].startswith("$0.0000: requests $0.0000; this machine is not reckoned with")
    assert sorted(p.name for p in photos.iterdir()) == ["apple", "cherry red", "notes.txt", "tomato"]
    pomona("features", photos, "-o", tmp_path / "out", *PIXELS)
    actual = receipt(tmp_path / "out")
    assert f"{actual['speed']['bytes_read'] / 1e6:.1f} MB read" in said["bytes"]
    assert f"{24 * 768 * 4 / 1e6:.1f} MB of features (768 each)" in said["bytes"]
    memory = actual["host"]["peak_memory_bytes"] / 2**20
    assert 0.5 * memory < float(said["memory"].split()[1]) < 2 * memory


def test_prices_are_the_users(photos, tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text("date = '2031-01'\nsource = 'our contract'\n[s3]\nlist_per_1000 = 0\nget_per_1000 = 0\nput_per_1000 = 1e6\n"
                      "internet_per_gb = 0\nregion_per_gb = 0\nmachine = 'ours'\n[machines]\nours = 7.2e9\n")
    said = plan(photos, *PIXELS, "-o", "s3://bucket/out", "--threads", 1, "--prices", prices)
    assert said["requests"] == "0 list, 0 get, 10 put" and "requests $10000.0000, 1 CPU of ours $" in said["cost"]
    assert said["prices"] == f"of 2031-01, our contract ({prices})"
    assert "[machines] other" in plan(photos, *PIXELS, "--prices", prices, "--machine", "other", code=1)
    prices.write_text("date = '2031-01'\n")
    assert "begins with its date and source" in plan(photos, *PIXELS, "--prices", prices, code=1)
    assert plan(photos, *PIXELS, "--machine", "c7g")["prices"].endswith(f"({ROOT / 'share' / 'pomona' / 'prices.toml'})")


@pytest.mark.parametrize("region", ["eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "europe-west1", "europe-west3", "europe-west4", "europe-north1"])
def test_regions_of_the_eu_have_prices(photos, region):
    cloud, machine, other = ("gs", "n2", 0.0486) if region.startswith("europe") else ("s3", "c7i", 0.0446)
    said = plan(photos, *PIXELS, "-o", f"{cloud}://bucket/out", "--threads", 1, "--prices-region", region)
    assert f"1 CPU of {machine} $" in said["cost"] and said["prices"].startswith(f"of 2026-10, {region}, list prices of AWS and Google Cloud")
    with open(ROOT / "share" / "pomona" / "prices.toml", "rb") as file:
        table = tomllib.load(file)
    assert other < table["machines"][region][machine] < 1.4 * other
    assert table[cloud][region].keys() == {k for k, v in table[cloud].items() if isinstance(v, float)}


def test_a_region_without_prices(photos):
    assert "has no price [s3.eu-west-9] put_per_1000" in plan(photos, *PIXELS, "-o", "s3://bucket/out", "--prices-region", "eu-west-9", code=1)


def test_the_receipt_has_the_actual_cost(photos, tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text("date = '2031-01'\nsource = 'our contract'\n[machines]\nours = 7200\n")
    args = ("features", photos, *PIXELS, "--threads", 1)
    pomona(*args, "-o", tmp_path / "free")
    assert receipt(tmp_path / "free")["cost"] is None
    pomona(*args, "-o", tmp_path / "out", "--prices", prices, "--machine", "ours")
    actual = receipt(tmp_path / "out")
    assert actual["cost"]["machine"] == pytest.approx(2 * actual["speed"]["wall_seconds"]["total"], rel=1e-3)
    assert actual["cost"]["dollars"] == actual["cost"]["machine"] and actual["cost"]["prices_of"] == "2031-01" and actual["cost"]["prices_region"] is None
    assert "[machines] other" in pomona(*args, "-o", tmp_path / "no", "--prices", prices, "--machine", "other", code=1)


@pytest.mark.parametrize("args, said", [([], "name a folder of images"), (["nowhere"], "nowhere"), (["."], "there are no images"),
                                        ([".", "--model", "no-such-model"], "there are no images")])
def test_mistakes_are_told(tmp_path, args, said):
    done = subprocess.run([BINARY, "plan", *args], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and said in done.stderr


def test_nothing_to_go_by(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    assert "none of the first 1 images can be read" in plan(tmp_path, *PIXELS, code=1)
