#!/usr/bin/env python3
"""Writes the seeds of fuzz_manifest into the folder beside it: manifests as jobs leave them, and as somebody might forge them."""
import sqlite3
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
ITEM = ("CREATE TABLE item(path BLOB PRIMARY KEY, size INTEGER, version TEXT, failed INTEGER, cause TEXT, place INTEGER, record INTEGER)"
        " WITHOUT ROWID")
NOTE = "CREATE TABLE note(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"
PRECISION = "int8 64 64\nint8 0.9991 0.9802\nbf16 0.99999 0.9999"


def rows(*changes):
    return [dict(zip(("path", "size", "version", "failed", "cause", "place", "record"),
                     (b"photos/%d.jpg" % i, 1000 + i, "1763742794.5", 0, "", 1 + i % 2, i))) | (changes[i] if i < len(changes) else {})
            for i in range(4)]


def write(name, items, *more):
    (FOLDER / name).unlink(missing_ok=True)
    db = sqlite3.connect(FOLDER / name, isolation_level=None)
    for sql in ("PRAGMA page_size = 512", ITEM, NOTE, *more):
        db.execute(sql)
    db.executemany("INSERT INTO item VALUES (:path, :size, :version, :failed, :cause, :place, :record)", items)
    db.execute("INSERT INTO note VALUES ('precision', ?), ('calibration', ?)", (PRECISION, b"\0\1\2"))
    db.close()


FOLDER.mkdir(exist_ok=True)
write("as-it-is", rows())
write("failed", rows({"failed": 3, "cause": "truncated", "place": 0}))
write("paths-with-nul", [dict(rows()[0], path=b"a\0%03d" % i) for i in range(300)])
write("record-below-zero", rows({"record": -5}))
write("unknown-place", rows({"place": 7, "failed": -1}))
write("texts-and-nulls", rows({"path": "text.jpg", "version": None, "size": "many"}))
write("trigger", rows(), "CREATE TRIGGER t AFTER INSERT ON item BEGIN DELETE FROM item; END")
(FOLDER / "run.json").write_text(
    '{"model": {"name": "pixels", "file": null, "sha256": null, "output_layer": "pixels", "width": 16, "height": 16}, "settings": {'
    '"sources": ["photos/"], "resize": "bicubic", "preprocess": "none", "format": "parquet"}, "precision": {"used": "exact"},'
    ' "counts": {"rows": 4}}')
(FOLDER / "run-sources.json").write_text((FOLDER / "run.json").read_text().replace('["photos/"]', '"photos/"'))
