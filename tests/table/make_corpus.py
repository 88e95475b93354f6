"""Makes tests/table/corpus: small tables by foreign writers, from which fuzz_table starts; `make test` replays them.

usage: .deps/venv/bin/python tests/table/make_corpus.py
"""
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = pathlib.Path(__file__).parent / "corpus"


def table(list_type):
    return pa.table({
        "path": pa.array(["a", "b", None, "d", "a"]),
        "features": pa.array([[1.0, 2.5], [-3.0, 0.0], [4.0, 5.0], [6.0, 7.0], [1.0, 2.0]], list_type),
        "count": pa.array([1, 2, 3, 4, 5]),
    })


def vectors():
    kind = pa.struct([pa.field("type", pa.int8(), False), ("size", pa.int32()), ("indices", pa.list_(pa.int32())),
                      ("values", pa.list_(pa.float64()))])
    rows = [{"type": 1, "size": None, "indices": None, "values": [1.0, 2.0]},
            {"type": 0, "size": 3, "indices": [0, 2], "values": [1.0, 2.0]}]
    return pa.table({"path": ["a", "b"], "features": pa.array(rows, kind), "count": [1, 2]})


def main():
    FOLDER.mkdir(exist_ok=True)
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        pq.write_table(table(pa.list_(pa.float32())), FOLDER / f"{codec}.parquet", compression=codec, row_group_size=3)
    pq.write_table(table(pa.list_(pa.float64())), FOLDER / "plain-v2.parquet", compression="none", use_dictionary=False, data_page_version="2.0")
    pq.write_table(table(pa.list_(pa.float32(), 2)), FOLDER / "fixed.parquet", compression="none", write_page_index=True)
    pq.write_table(table(pa.list_(pa.float32())), FOLDER / "split.parquet", compression="none", use_dictionary=False,
                   column_encoding={"features.list.element": "BYTE_STREAM_SPLIT", "path": "DELTA_BYTE_ARRAY",
                                    "count": "DELTA_BINARY_PACKED"})
    pq.write_table(vectors(), FOLDER / "vectors.parquet", compression="none")
    (FOLDER / "rows.json").write_text('{"path":"a\\u00e4","features":[1,2.5e-3],"count":1}\n\n{"features":[],"count":2}\n')
    (FOLDER / "rows.csv").write_text('path,features,count\r\n"a,""b""\n","[1,2.5]",7\r\n\r\n,[],8\r\n')


if __name__ == "__main__":
    main()
