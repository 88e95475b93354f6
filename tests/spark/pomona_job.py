"""The same job with Pomona, as docs/spark.md has it.   usage: pomona_job.py PHOTOS MODEL.onnx OUT K"""
import sys

from pyspark.sql import SparkSession

from pomona.spark import featurize, fit_projection

photos, model, out, k = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
spark = (SparkSession.builder.master("local[2]").config("spark.driver.memory", "1g").config("spark.ui.enabled", "false")
         .config("spark.sql.shuffle.partitions", "2").getOrCreate())

images = spark.read.format("binaryFile").option("pathGlobFilter", "*.jpg").option("recursiveFileLookup", "true").load(photos)
features = featurize(images, model=model).cache()
features.write.mode("overwrite").parquet(f"{out}/features")
fit_projection(features, k=k).transform(features).write.mode("overwrite").parquet(f"{out}/pca")
