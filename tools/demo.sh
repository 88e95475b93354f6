#!/bin/sh
# The main job on real photographs that any Debian machine can get by name (package tuxpaint-stamps-default), then a
# picture of its 2-D PCA.
# usage: tools/demo.sh POMONA OUT
set -eu
pomona=$1
out=$2
photos=/usr/share/tuxpaint/stamps

"$pomona" features $photos/food $photos/plants $photos/animals -o "$out" --pca 2
"$pomona" pca "$out/features.parquet" -o "$out/csv" --pca 2 --format csv --quiet
awk -f "$(dirname "$0")/scatter.awk" "$out/csv/pca.csv" >"$out/pca.svg"

echo
echo "Tables: $out/features.parquet  $out/pca.parquet  $out/projection.parquet  $out/errors.parquet"
echo "Receipt: $out/run.json   Picture of the 2-D PCA: $out/pca.svg"
