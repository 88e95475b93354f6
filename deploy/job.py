"""The Spark job that submit.py runs on a cluster: a folder of images to tables of features, errors and, with --pca, projected features.

usage: spark-submit job.py SRC DEST --model MODEL [--pca K] [--label PATTERN] [--precision NAME]

SRC is a folder in whatever Spark reads, or a table of paths (NAME.parquet, a column `path`), which spares the driver a listing of very
many. DEST gets features.parquet (path, label, features, error: a row for each image), errors.parquet (those that failed) and, with
--pca, pca.parquet and projection.parquet, which `pomona pca --projection` takes. Each is a folder of part files, the projection a file.
"""
import argparse
import json
import time

from pomona.spark import featurize, fit_projection
from pyspark.sql import DataFrame, SparkSession

IMAGES_PER_TASK = 2000  # about ten seconds of a core: what a lost worker costs, and few enough tasks for a billion


def components(text):
    return float(text) if "." in text else int(text)


def arguments():
    parser = argparse.ArgumentParser(description="Images to features with Spark.")
    parser.add_argument("src")
    parser.add_argument("dest")
    parser.add_argument("--model", required=True)
    parser.add_argument("--pca", type=components)
    parser.add_argument("--label", default="{label}/*")
    parser.add_argument("--precision", default="exact", choices=["exact", "bf16"])
    return parser.parse_args()


def paths(spark: SparkSession, src: str) -> DataFrame:
    """A row for each image: the workers read them, many at once, instead of Spark, one after the other."""
    if src.rstrip("/").endswith(".parquet"):
        found = spark.read.parquet(src).select("path")
    else:
        pattern = "*.{jpg,jpeg,png,webp,JPG,JPEG,PNG,WEBP}"
        files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").option("pathGlobFilter", pattern)
        found = files.load(src).select("path")
    tasks = max(spark.sparkContext.defaultParallelism, found.count() // IMAGES_PER_TASK)
    return found.repartition(tasks)


def project(rows: DataFrame, dest: str, k):
    projection = fit_projection(rows, k=k)
    projection.save(f"{dest}/projection.parquet")
    projected = projection.transform(rows.where("error is null").select("path", "label", "features"))
    projected.write.mode("overwrite").parquet(f"{dest}/pca.parquet")


def main():
    options, start = arguments(), time.time()
    spark = SparkSession.builder.appName(f"pomona {options.src}").getOrCreate()
    dest = options.dest.rstrip("/")
    features = featurize(paths(spark, options.src), model=options.model, label=options.label, precision=options.precision)
    features.write.mode("overwrite").parquet(f"{dest}/features.parquet")
    rows = spark.read.parquet(f"{dest}/features.parquet")  # computed once, whatever follows
    errors = rows.where("error is not null").select("path", "error")
    errors.write.mode("overwrite").parquet(f"{dest}/errors.parquet")
    total, failed = rows.count(), errors.count()
    if total == failed:
        raise SystemExit(f"{options.src}: of {total} images none gave features; {dest}/errors.parquet says why")
    if options.pca:
        project(rows, dest, options.pca)
    seconds = time.time() - start
    print(json.dumps({"images": total, "failed": failed, "seconds": round(seconds, 1), "images_per_second": round(total / seconds, 1)}))
    spark.stop()


if __name__ == "__main__":
    main()
