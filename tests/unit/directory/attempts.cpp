#include "directory/attempts.hpp"

#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

TEST_CASE("wrong passwords have a period, and no more memory than their limit") {
    directory::attempts a;
    const auto start = clock::now();
    for (unsigned i = 0; i < directory::most_attempts; ++i) {
        CHECK(a.must_wait("x", start) == 0s);
        a.failed("x", start + std::chrono::seconds{i});
    }
    CHECK(a.must_wait("x", start + 10s) == 890s);
    CHECK(a.must_wait("y", start + 10s) == 0s);
    CHECK(a.must_wait("x", start + directory::attempt_period) == 0s);
    a.failed("x", start + directory::attempt_period);
    CHECK(a.must_wait("x", start + directory::attempt_period) == 0s);
    a.succeeded("x");
    CHECK(a.size() == 0);
    for (std::size_t i = 0; i < directory::attempts::limit + 100; ++i)
        a.failed("account " + std::to_string(i), start + std::chrono::milliseconds{i});
    CHECK(a.size() == directory::attempts::limit);
}
