"""Spark reads the tables that Pomona writes, MLlib takes their vectors, and Pomona reads what Spark writes.

usage: PYTHON tests/peers/table_spark.py, PYTHON being that of .deps/peers-spark35 or .deps/peers-spark4
"""
import json
import pathlib
import sys
import tempfile

import numpy as np
import pyspark
from pyspark.ml.feature import PCA, StandardScaler
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, FloatType, DoubleType, StringType, StructField, StructType

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "table"))
import tabletool
from tabletool import cat, make

ROWS, WIDTH = 500, 40


def collected(frame):
    rows = sorted(frame.collect(), key=lambda row: row.path)
    assert [r.path for r in rows] == tabletool.paths(ROWS)
    assert [r.label for r in rows] == tabletool.labels(ROWS)
    return np.array([np.asarray(getattr(r.features, "values", r.features), dtype=np.float64) for r in rows])


def spark_reads_lists(spark, folder):
    expected = tabletool.values(ROWS, WIDTH)
    frame = spark.read.parquet(make(folder / "list.parquet", ROWS, WIDTH))
    assert frame.schema["features"].dataType == ArrayType(FloatType(), frame.schema["features"].dataType.containsNull)
    assert (collected(frame) == expected).all()
    assert spark.read.parquet(make(folder / "empty.parquet", 0, WIDTH)).count() == 0
    assert (collected(spark.read.json(make(folder / "list.json", ROWS, WIDTH))).astype(np.float32) == expected).all()
    csv = spark.read.csv(make(folder / "list.csv", ROWS, WIDTH), header=True, escape='"')
    values = np.array([json.loads(r.features) for r in csv.orderBy("path").collect()], dtype=np.float32)
    assert (values == expected).all()


def mllib_takes_vectors(spark, folder):
    expected = tabletool.values(ROWS, WIDTH).astype(np.float64)
    frame = spark.read.parquet(make(folder / "vectors.parquet", ROWS, WIDTH, "spark"))
    assert frame.schema["features"].dataType == VectorUDT(), frame.schema
    assert (collected(frame) == expected).all()
    scaler = StandardScaler(inputCol="features", outputCol="scaled", withMean=True, withStd=True).fit(frame)
    assert np.allclose(scaler.mean.toArray(), expected.mean(axis=0), rtol=0, atol=1e-12)
    scaled = scaler.transform(frame)
    pca = PCA(k=5, inputCol="scaled", outputCol="pca_features").fit(scaled)
    first = pca.transform(scaled).orderBy("path").first()
    assert len(first.pca_features) == 5
    z = (expected - expected.mean(axis=0)) / expected.std(axis=0, ddof=1)
    assert np.allclose(first.pca_features.toArray(), z[0] @ pca.pc.toArray(), atol=1e-9)


def check_cat(path, expected, labels, kinds=("list", "double")):
    for kind in kinds:
        rows = sorted(cat(path, kind), key=lambda row: row["path"])
        assert [r["label"] for r in rows] == labels, rows[:2]
        for row, values in zip(rows, expected, strict=True):
            assert row["features"] == [float(v) for v in values], (path, kind, row, values)


def pomona_reads_spark(spark, folder):
    rng = np.random.default_rng(1)
    values = rng.standard_normal((ROWS, WIDTH)).astype(np.float32)
    values[:, ::3] = 0
    lists = [v.tolist() for v in values]
    lists[7] = []
    labels = [None if i == 9 else f"Äpfel\n{i}" for i in range(ROWS)]
    paths = [f"{i:06d}" for i in range(ROWS)]
    text = [StructField("path", StringType()), StructField("label", StringType())]
    shown = [label or "" for label in labels]
    for element in (FloatType(), DoubleType()):
        schema = StructType(text + [StructField("features", ArrayType(element))])
        frame = spark.createDataFrame(list(zip(paths, labels, lists)), schema).repartition(3)
        for codec in ("snappy", "zstd", "gzip", "none"):
            out = str(folder / f"spark-{element.typeName()}-{codec}.parquet")
            frame.write.option("compression", codec).parquet(out)
            check_cat(out, lists, shown)
        out = str(folder / f"spark-{element.typeName()}-json")
        frame.write.json(out)
        check_cat(out, lists, shown, ["list"])  # decimals of a float are no decimals of the double
    vectors = [Vectors.dense(v) for v in lists]
    vectors = [Vectors.sparse(len(v), {i: x for i, x in enumerate(v) if x}) if k % 2 else vectors[k] for k, v in enumerate(lists)]
    schema = StructType(text + [StructField("features", VectorUDT())])
    out = str(folder / "spark-vectors")
    spark.createDataFrame(list(zip(paths, labels, vectors)), schema).repartition(2).write.parquet(out)
    check_cat(out, lists, shown)


def main():
    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "1g")
             .config("spark.sql.shuffle.partitions", "2").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        for check in (spark_reads_lists, mllib_takes_vectors, pomona_reads_spark):
            check(spark, pathlib.Path(folder))
            print(f"ok: Spark {pyspark.__version__}: {check.__name__}")
    spark.stop()


if __name__ == "__main__":
    main()
