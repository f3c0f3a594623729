// What is to be registered where, kept over a crash.
#include <host/registration_journal.hpp>

#include <bento/base/file.hpp>

#include "entries.hpp"
#include "temporary_directory.hpp"

using namespace bento;
using namespace bento::test;

namespace {

host::registration some(std::uint64_t seq) {
    host::registration out{"hello", entry::sha256("code"), true, onion_address(1)};
    out.seq = seq;
    out.not_after = now;
    return out;
}

}  // namespace

TEST_CASE("a journal is read as it was written") {
    temporary_directory folder;
    const auto file = folder.path() / "registrations.json";
    CHECK(host::load_journal(file).value().empty());
    host::registration_journal journal;
    auto& r = journal.emplace(token, some(7)).first->second;
    r.ask_first = true;
    r.at["one.onion"].acknowledged = 6;
    r.at["two.onion"].refused = "taken";
    r.at["three.onion"];
    auto& dead = journal.emplace(uuid4::generate(), some(2)).first->second;
    dead.ended = true;
    dead.with_code = false;
    REQUIRE(host::save_journal(file, journal));
    CHECK(host::load_journal(file).value() == journal);
}

TEST_CASE("a damaged journal is told and left as it is") {
    temporary_directory folder;
    const auto file = folder.path() / "registrations.json";
    REQUIRE(host::save_journal(file, {{token, some(1)}}));
    const auto text = read_file(file, 1 << 20).value();
    for (std::size_t size = 0; size + 2 < text.size(); ++size) {
        CAPTURE(size);
        REQUIRE(write_file(file, text.substr(0, size)));
        CHECK(host::load_journal(file).error().code == host::errc::state);
    }
    REQUIRE(write_file(file, R"({"form":2,"functions":{}})"));
    CHECK(host::load_journal(file).error().message().find("another version") != std::string::npos);
}

TEST_CASE("what a directory lacks follows from what it has acknowledged") {
    host::registration_journal journal;
    auto& r = journal.emplace(token, some(3)).first->second;
    const auto lacks = [&] { return host::lacking_at(journal, "one.onion"); };
    const std::vector<uuid4> it{token};
    CHECK(lacks().add == it);
    r.at["one.onion"].acknowledged = 0;  // it may be there
    CHECK(lacks().replace == it);
    r.at["one.onion"].acknowledged = 2;
    CHECK(lacks().replace == it);
    r.at["one.onion"].acknowledged = 3;
    CHECK(lacks().empty());
    r.ended = true;
    r.seq = 4;
    CHECK(lacks().end == it);
    CHECK(lacks().replace.empty());
    r.at["one.onion"].acknowledged.reset();  // what was never there needs no end
    CHECK(lacks().empty());
    r.ended = false;
    r.at["one.onion"].refused = "taken";
    CHECK(lacks().empty());
}
