#include <sys/stat.h>

#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/rotation/journal.hpp>

#include "keys.hpp"
#include "temporary_directory.hpp"

using namespace bento;
using namespace bento::test;
using namespace std::chrono_literals;
using rotation::journal;

namespace {

journal whole() {
    journal j{.current = onion_number(1), .since = at(1000)};
    j.ask_first = true;
    j.next = at(9000);
    j.running = rotation::unfinished{
        .grace = 20s, .compromised = true, .onion = onion_number(2), .acknowledged = {"a.onion", "b.onion"}};
    j.retired = {{.onion = onion_number(3), .grace = 1h, .age = 1500ms, .named_by = {"c.onion"}},
                 {.onion = onion_number(4), .grace = 0ms, .dropped = true}};
    return j;
}

std::string failure_of(std::string_view text) {
    const auto j = rotation::journal_from_json(text);
    REQUIRE_FALSE(j);
    CHECK(j.error().code == rotation::errc::corrupted);
    return j.error().detail;
}

std::string with(std::string_view members) {
    return "{\"version\":1,\"current\":\"" + onion_number(1).host() + "\",\"since\":1" + std::string{members} + "}";
}

}  // namespace

TEST_CASE("a journal is read as it was written") {
    const journal least{.current = onion_number(1), .since = at(1000)};
    CHECK(rotation::to_json(least) ==
          "{\"version\":1,\"current\":\"" + onion_number(1).host() + "\",\"since\":1000}\n");
    for (const auto& j : {least, whole()})
        CHECK(rotation::journal_from_json(rotation::to_json(j)).value() == j);
}

TEST_CASE("a damaged journal is told by its member, and cut anywhere it is none") {
    CHECK(failure_of("") == "no JSON object");
    CHECK(failure_of("[]") == "no JSON object");
    CHECK(failure_of("{}") == "\"version\": expected 1; another bentoctl wrote this");
    CHECK(failure_of("{\"version\":2}") == "\"version\": expected 1; another bentoctl wrote this");
    CHECK(failure_of("{\"version\":1}") == "\"current\": expected an onion address");
    CHECK(failure_of("{\"version\":1,\"current\":\"x.onion\",\"since\":1}") ==
          "\"current\": expected an onion address");
    CHECK(failure_of(with(",\"since\":-1")) == "\"since\": expected seconds since 1970");
    CHECK(failure_of(with(",\"next\":\"now\"")) == "\"next\": expected seconds since 1970");
    CHECK(failure_of(with(",\"rotation\":1")) == "\"rotation\": expected an object");
    CHECK(failure_of(with(",\"rotation\":{}")) == "\"grace\": expected a string");
    CHECK(failure_of(with(",\"rotation\":{\"grace\":\"long\"}")) == "\"grace\": expected a duration such as \"15m\"");
    CHECK(failure_of(with(",\"rotation\":{\"grace\":\"1s\",\"acknowledged\":[1]}")) ==
          "\"acknowledged\": expected a list of strings");
    CHECK(failure_of(with(",\"retired\":{}")) == "\"retired\": expected a list");
    CHECK(failure_of(with(",\"retired\":[{}]")) == "\"onion\": expected an onion address");
    const auto again = onion_number(1).host();
    CHECK(failure_of(with(",\"retired\":[{\"onion\":\"" + again + "\",\"grace\":\"1s\",\"age\":\"1s\"}]")) ==
          "one onion stands in two places");
    CHECK(rotation::journal_from_json(with(",\"later\":true")));

    const auto text = rotation::to_json(whole());
    for (std::size_t n = 0; n + 1 < text.size(); ++n)
        CHECK_FALSE(rotation::journal_from_json(std::string_view{text}.substr(0, n)));
}

TEST_CASE("the file is private, whole, and named where it is damaged") {
    const temporary_directory folder;
    const auto file = folder.path() / "rotation.json";
    const auto none = rotation::load(file);
    REQUIRE(none);
    CHECK_FALSE(*none);
    REQUIRE(rotation::save(file, whole()));
    CHECK(rotation::load(file).value() == whole());
    struct ::stat about {};
    REQUIRE(::stat(file.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    CHECK(folder.names() == std::vector<std::string>{"rotation.json"});

    REQUIRE(write_file(file, "{\"version\":1"));
    const auto damaged = rotation::load(file);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().message() == file.string() + ": no JSON object: the rotation's journal is damaged");
    REQUIRE(write_file(file, std::string(rotation::journal_limit + 1, ' ')));
    CHECK(rotation::load(file).error().code == rotation::errc::corrupted);
}

TEST_CASE("keys without a journal: the newest is about to be announced, the others retire") {
    CHECK(rotation::adopt({}, 1h).error().code == rotation::errc::no_onion);
    CHECK(rotation::adopt({{at(5), onion_number(1)}}, 1h).value() ==
          journal{.current = onion_number(1), .since = at(5)});
    const auto j =
        rotation::adopt({{at(7), onion_number(3)}, {at(5), onion_number(1)}, {at(6), onion_number(2)}}, 1h).value();
    CHECK(j.current == onion_number(2));
    CHECK(j.since == at(6));
    CHECK(j.running.value() == rotation::unfinished{.grace = 1h, .onion = onion_number(3)});
    CHECK(j.retired == std::vector<rotation::retiring>{{.onion = onion_number(1), .grace = 1h}});
}

TEST_CASE("an age is never negative") {
    const journal j{.current = onion_number(1), .since = at(1000)};
    CHECK(rotation::age(j, at(1060)) == 60s);
    CHECK(rotation::age(j, at(1)) == 0s);
}
