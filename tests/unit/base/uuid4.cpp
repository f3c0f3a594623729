#include <bento/base/uuid4.hpp>
#include <set>

#include "test.hpp"

using namespace bento;

TEST_CASE("T29: a uuid4 is made of the randomness it is given, with version and variant set") {
    const auto id = uuid4::generate([](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), 0xff); });
    CHECK(id.text() == "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST_CASE("T29: 10,000 generated uuid4 differ and are accepted") {
    std::set<std::string> seen;
    for (int i = 0; i < 10'000; ++i) {
        const auto id = uuid4::generate();
        REQUIRE(uuid4::parse(id.text()));
        seen.insert(id.str());
    }
    CHECK(seen.size() == 10'000);
}

TEST_CASE("what is no uuid4 is refused, with the reason") {
    const auto why = [](std::string_view text) {
        const auto parsed = uuid4::parse(text);
        return parsed ? std::string{} : parsed.error().detail;
    };
    CHECK(why("0b88a643-5ab1-443c-a5fb-fb115ec2b4eb").empty());
    CHECK(why("0b88a643-5ab1-143c-a5fb-fb115ec2b4eb") == "a uuid4 has version 4");
    CHECK(why("0b88a643-5ab1-543c-a5fb-fb115ec2b4eb") == "a uuid4 has version 4");
    CHECK(why("0b88a643-5ab1-443c-75fb-fb115ec2b4eb") == "a uuid4 has variant 10");
    CHECK(why("0b88a643-5ab1-443c-c5fb-fb115ec2b4eb") == "a uuid4 has variant 10");
    CHECK(why("00000000-0000-0000-0000-000000000000") == "a uuid4 has version 4");
    const auto grouping = "a uuid4 is lower-case hexadecimal in groups of 8-4-4-4-12";
    CHECK(why("0B88a643-5ab1-443c-a5fb-fb115ec2b4eb") == grouping);
    CHECK(why("0b88a643a5ab1-443c-a5fb-fb115ec2b4eb") == grouping);
    CHECK(why("../8a643-5ab1-443c-a5fb-fb115ec2b4eb") == grouping);
    const auto length = "a uuid4 has 36 characters";
    CHECK(why("{0b88a643-5ab1-443c-a5fb-fb115ec2b4eb}") == length);
    CHECK(why("0b88a6435ab1443ca5fbfb115ec2b4eb") == length);
    CHECK(why("0b88a643-5ab1-443c-a5fb-fb115ec2b4eb0") == length);
    CHECK(why("") == length);
}
