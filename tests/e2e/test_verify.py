"""pomona verify: rows that are what they should be, and rows that are not."""
import shutil
import subprocess

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import BINARY, PIXELS, photograph, pomona


def verify(*args, code=0, **options):
    done = subprocess.run([BINARY, "verify", *map(str, args)], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    return [line.split("\t") for line in done.stdout.splitlines()], done.stderr


def tamper(file, row):
    """Changes one bit of one feature, as a damaged or forged table would."""
    table = pq.read_table(file)
    features = table.column("features").to_pylist()
    features[row][3] += 1
    column = pa.array(features, table.schema.field("features").type)
    pq.write_table(table.set_column(table.schema.get_field_index("features"), table.schema.field("features"), column), file)


@pytest.mark.parametrize("extra", [(), ("--vectors", "spark"), ("--format", "json"), ("--format", "csv")])
def test_all_is_well(photos, tmp_path, extra):
    pomona("features", photos, "-o", tmp_path / "out", *PIXELS, "--resize", "lanczos", *extra)
    lines, said = verify(tmp_path / "out", "--rows", 100)
    assert lines == [] and "24 of 24 rows recomputed with pixels, exact: 24 the same to the bit" in said


def test_each_fault_has_its_name(photos, tmp_path):
    out = tmp_path / "out"
    pomona("features", photos, "-o", out, *PIXELS)
    paths = list(pd.read_parquet(out / "features.parquet").path)
    tamper(out / "features.parquet", 2)
    photograph(77).save(paths[5])
    (photos / paths[8]).unlink()
    (photos / paths[11]).write_bytes(b"no image")
    (photos / paths[14]).touch()
    lines, said = verify(out, "--rows", 24, code=2)
    assert [(what, path) for what, path, _ in lines] == [
        ("different", paths[2]), ("changed", paths[5]), ("gone", paths[8]), ("changed", paths[11])]
    assert "1 of 768 features, the first at 3" in lines[0][2]
    assert "20 the same to the bit, 1 different, 2 changed, 1 gone" in said
    shutil.rmtree(out / ".pomona")
    lines, _ = verify(out, "--rows", 24, "--quiet", code=2)
    assert [what for what, *_ in lines] == ["different", "different", "gone", "failed"] and not (out / ".pomona").exists()
    shutil.rmtree(photos)
    lines, _ = verify(out, "--rows", 3, code=2)
    assert [what for what, *_ in lines] == ["gone"] * 3


def test_rows_are_picked_by_the_seed(photos, tmp_path):
    pomona("features", photos, "-o", tmp_path / "out", *PIXELS)
    shutil.rmtree(photos)
    picked = [tuple(path for _, path, _ in verify(tmp_path / "out", "--rows", 5, "--seed", seed, code=2)[0]) for seed in (1, 1, 2, 3)]
    assert picked[0] == picked[1] and len(set(picked)) > 1 and all(len(set(p)) == 5 for p in picked)


@pytest.mark.parametrize("precision", ["exact", "int8"])
def test_networks(fruits, mobilenet, tmp_path, precision):
    network, out = tmp_path / "network.onnx", tmp_path / "out"
    shutil.copy(mobilenet, network)
    source = fruits / "Test" / sorted(p.name for p in (fruits / "Test").iterdir())[0]
    pomona("features", source, "-o", out, "--model", network, "--limit", 24,
           *(("--precision", "fast", "--min-cosine", "0.5") if precision == "int8" else ()))
    assert f"12 of 24 rows recomputed with network, {precision}: 12 the same" in verify(out, "-n", 12)[1]
    network.unlink()
    assert verify(out, "--model", mobilenet)[0] == []
    with open(mobilenet, "rb") as file:
        network.write_bytes(file.read() + b"\xa2\x06\0")  # an unknown field of no bytes: the same network, another file
    assert "SHA-256" in verify(out, code=1)[1]
    if precision == "int8":
        shutil.rmtree(out / ".pomona")
        assert "manifest, which is gone" in verify(out, "--model", mobilenet, code=1)[1]


def test_mistakes_are_told(photos, tmp_path):
    out = tmp_path / "out"
    assert "nowhere" in verify(tmp_path / "nowhere", code=1)[1]
    assert "no finished run" in verify(photos, code=1)[1] and not (photos / ".pomona").exists()
    pomona("features", photos, "-o", out, *PIXELS)
    table = pq.read_table(out / "features.parquet")
    pq.write_table(table.slice(0, 20), out / "features.parquet")
    assert "fewer rows than the 24" in verify(out, code=1)[1]
    pq.write_table(pa.concat_tables([table, table]), out / "features.parquet")
    assert "more rows than the 24" in verify(out, code=1)[1]
    (out / "run.json").write_text("{}")
    assert "does not say what its tables were made with" in verify(out, code=1)[1]
