"""pomona.spark in a local session, against the program's tables.   usage: local_spark.py JOB SCRATCH"""
import json
import os
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pyarrow.parquet as pq
import pyspark
from pyspark.ml.linalg import DenseVector
from pyspark.sql import SparkSession
from pyspark.sql.functions import array, col, lit

import pomona
from pca_compare import assert_same_components, assert_same_rows
from checks import BAD, SEEN, Wanted, ok
from pomona.spark import Projection, featurize, fit_projection

MODEL = "efficientnet-lite0"


def images(spark, wanted):
    return spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(wanted.photos)


def binary_files(spark, wanted):
    frame = featurize(images(spark, wanted).repartition(3), model=MODEL)
    assert frame.columns == ["path", "label", "features", "error"]
    wanted.check(frame.collect(), {*wanted.features, *SEEN})


def paths_alone(spark, wanted):
    """The workers read; the same bits, and a file that is missing is a row."""
    names = [*wanted.features, "apple/empty.jpg"]
    rows = [(f"{('', 'file:', 'file://')[i % 3]}{wanted.photos}/{name}",) for i, name in enumerate(names)]
    frame = spark.createDataFrame([*rows, ("/nowhere/1.jpg",), (None,), ("gopher://x/1.jpg",)], "uri string").repartition(2)
    found = featurize(frame, model=MODEL, path_col="uri").collect()
    wanted.check([row for row in found if row.path and wanted.photos in row.path], names)
    others = {row.path: row for row in found if not row.path or wanted.photos not in row.path}
    assert others["/nowhere/1.jpg"].error == "No such file or directory" and "null" in others[None].error
    assert "gopher" in others["gopher://x/1.jpg"].error and all(row.features is None for row in others.values())


def image_source(spark, wanted):
    """Pixels of files without loss: what the program has of them, gray and transparent ones too."""
    frame = spark.read.format("image").option("dropInvalid", "false").option("recursiveFileLookup", "true").option("pathGlobFilter", "*.png")
    names = [name for name in wanted.features if name.endswith(".png")]
    wanted.check(featurize(frame.load(wanted.photos), model=MODEL).collect(), names)
    bad = spark.read.format("image").option("recursiveFileLookup", "true").option("pathGlobFilter", "none.jpg").load(wanted.photos)
    row = featurize(bad, model=MODEL).first()
    assert row.features is None and "could not decode" in row.error and row.label == "apple"


def mllib_vectors(spark, wanted):
    frame = featurize(images(spark, wanted), model=MODEL, vectors="mllib", label="{label}.*").cache()
    rows = {row.path.rsplit("/", 1)[1]: row for row in frame.collect()}
    assert isinstance(rows["00.png"].features, DenseVector) and rows["00.png"].label == "00" and rows["none.jpg"].features is None
    projection = fit_projection(frame, k=3)
    reduced = projection.transform(frame).collect()
    assert isinstance(reduced[0].pca_features, DenseVector) or reduced[0].error
    assert sum(row.pca_features is None for row in reduced) == len(SEEN)
    frame.unpersist()


def projection(spark, wanted, job, scratch):
    """Signs included as the program's; each reads the other's file."""
    frame = featurize(images(spark, wanted).repartition(5), model=MODEL).cache()
    ours, theirs = fit_projection(frame, k=0.90), Projection.load(f"{job}/table/projection.parquet")
    assert ours.pca.n_components_ == theirs.pca.n_components_ and ours.pca.n_samples_seen_ == len(wanted.features)
    for name in ("mean_", "scale_", "explained_variance_", "explained_variance_ratio_"):
        np.testing.assert_allclose(getattr(ours.pca, name), getattr(theirs.pca, name), rtol=1e-6, atol=1e-12)
    assert_same_components(ours.pca.components_, theirs.pca.components_, theirs.pca.explained_variance_, 1e-6)
    assert (np.sum(ours.pca.components_ * theirs.pca.components_, axis=1) > 0.99).all()
    rows = {row.path.split("photos/")[1]: row.pca_features for row in ours.transform(frame).collect()}
    table = pq.read_table(f"{job}/table/pca.parquet").to_pydict()
    ordered = np.array([rows[path.split("photos/")[1]] for path in table["path"]])
    assert_same_rows(ordered, np.array(table["pca_features"]), theirs.pca.explained_variance_, 1e-5)
    assert all(rows[name] is None for name in SEEN)
    assert fit_projection(frame, k=0.90).pca.components_.tobytes() == ours.pca.components_.tobytes()
    ours.save(f"{scratch}/projection.parquet")
    ours.save(f"file://{scratch}/by_hadoop.parquet")
    for name in ("projection.parquet", "by_hadoop.parquet"):
        again = Projection.load(f"{'file://' if name[0] == 'b' else ''}{scratch}/{name}")
        assert again.pca.components_.tobytes() == ours.pca.components_.tobytes()
    subprocess.run([os.environ["POMONA"], "pca", f"{job}/table/features.parquet", "-o", f"{scratch}/again", "--projection",
                    f"{scratch}/projection.parquet"], check=True, timeout=60, env={**os.environ, "POMONA_CONFIG": ""})
    again = pq.read_table(f"{scratch}/again/pca.parquet").to_pydict()
    assert again["path"] == table["path"] and np.allclose(again["pca_features"], ordered, rtol=0, atol=1e-5 * np.abs(ordered).max())
    frame.unpersist()


def wide_moments(spark):
    """More than one piece a part: 700 features are 1.9 MB of moments."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(40, 700)).astype(np.float32)
    frame = spark.createDataFrame([(row.tolist(),) for row in rows], "features array<float>").repartition(4)
    pca = pomona.PCA(4).fit(rows)
    assert np.abs(fit_projection(frame, k=4).pca.components_ - pca.components_).max() < 1e-9


def metrics(spark):
    """Images done, failed and per second: in Spark's metrics system, and rows of the node that featurizes in its SQL tab."""
    context = spark.sparkContext
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    before = gauges(context, opener)
    frame = spark.createDataFrame([(b"", "a/b.jpg")] * 7, "content binary, path string")
    featurize(frame, model=MODEL).write.format("noop").mode("overwrite").save()
    after = gauges(context, opener)
    assert all(after[name] - before.get(name, 0) == 7 for name in ("pomona.images", "pomona.images_failed"))
    assert after["pomona.images_per_second"] > 0
    time.sleep(0.5)
    url = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/sql"
    newest = max(sql["id"] for sql in json.load(opener.open(f"{url}?details=false&planDescription=false&length=1000", timeout=120)))
    last = json.load(opener.open(f"{url}/{newest}?details=true&planDescription=true", timeout=120))
    assert "pomona_featurize" in last["planDescription"]
    counted = [m["value"] for node in last["nodes"] if "InArrow" in node["nodeName"] for m in node["metrics"] if m["name"] == "number of output rows"]
    assert counted == ["7"], last["nodes"]
    print("metrics:", after)


def gauges(context, opener):
    found = json.load(opener.open(f"{context.uiWebUrl}/metrics/json", timeout=120))["gauges"]
    return {name.split("AccumulatorSource.")[1]: gauge["value"] for name, gauge in found.items() if "AccumulatorSource.pomona" in name}


def mistakes(spark):
    """Told at once, on the driver."""
    frame = spark.createDataFrame([("a/b.jpg",)], "path string")
    for call, words in (
        (lambda: featurize(frame.withColumnRenamed("path", "p"), model=MODEL), "the columns p; wanted are path"),
        (lambda: featurize(frame, model="/nowhere/net.onnx"), "/nowhere/net.onnx"),
        (lambda: featurize(frame, model=MODEL, label="folder"), "{label}"),
        (lambda: featurize(frame, model=MODEL, vectors="sparse"), "mllib"),
        (lambda: fit_projection(frame.withColumn("features", array(lit(1.0))).where(col("path").isNull())), "no row"),
    ):
        try:
            call()
        except pomona.Error as error:
            assert words in str(error), error
        else:
            raise AssertionError(words)


def main(job, scratch):
    spark = (SparkSession.builder.master("local[2]").config("spark.driver.memory", "1g").config("spark.ui.port", "0").config("spark.ui.showConsoleProgress", "false")
             .config("spark.sql.shuffle.partitions", "2").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    wanted = Wanted(job)
    assert set(wanted.errors) == BAD
    for check, arguments in ((binary_files, [wanted]), (paths_alone, [wanted]), (image_source, [wanted]), (mllib_vectors, [wanted]),
                             (projection, [wanted, job, scratch]), (wide_moments, []), (metrics, []), (mistakes, [])):
        start = time.time()
        check(spark, *arguments)
        ok(f"Spark {pyspark.__version__}: {check.__name__} ({time.time() - start:.1f} s)")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
