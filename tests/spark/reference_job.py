"""The job of the reference notebooks, by their own calls: binaryFile -> label -> MobileNetV2 in a pandas UDF -> StandardScaler -> PCA -> Parquet.

usage: reference_job.py PHOTOS WEIGHTS.h5 OUT K    with .deps/peers/bin/python. Writes OUT/features and OUT/pca.
"""
import io
import os
import sys
from typing import Iterator

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from pyspark.ml.feature import PCA, StandardScaler
from pyspark.ml.functions import array_to_vector
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, element_at, pandas_udf, split
from tensorflow.keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input

photos, weights_file, out, k = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
spark = (SparkSession.builder.master("local[2]").config("spark.driver.memory", "1g").config("spark.ui.enabled", "false")
         .config("spark.sql.shuffle.partitions", "2").getOrCreate())


def network():
    full = MobileNetV2(weights=None, include_top=True, input_shape=(224, 224, 3))
    return tf.keras.Model(full.input, full.layers[-2].output)


loaded = MobileNetV2(weights=weights_file, include_top=True, input_shape=(224, 224, 3))
weights = spark.sparkContext.broadcast(loaded.get_weights()[:-2])


def preprocess(content):
    return preprocess_input(np.asarray(Image.open(io.BytesIO(content)).resize([224, 224]), dtype=np.float32))


@pandas_udf("array<float>")
def featurize(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
    model = network()
    model.set_weights(weights.value)
    for series in batches:
        yield pd.Series(list(model.predict(np.stack(series.map(preprocess).values), verbose=0)))


images = (spark.read.format("binaryFile").option("pathGlobFilter", "*.jpg").option("recursiveFileLookup", "true").load(photos)
          .withColumn("label", element_at(split("path", "/"), -2)))
features = images.coalesce(1).select("path", "label", featurize("content").alias("features")).persist()
features.write.mode("overwrite").parquet(f"{out}/features")
vectors = features.withColumn("vector", array_to_vector(col("features").cast("array<double>")))
scaled = StandardScaler(withMean=True, withStd=True, inputCol="vector", outputCol="scaled").fit(vectors).transform(vectors)
PCA(k=k, inputCol="scaled", outputCol="pca_features").fit(scaled).transform(scaled).select(
    "path", "label", "pca_features").write.mode("overwrite").parquet(f"{out}/pca")
