#!/bin/sh
# Lays the Python package out as a wheel would, in BUILD/site, to be imported from there.
# usage: stage_python.sh BUILD PYTHON     PYTHON: an interpreter that has pycparser, by its absolute path
set -eu
build=$1
stage=$(realpath "$build")/stage
meson configure "$build" -Dpython="$2"
log=$(ninja -C "$build" 2>&1) || { printf '%s\n' "$log" && exit 1; }
rm -rf "$stage"
meson install -C "$build" --no-rebuild --quiet --tags python --destdir "$stage"
ln -sfn "$(dirname "$(find "$stage" -type d -name pomona -path '*-packages/pomona')")" "$build/site"
