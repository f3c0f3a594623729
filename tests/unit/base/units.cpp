#include <bento/base/units.hpp>

#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

TEST_CASE("durations") {
    CHECK(parse_duration("500ms").value() == 500ms);
    CHECK(parse_duration("90s").value() == 90s);
    CHECK(parse_duration("15m").value() == 15min);
    CHECK(parse_duration("7d").value() == 7 * 24h);
    CHECK(parse_duration("0").value() == 0s);
    for (const auto* text : {"", "s", "90", "-1s", "1.5s", "1 s", "1S", "99999999999999999999s", "200000000000d"}) {
        INFO(text);
        CHECK_FALSE(parse_duration(text));
    }
    for (const auto* text : {"500ms", "90s", "15m", "2h", "7d", "0s"})
        CHECK(format_duration(*parse_duration(text)) == text);
}

TEST_CASE("sizes") {
    CHECK(parse_size("64KiB").value() == 65536);
    CHECK(parse_size("1MiB").value() == 1048576);
    CHECK(parse_size("1GiB").value() == 1073741824);
    CHECK(parse_size("17").value() == 17);
    CHECK(parse_size("17B").value() == 17);
    for (const auto* text : {"", "KiB", "1KB", "1k", "-1", "16777216TiB"}) {
        INFO(text);
        CHECK_FALSE(parse_size(text));
    }
}
