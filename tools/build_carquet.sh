#!/bin/sh
# Builds the Parquet library carquet as a static archive into a prefix: tools/build_carquet.sh .deps/carquet
# Its C source comes from the project's sdist on PyPI. Does nothing when the prefix already has this version of this recipe.
set -eu

version=0.7.2
sha256=5d57c00217906e672fe8b569d8a24c6cbd6d1ab7736d56057e9b884f1a043e7d
recipe="carquet $version, recipe 1"

[ $# -eq 1 ] || { echo "usage: $0 PREFIX" >&2; exit 1; }
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
stamp=$prefix/recipe
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$recipe" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary carquet --dest "$work" "carquet==$version"
echo "$sha256  $work/carquet-$version.tar.gz" | sha256sum --check --quiet
tar -xzf "$work/carquet-$version.tar.gz" -C "$work"

# CARQUET_CMAKE: more arguments for cmake, such as those of another machine.
# x86 SIMD is off: its Snappy needs SSSE3 whatever the CPU has, and PLAIN floats are copies that gain nothing from it.
# No build type: carquet's Release adds LTO objects, which only the same compiler could link.
# shellcheck disable=SC2086  # several arguments in one variable
cmake -S "$work/carquet-$version/native" -B "$work/build" -G Ninja --log-level=WARNING ${CARQUET_CMAKE:-} \
    -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O2 -g1 -DNDEBUG -w -ffunction-sections ${CARQUET_CFLAGS:-}" \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_C_VISIBILITY_PRESET=hidden \
    -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib \
    -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DCMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON \
    -DCARQUET_ENABLE_BROTLI=OFF -DCARQUET_BUILD_CLI=OFF \
    -DCARQUET_ENABLE_SSE=OFF -DCARQUET_ENABLE_AVX=OFF -DCARQUET_ENABLE_AVX2=OFF -DCARQUET_ENABLE_AVX512=OFF >/dev/null
cmake --build "$work/build" >/dev/null
cmake --install "$work/build" >/dev/null
cp "$work/carquet-$version"/LICENSE* "$prefix/"
echo "$recipe" >"$stamp"
