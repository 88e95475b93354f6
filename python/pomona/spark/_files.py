"""Small files of the driver: local ones, and those of any file system that Spark reaches."""

from __future__ import annotations

from typing import Any


def _hadoop(path: str) -> Any:
    from pyspark.sql import SparkSession

    spark: Any = SparkSession.builder.getOrCreate()
    jvm = spark._jvm
    where = jvm.org.apache.hadoop.fs.Path(path)
    return jvm, where, where.getFileSystem(spark._jsc.hadoopConfiguration())


def write_file(path: str, data: bytes) -> None:
    if "://" not in path:
        with open(path, "wb") as file:
            file.write(data)
        return
    _, where, system = _hadoop(path)
    stream = system.create(where, True)
    stream.write(bytearray(data))
    stream.close()


def read_file(path: str) -> bytes:
    if "://" not in path:
        with open(path, "rb") as file:
            return file.read()
    jvm, where, system = _hadoop(path)
    stream = system.open(where)
    try:
        return bytes(jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
    finally:
        stream.close()
