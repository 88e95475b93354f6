#!/bin/sh
# What a wheel links, as static archives in .deps/wheel/MACHINE: Debian's own where it has one; libspng, of which it has none, libcurl,
# whose own drags in what Pomona never uses, and carquet are built from source. usage: wheel_libraries.sh x86_64|aarch64
set -eu
cd "$(dirname "$0")/.."
machine=${1:?usage: wheel_libraries.sh x86_64|aarch64}
case $machine in x86_64) arch=amd64 more=lib/x86_64-linux-gnu/libquadmath.a ;; aarch64) arch=arm64 more=lib/aarch64-linux-gnu/libgcc.a ;; *) echo "no such machine: $machine" >&2 && exit 1 ;; esac
archives="libjpeg62-turbo-dev libwebp-dev libprotobuf-c-dev libopenblas-pthread-dev liblapacke-dev libjansson-dev libsqlite3-dev
    libexpat1-dev zlib1g-dev libzstd-dev liblz4-dev libssl-dev libhdf5-dev libaec-dev libgfortran-12-dev libgcc-12-dev"
root=$PWD/.deps/wheel/$machine
work=$root.work
lib=$root/usr/lib/$machine-linux-gnu
recipe=$(cat tools/wheel_libraries.sh tools/wheel_glibc.c tools/build_carquet.sh | sha256sum)
[ -f "$root/recipe" ] && [ "$(cat "$root/recipe")" = "$recipe" ] && exit 0
export POMONA_WHEEL="$machine"
cc=$PWD/tools/wheel_cc.sh

# apt's lists are kept apart, so that the system's architectures and sources stay as they are.
fetch() {
    rm -rf "$root" "$work"
    mkdir -p "$root" "$work/lists/partial" "$work/cache/archives/partial"
    sed 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources >"$work/debian.sources"
    set -- -qq -o APT::Architectures::="$arch" -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
        -o Dir::Etc::sourceparts=/nonexistent -o Dir::Etc::sourcelist="$work/debian.sources"
    cd "$work"
    apt-get "$@" update
    # shellcheck disable=SC2046,SC2086
    apt-get "$@" download $(printf "%s:$arch " $archives)
    apt-get "$@" source curl libspng >/dev/null 2>&1
    cd - >/dev/null
}

# Only archives, under the names that compiler and pkg-config ask for.
unpack() {
    for package in "$work"/*.deb; do
        dpkg -x "$package" "$root"
        # shellcheck disable=SC2016  # dpkg-deb's own names
        dpkg-deb --showformat='${source:Package} ${source:Version} ${Package}\n' -W "$package" >>"$root/packages"
    done
    for source in "$work"/*.dsc; do
        sed -n 's/^Source: //p; s/^Version: //p' "$source" | sed '/^-----/q' | head -2 | tr '\n' ' ' >>"$root/packages"
        echo source >>"$root/packages"
    done
    mkdir -p "$root/copyrights"
    cp /usr/share/doc/gcc-12-base/copyright "$root/copyrights/gcc-12"
    for source in curl libspng; do
        cp "$work/$source"-*/debian/copyright "$root/copyrights/$source"
    done
    find "$root" -name '*.so*' -delete
    rm -rf "$lib/cmake" "$root/usr/lib/cmake"
    cp -r "$root/usr/include/$machine-linux-gnu/." "$root/usr/include/"
    cp "$lib"/openblas-pthread/libopenblasp-*.a "$lib/libopenblas.a"
    cp "$root"/usr/lib/gcc*/"$machine"-linux-gnu/12/libg*.a "$root"/usr/lib/gcc*/"$machine"-linux-gnu/12/libq*.a "$lib/" 2>/dev/null || true
    cp "$lib/pkgconfig/hdf5-serial.pc" "$lib/pkgconfig/hdf5.pc"
    sed -i '/^Requires.private/d' "$lib/pkgconfig/lapacke.pc"
    sed -e '/^Libs.private/d' -e "s|openblas-pthread/*\$||" "$lib/openblas-pthread/pkgconfig/openblas.pc" >"$lib/pkgconfig/openblas.pc"
    cp "$root/usr/include/$machine-linux-gnu/openblas-pthread/"* "$root/usr/include/"
    echo "$root/usr/$more" >"$root/more"
}

# For pkg-config. usage: describe PACKAGE LIBRARIES VERSION
describe() {
    printf 'Name: %s\nDescription: %s\nVersion: %s\nLibs: -L/usr/lib/%s-linux-gnu -l%s\nCflags: -I/usr/include\n' \
        "$1" "$1" "$3" "$machine" "$2" >"$lib/pkgconfig/$1.pc"
}

# See tools/wheel_glibc.c.
fit_glibc() {
    "$cc" -O2 -fPIC -fvisibility=hidden -c tools/wheel_glibc.c -o "$root/glibc.o"
    for name in libjpeg libzstd libhdf5_serial libjansson; do
        "$objcopy" --redefine-sym stdin=pom_stdin --redefine-sym stdout=pom_stdout --redefine-sym stderr=pom_stderr "$lib/$name.a"
    done
}

spng() {
    "$cc" -O2 -fPIC -fvisibility=hidden -I"$root/usr/include" -c "$work"/libspng-*/spng/spng.c -o "$work/spng.o"
    ar rcs "$lib/libspng.a" "$work/spng.o"
    cp "$work"/libspng-*/spng/spng.h "$root/usr/include/"
    describe spng spng 0.7.3
}

# HTTP and TLS alone. Where a machine keeps its authorities is found out at run time.
curl() {
    cmake -S "$work"/curl-* -B "$work/curl" -G Ninja --log-level=ERROR -DCMAKE_C_COMPILER="$cc" -DCMAKE_SYSTEM_NAME=Linux \
        -DCMAKE_SYSTEM_PROCESSOR="$machine" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O2 -fPIC -fvisibility=hidden -ffunction-sections -w" \
        -DCMAKE_FIND_ROOT_PATH="$root" -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
        -DCMAKE_TRY_COMPILE_TARGET_TYPE=EXECUTABLE -DCMAKE_LIBRARY_ARCHITECTURE="$machine-linux-gnu" \
        -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF -DHTTP_ONLY=ON -DCURL_USE_LIBSSH2=OFF \
        -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF -DUSE_NGHTTP2=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF \
        -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_CA_FALLBACK=ON -DHAVE_POSIX_STRERROR_R=0 -DHAVE_GLIBC_STRERROR_R=1 \
        -DOPENSSL_ROOT_DIR="$root/usr" -DOPENSSL_INCLUDE_DIR="$root/usr/include" -DOPENSSL_CRYPTO_LIBRARY="$lib/libcrypto.a" -DOPENSSL_SSL_LIBRARY="$lib/libssl.a" \
        -DZLIB_INCLUDE_DIR="$root/usr/include" -DZLIB_LIBRARY="$lib/libz.a" -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR="lib/$machine-linux-gnu" >/dev/null
    cmake --build "$work/curl" >"$work/curl.log" || { tail -50 "$work/curl.log" >&2 && exit 1; }
    DESTDIR="$root" cmake --install "$work/curl" >/dev/null
    describe libcurl curl 7.88.1
}

carquet() {
    CC="$cc" CARQUET_CMAKE="-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=$machine -DCMAKE_FIND_ROOT_PATH=$root -DCMAKE_LIBRARY_ARCHITECTURE=$machine-linux-gnu" \
        tools/build_carquet.sh "$work/carquet"
    cp "$work/carquet/lib/libcarquet.a" "$lib/"
    cat "$work"/carquet/LICENSE* >"$root/copyrights/carquet"
    cp -r "$work/carquet/include/." "$root/usr/include/"
    describe carquet 'carquet -lzstd -lz -llz4' 0.7.2
}

objcopy=objcopy
[ "$machine" = "$(uname -m)" ] || objcopy=$machine-linux-gnu-objcopy
fetch
unpack
fit_glibc
spng
curl
carquet
rm -rf "$work"
echo "$recipe" >"$root/recipe"
