#!/bin/sh
# Makes a wheel of the Python package that runs wherever glibc is 2.28 or newer, with everything in it: the library, the program,
# the default model, what it is made of (SBOM) and the licences. The same sources give the same bytes.
# usage: wheel.sh OUT_DIR [x86_64|aarch64]
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { echo "usage: tools/wheel.sh OUT_DIR [x86_64|aarch64]" >&2 && exit 1; }
mkdir -p "$1"
out=$(realpath "$1")
machine=${2:-$(uname -m)}
build=$PWD/build-wheel-$machine
python=$PWD/.deps/wheel-venv/bin/python
root=$PWD/.deps/wheel/$machine
pkgconfig=$root/usr/lib/$machine-linux-gnu/pkgconfig
tools/deps.sh wheel "$machine"

# Everything is a cross build, also for this machine: nothing of the system may get in.
mkdir -p "$build.work"
cat >"$build.work/machine.ini" <<END
[binaries]
c = '$PWD/tools/wheel_cc.sh'
ar = 'ar'
strip = 'true'
pkg-config = 'pkg-config'
[built-in options]
c_link_args = ['-L$root/usr/lib/$machine-linux-gnu']
[properties]
pkg_config_libdir = '$pkgconfig'
sys_root = '$root'
needs_exe_wrapper = true
[host_machine]
system = 'linux'
cpu_family = '$machine'
cpu = '$machine'
endian = 'little'
END
export POMONA_WHEEL="$machine" SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 315532800)}"
rm -rf "$build.work/raw"
PATH=$PWD/.deps/wheel-venv/bin:$PATH "$python" -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$build.work/raw" \
    -Cbuilddir="$build" -Csetup-args=--cross-file="$build.work/machine.ini" -Csetup-args=-Dprefer_static=true -Csetup-args=-Dwerror=false \
    -Csetup-args=--prefix=/usr/local .
"$python" tools/wheel_finish.py "$build.work"/raw/*.whl "$root" "manylinux_2_28_$machine" "$out"
