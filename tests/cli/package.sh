#!/usr/bin/env bash
# What is installed is whole: the README's example is built against it, by CMake and by pkg-config, and publishes an onion.
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
top=$(realpath "$(dirname "$0")/../..")
build=$(realpath "$(dirname "$BENTOCTL")")
cd "$SCRATCH"

cmake --install "$build" --prefix "$SCRATCH/prefix" >"$SCRATCH/install.out"
[[ -x prefix/bin/bentoctl && -f prefix/share/man/man1/bentoctl.1 && -f prefix/share/man/man5/bentoctl.toml.5 ]] ||
    fail "not installed: $(cat "$SCRATCH/install.out")"
is "it runs from there" "$("$build/bentoctl" --version)" "$(prefix/bin/bentoctl --version)"
grep -rlE "$top|$build" prefix --include='*.cmake' --include='*.pc' --include='*.hpp' && fail "the build's paths are installed"

mkdir example
sed -n '/^```cpp$/,/^```$/p' "$top/README.md" | grep -v '^```' >example/example.cpp
[[ $(wc -l <example/example.cpp) -ge 20 ]] || fail "no example in the README"
cat >example/CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.25)
project(example CXX)
find_package(bento 0.1 REQUIRED)
foreach(program example with_mock)
    add_executable(${program} ${program}.cpp)
    target_link_libraries(${program} PRIVATE bento::tor)
endforeach()
C
cat >example/with_mock.cpp <<'C'
#include <bento/tor/mock.hpp>
#include <bento/tor/onion_services.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>
using namespace bento;
using namespace std::chrono_literals;

asio::awaitable<void> test(asio::any_io_executor executor) {
    tor::mock_tor tor{executor};
    auto control = tor::controller::attach(tor.connect());
    tor::onion_services onions{executor};
    (co_await onions.prepare(control)).value();
    tor::onion_service web{onion::secret_key::generate()};
    web.target = endpoint::tcp("127.0.0.1", 8080);
    const auto address = (co_await onions.add(std::move(web), clock::now() + 5s)).value();
    tor.publish(address);
    const auto published = co_await onions.wait_published(address, tor::publication::wait::all, clock::now() + 5s);
    std::cout << published.value().confirmed << " of " << published.value().expected << '\n';
}

int main() {
    asio::io_context context;
    asio::co_spawn(context, test(context.get_executor()), asio::detached);
    context.run();
}
C
cmake -G Ninja -S example -B by-cmake -DCMAKE_PREFIX_PATH="$SCRATCH/prefix" -DCMAKE_BUILD_TYPE=Debug >cmake.out 2>&1 || fail "find_package"
cmake --build by-cmake >build.out 2>&1 || fail "find_package: the example does not build"

is "a program that is tested without tor" "6 of 6" "$(timeout 20 by-cmake/with_mock)"

pc=$(dirname "$(find prefix -name bento.pc)")
read -ra flags <<<"$(PKG_CONFIG_PATH=$SCRATCH/$pc pkg-config --cflags --libs bento)"
c++ -std=c++20 example/example.cpp "${flags[@]}" -o by-pkg-config >pkg-config.out 2>&1 || fail "pkg-config: the example does not build"

for example in by-cmake/example ./by-pkg-config; do
    rm -f "$SCRATCH/published.out"  # else the one before it may be read
    "$example" "$HOST_CONTROL" >"$SCRATCH/published.out" 2>"$SCRATCH/published.err" &
    children+=("$!")
    wait_for 60 eval "has_lines 1 'onion$' '$SCRATCH/published.out' || gone $!"
    onion=$(cat "$SCRATCH/published.out")
    status 0 "$build/bentoctl" onion fetch "$onion" --control "$CLIENT_CONTROL" --timeout 30s
    kill "$!"
done
