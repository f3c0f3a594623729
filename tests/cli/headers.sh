#!/usr/bin/env bash
# Every public header compiles alone, with every warning.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export scratch
# The compiler's cache, where there is one, makes all but the first time quick.
compiler=(c++)
command -v ccache >/dev/null && compiler=(ccache c++)
export compiler_words="${compiler[*]}"

compile() {
    name=${1//\//_}
    echo "#include <${1#include/}>" >"$scratch/$name.cpp"
    # shellcheck disable=SC2086
    (cd "$scratch" && $compiler_words -std=c++20 -O0 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Wno-missing-field-initializers \
        -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_ASIO_NO_DEPRECATED -I"$top/include" -c "$name.cpp" -o "$name.o") ||
        { echo "FAIL: $1 does not compile alone" >&2; return 1; }
}
export -f compile
export top=$PWD
find include -name '*.hpp' -print0 | xargs -0 -n 1 -P "$(nproc)" bash -c 'compile "$1"' compile
