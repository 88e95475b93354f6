#!/bin/sh
# usage: headers.sh INCLUDE_DIR CC...    Compiles each public header alone, as C17 and as C++17.
set -eu
include=$1
shift
for header in "$include"/pomona/*.h; do
    name=${header##*/}
    echo "#include <pomona/$name>" | "$@" -std=c17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c -I "$include" -
    if command -v g++ >/dev/null; then
        echo "#include <pomona/$name>" | g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ -I "$include" -
    fi
    echo "$name stands alone"
done
