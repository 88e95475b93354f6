#!/bin/sh
# usage: symbols.sh LIBRARY    Fails where the shared library exports a name without the prefix pom_, or none at all.
set -eu
exported=$(nm -D --defined-only "$1" | awk '{print $3}')
strange=$(printf '%s\n' "$exported" | grep -v '^pom_' || true)
[ -z "$strange" ] || { echo "exported without the prefix pom_: $strange"; exit 1; }
printf '%s\n' "$exported" | grep -q '^pom_version$' || { echo "pom_version is not exported"; exit 1; }
printf '%s\n' "$exported" | wc -l
