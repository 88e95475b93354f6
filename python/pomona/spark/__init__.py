"""Pomona on Apache Spark: frames of images become frames of features, and their moments a scaler and a PCA.

>>> from pomona.spark import featurize, fit_projection
>>> images = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load("s3a://photos/fruits")
>>> features = featurize(images, model="mobilenetv2")        # path, label, features, error
>>> fit_projection(features, k=0.90).transform(features).write.parquet("s3a://tables/pca")

Spark 3.4 or newer, with pyarrow; Pomona has to be installed on every node. docs/spark.md says more.
"""

from ._features import featurize
from ._projection import Projection, fit_projection

__all__ = ["Projection", "featurize", "fit_projection"]
