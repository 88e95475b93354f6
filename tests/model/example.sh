#!/bin/sh
# usage: example.sh FEATURIZE MAKE_KERAS_FIXTURE POMONA SOURCE_ROOT    The example on three pictures.
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
lines=$(wc -l <"$4/examples/featurize.c")
[ "$lines" -lt 60 ] || { echo "the example has $lines lines"; exit 1; }
"$2" "$folder/net.h5"
"$3" model import "$folder/net.h5" -o "$folder/net.onnx"
images="$4/tests/image/golden/files"
"$1" "$folder/net.onnx" "$images"/jpeg-420.jpg "$images"/jpeg-gray.jpg "$images"/jpeg-420.jpg | tee "$folder/out"
[ "$(wc -l <"$folder/out")" = 3 ]
[ "$(sed -n 1p "$folder/out")" = "$(sed -n 3p "$folder/out")" ] || { echo "the same picture lies in two places"; exit 1; }
if "$1" "$folder/net.onnx" "$4/meson.build" "$images"/jpeg-gray.jpg 2>"$folder/err"; then
    echo "a text file passed for a picture"
    exit 1
fi
grep -q 'featurize: ' "$folder/err"
