#!/bin/sh
# The compiler of a wheel: gcc compiles as in any build, and zig links, against the interface of glibc 2.28 and static archives, so
# that the result asks for nothing newer and nothing else.
# usage: POMONA_WHEEL=x86_64|aarch64 wheel_cc.sh ARGUMENTS of gcc
here=$(dirname "$(dirname "$(realpath "$0")")")
root=$here/.deps/wheel/$POMONA_WHEEL
lib=$root/usr/lib/$POMONA_WHEEL-linux-gnu
gcc=gcc
[ "$POMONA_WHEEL" = "$(uname -m)" ] || gcc=$POMONA_WHEEL-linux-gnu-gcc
command -v ccache >/dev/null && ccache=ccache
for argument; do
    case $argument in
    -c | -E | -S | --version | -dump* | -print* | -v) exec ${ccache:-} "$gcc" "$@" "-ffile-prefix-map=$here=." ;;
    esac
done
# What pkg-config does not tell of static archives; while those are being made there is nothing to tell.
[ ! -f "$root/recipe" ] || set -- "$@" "$root/glibc.o" -L"$lib" -lspng -lcurl -lssl -lcrypto -lhdf5_serial -lsz -laec -lzstd -llz4 -lz -lopenblas \
    -lgfortran "$(cat "$root/more")" -lgcc_eh -Wl,-z,defs -Wl,--gc-sections -s
exec "$here/.deps/wheel-venv/bin/python" -m ziglang cc -target "$POMONA_WHEEL-linux-gnu.2.28" "$@"
