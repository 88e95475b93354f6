"""Spark MLlib's StandardScaler(withMean, withStd) + PCA on a table of features, against what `pomona pca` made of it.

usage: PYTHON tests/peers/pca_spark.py FEATURES.parquet FOLDER K
PYTHON is that of .deps/peers-spark35 or .deps/peers-spark4; FOLDER holds pca.parquet and projection.parquet with K components.
"""
import pathlib
import sys

import numpy as np
import pyarrow.parquet as pq
import pyspark
from pyspark.ml.feature import PCA, StandardScaler
from pyspark.ml.functions import array_to_vector
from pyspark.sql import SparkSession

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "stats"))
from pca_compare import Projection, assert_same_components, assert_same_rows, lists  # noqa: E402

TOLERANCE = 1e-5


def fit(frame, k):
    scaler = StandardScaler(inputCol="vector", outputCol="scaled", withMean=True, withStd=True).fit(frame)
    scaled = scaler.transform(frame)
    pca = PCA(k=k, inputCol="scaled", outputCol="projected").fit(scaled)
    rows = pca.transform(scaled).select("path", "projected").collect()
    return scaler, pca, {row.path: row.projected.toArray() for row in rows}


def main(features, folder, k):
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "3g").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.read.parquet(features).select("path", array_to_vector("features").alias("vector")).cache()
    scaler, pca, rows = fit(frame, k)
    ours, table = Projection(f"{folder}/projection.parquet"), pq.read_table(f"{folder}/pca.parquet")
    assert ours.k == k
    np.testing.assert_allclose(ours.mean, scaler.mean.toArray(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.std, scaler.std.toArray(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.ratio, pca.explainedVariance.toArray(), rtol=TOLERANCE)
    components = pca.pc.toArray().T
    assert_same_components(ours.components, components, ours.variance, TOLERANCE)
    theirs = np.array([rows[path] for path in table["path"].to_pylist()])
    assert_same_rows(lists(table, "pca_features", np.float64), theirs, ours.variance, TOLERANCE)
    worst = np.abs(ours.components - components * np.sign(np.sum(ours.components * components, 1))[:, None]).max()
    print(f"ok: Spark {pyspark.__version__}, {len(rows)} rows x {ours.d}, k = {k}: components within {worst:.1e}, "
          f"ratios within {np.abs(ours.ratio / pca.explainedVariance.toArray() - 1).max():.1e}")
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
