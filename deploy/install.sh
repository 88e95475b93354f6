#!/bin/sh
# Puts a release that publish.sh made on this machine, in seconds and without the internet: /opt/pomona/venv/bin/python is the cluster's
# Python with Pomona, /opt/pomona/models holds the networks. EMR runs it as a bootstrap action, Dataproc by dataproc/init.sh.
# usage: install.sh s3://BUCKET/deploy/pomona-VERSION-SHA256|gs://...|FOLDER [PYTHON]
#        POMONA_ROOT: another place than /opt/pomona
set -eu
release=${1%/}
python=${2:-python3}
root=${POMONA_ROOT:-/opt/pomona}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

fetch() {
    case $1 in
    s3://*) aws s3 cp --recursive --only-show-errors "$1" "$2" ;;
    gs://*) mkdir -p "$2" && gcloud storage cp --quiet "$1/*" "$2" ;;
    *) cp -R "$1" "$2" ;;
    esac
}

# The folder's name ends with the SHA-256 of its list of SHA-256s, so that whoever names a release has named every byte of it.
check() {
    [ -f "$1/SHA256SUMS" ] || fail "$release holds no SHA256SUMS: give the folder that publish.sh printed"
    sum=$(sha256sum "$1/SHA256SUMS")
    [ "${sum%% *}" = "${release##*-}" ] || fail "$release/SHA256SUMS is not the one that the folder is named for: publish anew"
    (cd "$1" && sha256sum --check --quiet --strict SHA256SUMS) || fail "$release was changed after it was published: publish anew"
}

own() {
    mkdir -p "$1" 2>/dev/null && [ -w "$1" ] && return
    sudo mkdir -p "$1"
    sudo chown "$(id -u):$(id -g)" "$1"
}

fetch "$release" "$work/release"
check "$work/release"
own "$root"
"$python" -m venv --clear --system-site-packages "$root/venv"
# What is not on the list is not installed.
sed -n 's/^[0-9a-f]* [ *]\(.*\.whl\)$/\1/p' "$work/release/SHA256SUMS" >"$work/wheels"
(cd "$work/release" && xargs "$root/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-index --no-deps <"$work/wheels")
mkdir -p "$root/models"
find "$work/release" -name '*.onnx' -exec cp -f {} "$root/models" \;
chmod -R a+rX "$root"
"$root/venv/bin/python" -c 'import pomona; print("install: pomona", pomona.__version__)'
