#include <bento/base/encoding.hpp>
#include <boost/json.hpp>

#include "entries.hpp"

using namespace bento;
using namespace bento::test;
namespace json = boost::json;

namespace {

std::string problem_of(const json::object& o) {
    const auto e = entry::entry_from_json(o);
    return e ? "" : e.error().detail;
}

}  // namespace

TEST_CASE("an entry and its JSON are the same thing") {
    for (const auto& e : {unsigned_entry(), signed_entry(7)}) {
        const auto back = entry::entry_from_json(entry::to_json(e));
        REQUIRE(back);
        CHECK(entry::to_json(*back) == entry::to_json(e));
        CHECK(entry::verify(*back));
        const auto without_code = entry::entry_from_json(entry::to_json(e, false));
        REQUIRE(without_code);
        CHECK_FALSE(without_code->code);
        CHECK(without_code->code_sha256 == e.code_sha256);
        CHECK(entry::verify(*without_code));
    }
    const auto t = entry::tombstone_from_json(entry::to_json(ended(3)));
    REQUIRE(t);
    CHECK(entry::to_json(*t) == entry::to_json(ended(3)));
    CHECK(entry::verify(*t));
}

TEST_CASE("whatever is changed of what was signed, no signature holds") {
    const auto change = [](auto how) {
        auto e = signed_entry(7);
        how(e);
        return entry::verify(e);
    };
    CHECK(change([](entry::entry&) {}));
    CHECK_FALSE(change([](entry::entry& e) { e.token = uuid4::generate(); }));
    CHECK_FALSE(change([](entry::entry& e) { e.name += "x"; }));
    CHECK_FALSE(change([](entry::entry& e) { *e.code += "#"; }));
    CHECK_FALSE(change([](entry::entry& e) {
        *e.code += "#";
        e.code_sha256 = entry::sha256(*e.code);
    }));
    CHECK_FALSE(change([](entry::entry& e) { e.onion = onion::address::of(onion_key(2).public_key()); }));
    CHECK_FALSE(change([](entry::entry& e) { e.signed_by->seq++; }));
    CHECK_FALSE(change([](entry::entry& e) { e.signed_by->not_after += std::chrono::days{1}; }));
    CHECK_FALSE(change([](entry::entry& e) { e.signed_by->ask_first = true; }));
    CHECK_FALSE(change([](entry::entry& e) { e.signed_by->owner = owner_key("thief").public_key(); }));
    CHECK_FALSE(change([](entry::entry& e) { std::swap(e.signed_by->by_owner, e.signed_by->by_onion); }));
    auto t = ended(3);
    t.seq = 4;
    CHECK_FALSE(entry::verify(t));
}

TEST_CASE("FW7: the thief of an onion key, or of the owner's, cannot sign alone") {
    auto stolen_onion = signed_entry(8, 1, "thief");
    stolen_onion.signed_by->owner = owner_key().public_key();
    CHECK(entry::verify(stolen_onion).error().detail == "by the owner's key");
    auto foreign_onion = unsigned_entry(2);
    foreign_onion.signed_by = entry::authority{.seq = 8, .not_after = now};
    sign(foreign_onion, owner_key(), onion_key(1));
    CHECK(entry::verify(foreign_onion).error().detail == "by the onion's key");
}

TEST_CASE("the members' order and lengths cannot be shifted into one another") {
    auto a = signed_entry(1), b = signed_entry(1);
    a.name = "ab";
    b.name = "a";
    CHECK(entry::signed_bytes(a) != entry::signed_bytes(b));
    // What is signed is a contract with every client that exists.
    auto fixed = signed_entry(7);
    fixed.signed_by->ask_first = true;
    CHECK(hex_encode(entry::sha256(entry::signed_bytes(fixed))) ==
          "7091e5ac6f03fb45cc50fcc220737d9bc61b83bbc7db464a000a5a2e29a3f1c8");
    CHECK(entry::signed_bytes(fixed).starts_with(std::string_view{"bentoctl/entry/v1\0\0\0\0\x24", 22}));
}

TEST_CASE("a wrong member is named") {
    const auto with = [](const char* name, const json::value& v) {
        auto o = entry::to_json(signed_entry(7));
        o[name] = v;
        return problem_of(o);
    };
    const auto without = [](const char* name) {
        auto o = entry::to_json(signed_entry(7));
        o.erase(name);
        return problem_of(o);
    };
    CHECK(without("token") == "\"token\": missing");
    CHECK(with("token", "x") == "\"token\": a uuid4 has 36 characters");
    CHECK(with("token", 4) == "\"token\": expected a string");
    CHECK(with("name", std::string(257, 'a').c_str()).starts_with("\"name\": "));
    CHECK(with("name", "a\nb").starts_with("\"name\": "));
    CHECK(with("onion", "example.onion").starts_with("\"onion\": "));
    CHECK(with("code_sha256", "ab").starts_with("\"code_sha256\": expected 64"));
    CHECK(with("seq", -1).starts_with("\"seq\": "));
    CHECK(with("seq", 1.5).starts_with("\"seq\": "));
    CHECK(with("seq", std::uint64_t{1} << 53).starts_with("\"seq\": "));
    CHECK(with("not_after", "2026-02-30").starts_with("\"not_after\": a day"));
    CHECK(with("not_after", "2026-11-25T00:00").starts_with("\"not_after\": a day"));
    CHECK(with("ask_first", 1).starts_with("\"ask_first\": "));
    CHECK(with("owner_signature", "AAAA").starts_with("\"owner_signature\": "));
    CHECK(without("onion_signature").starts_with("\"onion_signature\": "));
    CHECK(without("owner").starts_with("\"owner\": "));
    CHECK(problem_of(entry::to_json(unsigned_entry())) == "");
}

TEST_CASE("a day is a UTC day, whole") {
    CHECK(entry::to_text(now) == "2026-11-25");
    CHECK(entry::parse_day("2026-11-25").value() == now);
    CHECK(entry::parse_day("2028-02-29"));
    CHECK_FALSE(entry::parse_day("2026-13-01"));
    CHECK_FALSE(entry::parse_day("2026-1-1"));
    CHECK(entry::check_day(signed_entry(1, 1, "owner", now), now));
    CHECK(entry::check_day(signed_entry(1, 1, "owner", now), now + std::chrono::days{1}).error().code ==
          entry::errc::expired);
    CHECK(entry::check_day(signed_entry(1, 1, "owner", now + std::chrono::days{32}), now).error().code ==
          entry::errc::too_long_lived);
    CHECK(entry::check_day(unsigned_entry(), now));
}
