#!/bin/sh
# Gathers what a cluster's nodes need - wheels, networks, the job - in a folder named for its contents, and puts it in the bucket.
# usage: publish.sh emr|dataproc POMONA.whl DEST [MODEL.onnx]...
#        DEST: s3://BUCKET/deploy, gs://BUCKET/deploy or a folder; the last line is the release to name when a job is submitted
set -eu
[ $# -ge 3 ] || { sed -n 's/^# usage/usage/p;3!d' "$0" >&2; exit 1; }
platform=$1
wheel=$2
dest=${3%/}
shift 3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'publish: %s\n' "$*" >&2
    exit 1
}

# EMR's Python has neither NumPy nor pandas nor pyarrow for Spark's Arrow functions; Dataproc's has them.
dependencies() {
    "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --only-binary :all: --no-deps --python-version 3.9 \
        --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 --require-hashes -r "$here/emr/requirements.txt" --dest "$1"
}

[ -f "$wheel" ] || fail "there is no $wheel: make wheel builds it"
mkdir "$work/release"
case $platform in
emr) dependencies "$work/release" ;;
dataproc) cp "$here/dataproc/init.sh" "$work/release" ;;
*) fail "'$platform' is neither emr nor dataproc" ;;
esac
cp "$wheel" "$here/install.sh" "$here/job.py" "$work/release"
[ $# -eq 0 ] || cp "$@" "$work/release"

(cd "$work/release" && sha256sum -- * >"$work/SHA256SUMS")
mv "$work/SHA256SUMS" "$work/release"
sum=$(sha256sum "$work/release/SHA256SUMS")
version=$(basename "$wheel" | cut -d- -f2)
release=$dest/pomona-$version-${sum%% *}
case $dest in
s3://*) aws s3 cp --recursive --only-show-errors "$work/release" "$release" ;;
gs://*) gcloud storage cp --quiet "$work/release/*" "$release/" ;;
*) mkdir -p "$release" && cp "$work/release"/* "$release" ;;
esac
echo "$release"
