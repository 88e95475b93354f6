"""Tables that Pomona writes are read by pyarrow, pandas and DuckDB, and theirs by Pomona, values equal."""
import json
import pathlib
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "table"))
import tabletool
from tabletool import cat, make

SIZES = [(0, 4), (1, 1), (1, 0), (67, 3), (700, 1280), (45, 100_352)]  # the last: a row group of 42 rows, and 3 more


def check(paths, labels, features, rows, width):
    assert list(paths) == tabletool.paths(rows)
    assert list(labels) == tabletool.labels(rows)
    got = np.array([np.asarray(f, dtype=np.float32) for f in features], dtype=np.float32).reshape(rows, width)
    assert np.array_equal(got.view(np.uint32), tabletool.values(rows, width).view(np.uint32))


@pytest.mark.parametrize("rows,width", SIZES)
def test_pyarrow_reads(tmp_path, rows, width):
    file = pq.ParquetFile(make(tmp_path / "t.parquet", rows, width))
    table = file.read()
    assert table.schema.field("features").type.value_type == pa.float32()
    assert file.metadata.created_by.startswith("pomona version ")
    assert table.schema.metadata[b"pomona.counts"] == b'{"rows": 1}'
    assert all(file.metadata.row_group(g).total_byte_size < 20 << 20 for g in range(file.num_row_groups))
    encodings = {e for g in range(file.num_row_groups) for c in range(3) for e in file.metadata.row_group(g).column(c).encodings}
    assert encodings <= {"PLAIN", "RLE"}
    check(table["path"].to_pylist(), table["label"].to_pylist(), table["features"].to_numpy(zero_copy_only=False), rows, width)


@pytest.mark.parametrize("rows,width", SIZES[:5])
def test_pandas_reads(tmp_path, rows, width):
    frame = pd.read_parquet(make(tmp_path / "t.parquet", rows, width))
    check(frame["path"], frame["label"], frame["features"], rows, width)
    if rows and width:
        frame = pd.read_json(make(tmp_path / "t.json", rows, width), lines=True)
        check(frame["path"], frame["label"], frame["features"], rows, width)
    frame = pd.read_csv(make(tmp_path / "t.csv", rows, width))
    check(frame["path"], frame["label"], frame["features"].map(json.loads), rows, width)


@pytest.mark.parametrize("rows,width", SIZES[:5])
def test_duckdb_reads(tmp_path, rows, width):
    got = duckdb.sql(f"select * from '{make(tmp_path / 't.parquet', rows, width)}' order by path").fetchnumpy()
    check(got["path"], got["label"], got["features"], rows, width)
    if rows:
        got = duckdb.sql(f"select * from '{make(tmp_path / 't.json', rows, width)}' order by path").fetchall()
        check([r[0] for r in got], [r[1] for r in got], [r[2] for r in got], rows, width)


@pytest.mark.parametrize("rows,width", SIZES[:5])
def test_spark_vector_column(tmp_path, rows, width):
    table = pq.read_table(make(tmp_path / "t.parquet", rows, width, "spark"))
    kind = table.schema.field("features").type
    assert [(f.name, str(f.type)) for f in kind] == [("type", "int8"), ("size", "int32"), ("indices", "list<element: int32 not null>"),
                                                     ("values", "list<element: double not null>")]
    udt = json.loads(table.schema.metadata[b"org.apache.spark.sql.parquet.row.metadata"])["fields"][2]["type"]
    assert udt["class"] == "org.apache.spark.ml.linalg.VectorUDT"
    features = table["features"].combine_chunks()
    assert features.field("type").to_pylist() == [1] * rows and features.field("size").null_count == rows
    check(table["path"].to_pylist(), table["label"].to_pylist(), [f["values"] for f in features.to_pylist()], rows, width)
    assert [r["features"] for r in cat(tmp_path / "t.parquet")] == tabletool.values(rows, width).tolist()


@pytest.mark.parametrize("suffix", ["parquet", "json", "csv"])
def test_equal_bytes_for_equal_input(tmp_path, suffix):
    make(tmp_path / f"a.{suffix}", 300, 100), make(tmp_path / f"b.{suffix}", 300, 100)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def foreign(list_type, values):
    return pa.table({"label": [f"l{i % 5}" if i % 11 else None for i in range(len(values))],
                     "other": list(range(len(values))), "path": [f"p\n{i}" for i in range(len(values))],
                     "features": pa.array(values, list_type)})


def check_cat(path, table, kinds=("list", "double")):
    for kind in kinds:
        for got, path_, label, features in zip(cat(path, kind), table["path"].to_pylist(), table["label"].to_pylist(),
                                               table["features"].to_pylist(), strict=True):
            assert got == {"path": path_, "label": label or "", "features": features}


@pytest.mark.parametrize("list_type", [pa.list_(pa.float32()), pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 9)])
@pytest.mark.parametrize("options", [
    {}, {"compression": "zstd", "use_dictionary": False}, {"compression": "gzip", "data_page_version": "2.0"}, {"compression": "lz4"},
    {"compression": "none", "row_group_size": 77}, {"data_page_size": 100, "write_page_index": True},
    {"use_dictionary": False, "column_encoding": {"features.list.element": "BYTE_STREAM_SPLIT", "path": "DELTA_BYTE_ARRAY"}},
    {"use_dictionary": ["label"], "use_compliant_nested_type": False}], ids=str)
def test_pyarrow_writes(tmp_path, list_type, options):
    values = np.random.default_rng(1).standard_normal((1000, 9)).astype(np.float32).astype(np.float64).tolist()
    if not pa.types.is_fixed_size_list(list_type):
        values[3], values[999] = [], [0.5]
    pq.write_table(foreign(list_type, values), tmp_path / "t.parquet", **options)
    check_cat(tmp_path / "t.parquet", foreign(list_type, values))


def test_pandas_and_duckdb_write(tmp_path):
    values = np.random.default_rng(2).standard_normal((5000, 8)).astype(np.float32).astype(np.float64).tolist()
    table = arrow_table = foreign(pa.list_(pa.float64()), values)
    frame = table.to_pandas()
    frame["label"] = frame["label"].astype("category")
    frame.to_parquet(tmp_path / "pandas.parquet")
    duckdb.sql(f"copy (select path, label, features from arrow_table) to '{tmp_path}/duckdb.parquet'")
    for name in ("pandas", "duckdb"):
        check_cat(tmp_path / f"{name}.parquet", table)


def test_nulls_are_said(tmp_path):
    for values in ([[1.0], None], [[1.0], [2.0, None]]):
        pq.write_table(foreign(pa.list_(pa.float32()), values), tmp_path / "t.parquet")
        done = subprocess.run([tabletool.PROGRAM, "cat", tmp_path / "t.parquet", "list"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert done.returncode == 1 and 't.parquet, row 2: column "features" is null' in done.stderr


def test_a_folder_of_parts(tmp_path):
    whole = foreign(pa.list_(pa.float32()), [[float(i)] for i in range(10)])
    folder = tmp_path / "features.parquet"
    folder.mkdir()
    (folder / "_SUCCESS").write_text("")
    (folder / ".part-0.parquet.crc").write_text("x")
    for part, begin in (("part-1.parquet", 4), ("part-0.parquet", 0), ("part-2.parquet", 8)):
        pq.write_table(whole.slice(begin, 4), folder / part)
    check_cat(folder, whole)
