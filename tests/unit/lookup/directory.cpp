// One directory seen from outside: registration with derived passwords and claims, and what it refuses.
#include <bento/lookup/directory.hpp>

#include "../directory/fixture.hpp"

using namespace bento;
using namespace bento::test;

namespace {

constexpr std::string_view secret_text = "owner secret of twenty-two characters";  // whose key() owner_key() gives
const entry::owner_secret& owner() {
    static const auto out = entry::owner_secret::from_text(secret_text).value();
    return out;
}

lookup::directory at(const served_directory& d) {
    lookup::address where;
    where.name = std::string{directory_name};
    where.local = d.road.direct;
    return {where, where.road({}, {"", ""})};
}
time_point soon() { return clock::now() + 60s; }

entry::entry entry_of(const uuid4& of, std::uint64_t seq, std::uint8_t onion = 1) {
    auto out = unsigned_entry(onion);
    out.token = of;
    out.signed_by = entry::authority{.seq = seq, .not_after = now + entry::life};
    sign(out, owner().key(of), onion_key(onion));
    return out;
}

}  // namespace

TEST_CASE("an address names an onion, with a port where it is not 80, or an endpoint of this machine") {
    const auto onion = onion_address(1).host();
    const auto plain = lookup::address::parse(onion).value();
    CHECK(plain.name == onion);
    CHECK(plain.port == 80);
    CHECK_FALSE(plain.local);
    CHECK(plain.str() == onion);
    const auto other = lookup::address::parse(onion + ":8080").value();
    CHECK(other.name == onion);
    CHECK(other.port == 8080);
    CHECK(other.str() == onion + ":8080");
    const auto local = lookup::address::parse("127.0.0.1:4711").value();
    CHECK(local.name == "127.0.0.1:4711");
    CHECK(local.local->port == 4711);
    CHECK(lookup::address::parse("unix:/run/bfd.sock").value().name == "localhost");
    for (const auto* wrong : {"", "example.org", "192.0.2.1:80", "abc.onion", ":80"}) {
        CAPTURE(wrong);
        CHECK(lookup::address::parse(wrong).error().code == lookup::errc::bad_address);
    }
    for (const auto* port : {":", ":0", ":65536", ":80x", "/x", "x"}) {
        CAPTURE(port);
        CHECK(lookup::address::parse(onion + port).error().code == lookup::errc::bad_address);
    }
}

TEST_CASE("what was added is found, replaced in one request, and ended for ever (T20-T22)") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory d{executor};
        auto directory = at(d);
        std::vector<entry::entry> entries, moved;
        std::vector<uuid4> tokens;
        for (int i = 0; i < 20; ++i) {
            tokens.push_back(uuid4::generate());
            entries.push_back(entry_of(tokens.back(), 1, 1));
            moved.push_back(entry_of(tokens.back(), 2, 2));
        }
        const auto before = co_await directory.find(tokens[3], soon());
        CHECK(std::holds_alternative<entry::no_entry>(before.says));
        const auto added = (co_await directory.add(owner(), entries, soon())).value();
        CHECK_FALSE(added);
        auto there = co_await directory.find(tokens[3], soon());
        CHECK(std::get<entry::entry>(there.says).onion == onion_address(1));
        CHECK(entry::verify(std::get<entry::entry>(there.says)).has_value());
        CHECK(std::get<entry::entry>(there.says).code == entries[3].code);

        const auto replaced = (co_await directory.replace(owner(), moved, soon())).value();
        CHECK_FALSE(replaced);
        there = co_await directory.find(tokens[3], soon());
        CHECK(std::get<entry::entry>(there.says).onion == onion_address(2));
        CHECK(std::get<entry::entry>(there.says).code == entries[3].code);

        entry::tombstone dead{.token = tokens[3], .seq = 3};
        sign(dead, owner().key(tokens[3]));
        const std::vector<entry::tombstone> all{dead};
        const auto ended = (co_await directory.end(owner(), all, soon())).value();
        CHECK_FALSE(ended);
        there = co_await directory.find(tokens[3], soon());
        CHECK(entry::verify(std::get<entry::tombstone>(there.says)).has_value());
    });
}

TEST_CASE("a refusal says why, and of which token") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto o = quick_settings();
        o.entries_per_account = 2;
        served_directory d{executor, o};
        auto directory = at(d);
        const auto mine = uuid4::generate(), other = uuid4::generate();
        const std::vector<entry::entry> first{entry_of(mine, 5)};
        const auto added = (co_await directory.add(owner(), first, soon())).value();
        CHECK_FALSE(added);

        const std::vector<entry::entry> again{entry_of(other, 1), entry_of(mine, 6)};
        const auto taken = (co_await directory.add(owner(), again, soon())).value();
        REQUIRE(taken);
        CHECK(taken->why == lookup::errc::taken);
        CHECK(taken->token == mine);

        const std::vector<entry::entry> unknown{entry_of(other, 1)};
        const auto nothing = (co_await directory.replace(owner(), unknown, soon())).value();
        REQUIRE(nothing);
        CHECK(nothing->why == lookup::errc::unknown_token);
        CHECK(nothing->token == other);

        const auto same = (co_await directory.replace(owner(), first, soon())).value();
        CHECK_FALSE(same);  // sent again, it is as it was
        const std::vector<entry::entry> before{entry_of(mine, 4)};
        const auto older = (co_await directory.replace(owner(), before, soon())).value();
        REQUIRE(older);
        CHECK(older->why == lookup::errc::older);
        CHECK(older->token == mine);

        const std::vector<entry::entry> three{entry_of(uuid4::generate(), 1), entry_of(uuid4::generate(), 1),
                                              entry_of(uuid4::generate(), 1)};
        const auto many = (co_await directory.add(owner(), three, soon())).value();
        REQUIRE(many);
        CHECK(many->why == lookup::errc::quota);

        const auto stranger = entry::owner_secret::from_text("somebody else's secret, as long").value();
        const std::vector<entry::entry> theirs{entry_of(mine, 7)};  // signed by our key, sent with another's claim
        const auto forbidden = (co_await directory.replace(stranger, theirs, soon())).value();
        REQUIRE(forbidden);
        CHECK(forbidden->why == lookup::errc::forbidden);

        entry::tombstone dead{.token = mine, .seq = 8};
        sign(dead, owner().key(mine));
        const std::vector<entry::tombstone> all{dead};
        const auto ended = (co_await directory.end(owner(), all, soon())).value();
        CHECK_FALSE(ended);
        const std::vector<entry::entry> revived{entry_of(mine, 9)};
        const auto late = (co_await directory.replace(owner(), revived, soon())).value();
        REQUIRE(late);
        CHECK(late->why == lookup::errc::ended);
        CHECK(late->token == mine);
    });
}

TEST_CASE("what is sent to one directory opens nothing at another (FW7)") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        // The second calls itself by another name, as every other onion does.
        auto o = quick_settings();
        o.name = "other.onion";
        served_directory first{executor}, second{executor, o};
        CHECK_FALSE(owner().password(directory_name) == owner().password("other.onion"));
        auto replayed = at(second);  // sends what was made for the first
        const std::vector<entry::entry> entries{entry_of(uuid4::generate(), 1)};
        const auto refused = (co_await replayed.add(owner(), entries, soon())).value();
        REQUIRE(refused);
        CHECK(refused->why == lookup::errc::forbidden);
    });
}
