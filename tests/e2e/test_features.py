"""pomona features: its tables, options and messages."""
import os
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import BINARY, PIXELS, ROOT, photograph, pomona, receipt
from PIL import Image


def matrix(table, column="features"):
    return np.stack(table[column].to_numpy()).astype(np.float64)


def test_tables_and_receipt(photos, tmp_path):
    out = tmp_path / "out"
    said = pomona("features", photos, "-o", out, *PIXELS, "--pca", 3, "--keep-scaled")
    table = pd.read_parquet(out / "features.parquet")
    assert list(table.columns) == ["path", "label", "features"]
    assert list(table.path) == sorted((str(p) for p in photos.rglob("*.*")), key=str.encode)
    assert set(table.label) == {"apple", "cherry red", "tomato"}
    assert (table.label == [p.split("/")[-2] for p in table.path]).all()
    for row in table.itertuples():
        with Image.open(row.path) as image:
            pixels = np.asarray(image.convert("RGB").resize((16, 16), Image.BICUBIC), dtype=np.float32).ravel()
        if row.path.endswith(".png"):
            assert (row.features == pixels).all()
        else:
            assert np.abs(row.features - pixels).max() <= 2
    assert pd.read_parquet(out / "pca.parquet").pca_features.map(len).eq(3).all()
    x = matrix(table)
    scaled = np.where(x.std(0) > 0, (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0, ddof=1), 1), 0)
    assert np.allclose(matrix(pd.read_parquet(out / "scaled.parquet"), pd.read_parquet(out / "scaled.parquet").columns[-1]), scaled, atol=1e-4)
    assert len(pd.read_parquet(out / "errors.parquet")) == 0
    run = receipt(out)
    assert run["counts"]["listed"] == run["counts"]["rows"] == run["counts"]["computed"] == 24
    assert run["counts"]["labels"] == 3 and run["settings"]["pca"]["components"] == 3
    stages = run["speed"]["stages"]
    assert list(stages) == ["calibrate", "list", "read", "decode", "resize", "infer", "write", "statistics"]
    assert all(stages[s]["cpu_seconds"] > 0 and stages[s]["thread_seconds"] > 0 for s in stages if s != "calibrate")
    assert sum(s["cpu_seconds"] for s in stages.values()) <= run["speed"]["cpu_seconds"]
    assert 0 < sum(s["cpu_share"] for s in stages.values()) <= 1.001 and run["host"]["peak_memory_bytes"] > 0
    assert run["speed"]["wall_seconds"]["first_row"] > 0
    footer = pq.read_metadata(out / "features.parquet").metadata
    assert footer[b"pomona.rows"] == b"24" and footer[b"pomona.model"] == b"pixels"
    assert "24 rows, 3 labels" in said and "cherry red" in said
    assert re.search(r"CPU [0-9.]+ s: .*decode [0-9.]+ %", said)
    assert {p.name for p in out.iterdir()} == {
        ".pomona", "features.parquet", "pca.parquet", "scaled.parquet", "projection.parquet", "errors.parquet", "run.json"}


def test_peak_memory_is_the_jobs_own_not_its_parents(photos, tmp_path):
    held = bytearray(b"x") * (400 << 20)
    pomona("features", photos, "-o", tmp_path / "out", *PIXELS)
    assert held and receipt(tmp_path / "out")["host"]["peak_memory_bytes"] < 200 << 20


@pytest.mark.parametrize("format", ["json", "csv"])
def test_other_formats_hold_the_same(photos, tmp_path, format):
    pomona("features", photos, "-o", tmp_path / "a", *PIXELS, "--pca", 2)
    pomona("features", photos, "-o", tmp_path / "b", *PIXELS, "--pca", 2, "--format", format)
    for name, column in (("features", "features"), ("pca", "pca_features")):
        wanted = pd.read_parquet(tmp_path / "a" / f"{name}.parquet")
        file = tmp_path / "b" / f"{name}.{format}"
        if format == "json":
            table = pd.read_json(file, lines=True)
        else:
            table = pd.read_csv(file)
            table[column] = table[column].map(lambda text: np.fromstring(text.strip("[]"), sep=","))
        assert (table.path == wanted.path).all() and (table.label == wanted.label).all()
        assert (matrix(table, column).astype(np.float32) == matrix(wanted, column).astype(np.float32)).all()
    assert {p.suffix for p in (tmp_path / "b").iterdir() if p.name not in (".pomona", "run.json")} == {f".{format}"}


def test_spark_vectors_hold_the_same(photos, tmp_path):
    pomona("features", photos, "-o", tmp_path / "a", *PIXELS)
    pomona("features", photos, "-o", tmp_path / "b", *PIXELS, "--vectors", "spark")
    wanted = matrix(pd.read_parquet(tmp_path / "a" / "features.parquet"))
    table = pd.read_parquet(tmp_path / "b" / "features.parquet")
    assert (np.stack([row["values"] for row in table.features]) == wanted).all()
    assert all(row["type"] == 1 for row in table.features)


def test_projection_options(photos, tmp_path):
    args = ("features", photos, *PIXELS, "--pca", 2)
    pomona(*args, "-o", tmp_path / "a")
    pomona(*args, "-o", tmp_path / "b", "--no-scale")
    pomona(*args, "-o", tmp_path / "c", "--no-scale", "--no-center")
    x = matrix(pd.read_parquet(tmp_path / "a" / "features.parquet"))
    scaled, centred, plain = (matrix(pd.read_parquet(tmp_path / d / "pca.parquet"), "pca_features") for d in "abc")
    assert np.allclose(centred.mean(0), 0, atol=1e-3) and not np.allclose(plain.mean(0), 0, atol=1)
    assert np.allclose(plain - plain.mean(0), centred, atol=1e-2)
    assert np.allclose(centred.var(0, ddof=1), np.linalg.eigvalsh(np.cov(x.T))[::-1][:2], rtol=1e-4)
    assert not np.allclose(scaled, centred)


def test_bad_images_are_rows_of_errors(photos, tmp_path):
    out = tmp_path / "out"
    (photos / "apple" / "empty.jpg").write_bytes(b"")
    (photos / "apple" / "text.png").write_text("not an image")
    whole = (photos / "apple" / "00.jpg").read_bytes()
    (photos / "apple" / "cut.jpg").write_bytes(whole[: len(whole) // 20])
    photograph(1).save(photos / "apple" / "old.gif")
    (photos / "apple" / "link.jpg").symlink_to("nowhere")
    shutil.copy(photos / "cherry red" / "01.png", photos / "apple" / "a png.jpg")
    (photos / "README.txt").write_text("not listed")
    said = pomona("features", photos, "-o", out, *PIXELS, code=2)
    errors = pd.read_parquet(out / "errors.parquet").set_index("path")
    assert list(errors.index) == [str(photos / "apple" / n) for n in ("cut.jpg", "empty.jpg", "link.jpg", "old.gif", "text.png")]
    assert list(errors.stage) == ["decode", "decode", "list", "decode", "decode"]
    assert errors.cause.str.len().gt(5).all()
    assert str(photos / "apple" / "a png.jpg") in set(pd.read_parquet(out / "features.parquet").path)
    counts = receipt(out)["counts"]
    assert (counts["listed"], counts["rows"], counts["errors"], counts["skipped"]) == (30, 25, 5, 1)
    assert "5 failed" in said and "1 other file was passed over" in said


def test_strict_ends_with_the_first_failure(photos, tmp_path):
    (photos / "apple" / "text.png").write_text("not an image")
    said = pomona("features", photos, "-o", tmp_path / "out", *PIXELS, "--strict", code=1)
    assert "text.png failed (decode)" in said
    assert not list((tmp_path / "out").glob("[a-z]*.*"))
    photograph(99).save(photos / "apple" / "text.png")
    pomona("features", photos, "-o", tmp_path / "out", *PIXELS, "--strict")
    assert len(pd.read_parquet(tmp_path / "out" / "features.parquet")) == 25


def test_labels(photos, tmp_path):
    for i in range(3):
        photograph(i).save(photos / f"kiwi_green_{i}.jpg")
    said = pomona("features", photos, "-o", tmp_path / "out", *PIXELS, "--label", "{label}_?.jpg")
    labels = pd.read_parquet(tmp_path / "out" / "features.parquet").label
    assert labels.value_counts().to_dict() == {"": 24, "kiwi_green": 3}
    assert "does not match --label" in said and "24 have an empty label" in said
    assert "{label} once" in pomona("features", photos, "-o", tmp_path / "x", *PIXELS, "--label", "*/x", code=1)


@pytest.mark.parametrize("inside, source", [("apple", "."), ("apple", "./"), ("apple", "../apple/../tomato/."), ("", "apple/.")])
def test_folders_without_a_name_of_their_own(photos, tmp_path, inside, source):
    pomona("features", source, "-o", tmp_path / "out", *PIXELS, cwd=photos / inside)
    table = pd.read_parquet(tmp_path / "out" / "features.parquet")
    assert set(table.label) == {"tomato" if "tomato" in source else "apple"}
    assert table.path.str.startswith(source).all()


def test_pca_of_a_run(photos, tmp_path):
    for format in ("parquet", "json"):
        out = tmp_path / format
        pomona("features", photos, "-o", out, *PIXELS, "--format", format)
        said = pomona("pca", out, "-o", out, "--pca", 2)
        assert "24 rows: 768 features -> 2 components" in said
        assert pd.read_parquet(out / "pca.parquet").pca_features.map(len).eq(2).all()


def test_too_little_memory_for_an_image(tmp_path):
    (tmp_path / "photos").mkdir()
    photograph(0, (6000, 5000)).save(tmp_path / "photos" / "large.jpg", progressive=True)
    said = pomona("features", tmp_path / "photos", "-o", tmp_path / "out", *PIXELS, "--memory", "70M", code=2)
    cause = pd.read_parquet(tmp_path / "out" / "errors.parquet").cause[0]
    assert "decoding 6000x5000 pixels takes 172 MiB" in cause and "use --memory" in cause
    assert "errors.parquet says why, --retry-failed reads again" in said
    pomona("features", tmp_path / "photos", "-o", tmp_path / "out", *PIXELS, "--memory", "2G", "--retry-failed")


def test_several_sources_are_in_order(photos, tmp_path):
    out = tmp_path / "out"
    pomona("features", photos / "tomato", photos / "apple" / "00.jpg", f"{photos}/cherry red//", "-o", out, *PIXELS)
    paths = list(pd.read_parquet(out / "features.parquet").path)
    assert paths == sorted(paths, key=str.encode) and len(paths) == 17 and not any("//" in p for p in paths)
    said = pomona("features", photos, photos / "apple", "-o", tmp_path / "x", *PIXELS, code=1)
    assert "lies within" in said and not (tmp_path / "x").exists()
    (tmp_path / "link").symlink_to(photos / "apple")
    for same in (f"{photos}/./apple/", f"{photos}/tomato/../apple", tmp_path / "link", photos / "apple"):
        assert "are the same place" in pomona("features", photos / "apple", same, "-o", tmp_path / "x", *PIXELS, code=1)
    said = pomona("features", photos, photos / "." / "tomato" / ".." / "apple" / "00.jpg", "-o", tmp_path / "x", *PIXELS, code=1)
    assert "lies within" in said


def test_odd_names(tmp_path):
    folder = tmp_path / "photos" / "sp ace"
    folder.mkdir(parents=True)
    names = [b"new\nline.jpg", b"quote\"'.jpg", b"\xff\xfe.jpg", "ü%20+.jpg".encode(), b"-o.jpg"]
    for i, name in enumerate(names):
        photograph(i).save(tmp_path / "x.jpg")
        os.rename(tmp_path / "x.jpg", bytes(folder) + b"/" + name)
    for _ in range(2):
        pomona("features", tmp_path / "photos", "-o", tmp_path / "out", *PIXELS)
        paths = list(pd.read_parquet(tmp_path / "out" / "features.parquet").path)
        wanted = [f"{folder}/{n.decode('utf-8', 'replace')}" for n in sorted(names)]
        assert paths == wanted
        photograph(9).save(folder / "zz.jpg")
        names.append(b"zz.jpg")


def test_names_are_not_obeyed_by_the_terminal(tmp_path):
    folder = tmp_path / "photos" / "a\x1b]0;owned\x07\u009b2J\nü"
    folder.mkdir(parents=True)
    photograph(0).save(folder / "1.png")
    for label in ("{label}/*", "{label}_*"):  # in the summary; in a warning
        said = pomona("features", tmp_path / "photos", "-o", tmp_path / "out", *PIXELS, "--label", label, "--fresh")
        assert r"a\x1b]0;owned\x07\xc2\x9b2J\x0aü" in said
    assert r"\x1b" in pomona("features", "\x1b[2J", "-o", tmp_path / "x", code=1)


@pytest.mark.parametrize("rows, k, wanted", [(25, 50, 24), (2, 2, 1), (1, 2, None)])
def test_few_rows(tmp_path, rows, k, wanted):
    folder = tmp_path / "photos" / "apple"
    folder.mkdir(parents=True)
    for i in range(rows):
        photograph(i).save(folder / f"{i:02}.png")
    said = pomona("features", folder, "-o", tmp_path / "out", *PIXELS, "--pca", k)
    assert len(pd.read_parquet(tmp_path / "out" / "features.parquet")) == rows
    if wanted:
        assert pd.read_parquet(tmp_path / "out" / "pca.parquet").pca_features.map(len).eq(wanted).all()
        assert f"--pca {k} is lowered to {wanted}" in said
    else:
        assert "no PCA" in said and not (tmp_path / "out" / "pca.parquet").exists()


def test_equal_images_and_all_failed(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(4):
        photograph(0).save(folder / f"{i}.png")
    said = pomona("features", folder, "-o", tmp_path / "same", *PIXELS, "--pca", "0.9")
    assert "no PCA: all 4 rows are equal" in said and not list((tmp_path / "same").glob("p*.parquet"))
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "x.jpg").write_text("x")
    pomona("features", bad, "-o", tmp_path / "none", *PIXELS, "--pca", 2, code=2)
    assert len(pd.read_parquet(tmp_path / "none" / "features.parquet")) == 0
    assert len(pd.read_parquet(tmp_path / "none" / "errors.parquet")) == 1


def test_limit_and_threads(photos, tmp_path):
    pomona("features", photos, "-o", tmp_path / "all", *PIXELS, "--threads", 5)
    pomona("features", photos, "-o", tmp_path / "few", *PIXELS, "--threads", 1, "--limit", 7)
    every, few = (pd.read_parquet(tmp_path / d / "features.parquet") for d in ("all", "few"))
    assert list(few.path) == list(every.path[:7])
    assert (matrix(few) == matrix(every)[:7]).all()


@pytest.mark.parametrize("args, text", [
    (["nowhere", "-o", "x"], "nowhere"),
    ([], "name a folder of images"),
    (["."], "name the folder for the tables"),
    ([".", "-o", "x", "--model", "no-such-model"], "no-such-model"),
    ([".", "-o", "x", "--no-scale"], "add --pca"),
    ([".", "-o", "x", "--modle", "pixels"], "did you mean --model?"),
    ([".", "-o", "x", "--resize", "cubic"], "--resize cubic"),
    ([".", "-o", "x", *PIXELS, "--precision", "fast"], "model pixels has no network that could be faster"),
    ([".", "-o", "x", "--precision", "int4"], "wanted exact, fast, bf16 or int8"),
    ([".", "-o", "x", "--min-cosine", "0.99"], "--min-cosine is for another --precision than exact"),
    ([".", "-o", "x", "--precision", "fast", "--min-cosine", "1.01"], "wanted a number over 0 and up to 1"),
    ([".", "-o", "x", "--precision", "fast", "--min-cosine", "nan"], "wanted a number over 0 and up to 1"),
    ([".", "-o", "x", "--format", "csv", "--vectors", "spark"], "Spark vectors"),
    ([".", "-o", "x", *PIXELS, "--memory", "10M"], "raise --memory"),
    (["ftp://host/x", "-o", "x"], "ftp://"),
])
def test_mistakes_are_told(tmp_path, args, text):
    (tmp_path / "photo.txt").write_text("")
    assert text in pomona("features", *args, code=1, cwd=tmp_path)
    assert not (tmp_path / "x").exists()


def test_no_images(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("")
    assert "no images" in pomona("features", tmp_path / "in", "-o", tmp_path / "out", *PIXELS, code=1)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    pomona("features", tmp_path / "in", "-o", tmp_path / "out", *PIXELS, code=1)
    assert (tmp_path / "out").exists()


def test_quiet(photos, tmp_path):
    assert pomona("features", photos, "-o", tmp_path / "out", *PIXELS, "--quiet") == ""


@pytest.mark.parametrize("verb, least", [("features", 20), ("ls", 3), ("verify", 4), ("doctor", 1), ("plan", 12)])
def test_manual_names_every_option(verb, least):
    help = subprocess.run([BINARY, verb, "--help"], capture_output=True, text=True, check=True).stdout
    sections = (ROOT / "docs" / "pomona.1").read_text().split("\n.Ss ")
    manual = "".join(section for section in sections if section.startswith((f"pomona {verb}\n", "Buckets\n")))
    options = re.findall(r"^  (?:-\w, |    )--([a-z0-9-]+)", help, re.MULTILINE)
    assert len(options) >= least and [o for o in options if f" -{o}" not in manual and o not in ("config", "help")] == []


def test_help():
    for args in (["features", "--help"], ["help", "features"], ["help"], ["--help"], ["--version"]):
        assert pomona(*args) == ""
    assert "did you mean `pomona features`" in pomona("featurs", code=1)


def test_fruits(fruits, tmp_path):
    """Every image of the training set, as pixels: counts, labels, and features against Pillow's own."""
    pomona("features", fruits / "Training", "-o", tmp_path / "out", *PIXELS, "--pca", "0.90")
    table = pd.read_parquet(tmp_path / "out" / "features.parquet")
    assert len(table) == 6030 and table.label.nunique() == 67
    for row in table.iloc[::500].itertuples():
        with Image.open(row.path) as image:
            assert (np.asarray(image.resize((16, 16), Image.BICUBIC)).ravel() == row.features).all()


def test_network(fruits, mobilenet, tmp_path):
    """A subset through MobileNetV2: the same bits whatever the number of threads, and settings in the receipt."""
    source = fruits / "Test" / sorted(p.name for p in (fruits / "Test").iterdir())[0]
    pomona("features", source, "-o", tmp_path / "a", "--model", mobilenet, "--pca", 2, "--threads", 1)
    pomona("features", source, "-o", tmp_path / "b", "--model", mobilenet, "--pca", 2, "--threads", 3)
    a, b = (pd.read_parquet(tmp_path / d / "features.parquet") for d in "ab")
    assert a.features.map(len).eq(1280).all() and (matrix(a) == matrix(b)).all() and (a.path == b.path).all()
    assert len(receipt(tmp_path / "a")["model"]["sha256"]) == 64
