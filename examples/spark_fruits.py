#!/usr/bin/env python3
"""The main job on Spark: images -> features -> scaler -> PCA -> Parquet. Prints one line of times.

usage: spark-submit spark_fruits.py SRC_DIR OUT_DIR PCA_K MODEL
"""
import sys
import time

start = time.time()
from pyspark.sql import SparkSession

from pomona.spark import featurize, fit_projection

src, out, k, model = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
spark = SparkSession.builder.appName("fruits").getOrCreate()
images = spark.read.format("binaryFile").option("pathGlobFilter", "*.jpg").option("recursiveFileLookup", "true").load(src)
features = featurize(images.select("path"), model=model).cache()  # a listing: the workers read

started = time.time()
n = features.count()
featurized = time.time()
fit_projection(features, k=k).transform(features).write.mode("overwrite").parquet(out)
ended = time.time()
print(f"spark_fruits images {n} start {started - start:.2f} s features {featurized - started:.2f} s scaler+pca+write {ended - featurized:.2f} s "
      f"total {ended - start:.2f} s")
