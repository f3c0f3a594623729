#include <sys/stat.h>

#include <bento/box/function_store.hpp>
#include <fstream>

#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using box::errc;
using box::function_store;

namespace {

box::options in(const test::temporary_directory& folder) {
    box::options o;
    o.directory = folder.path() / "functions";
    return o;
}

const auto a_token = uuid4::parse("5e1f0a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b").value();
const function_store::function hello{"hello", "def hello(): api.send('hi')\n"};

}  // namespace

TEST_CASE("a function is stored, found, listed with the hash of its code, and removed") {
    const test::temporary_directory folder;
    auto store = function_store::open(in(folder)).value();
    const auto token = store.add(hello).value();
    CHECK(store.find(token)->name == "hello");
    CHECK(store.find(token)->code == hello.code);
    REQUIRE(store.list().size() == 1);
    const auto entry = store.list()[0];
    CHECK(entry.token == token);
    CHECK(entry.name == "hello");
    CHECK(entry.code_size == hello.code.size());
    CHECK(entry.code_sha256 == "2757128f99d5ac62b155cccfb4ec61d4c716103ba2c87ad43adb729ebeed910f");
    CHECK(store.about(token)->code_sha256 == entry.code_sha256);
    CHECK(store.remove(token));
    CHECK(store.find(token).error().code == errc::unknown_token);
    CHECK(store.remove(token).error().code == errc::unknown_token);
    CHECK(store.size() == 0);
    CHECK(store.used_bytes() == 0);
    CHECK(std::filesystem::is_empty(folder.path() / "functions"));
}

TEST_CASE("T29: a function is kept under a token that somebody else made, and its token is never given to another") {
    const test::temporary_directory folder;
    auto store = function_store::open(in(folder)).value();
    CHECK(store.add(a_token, hello));
    CHECK(store.add(a_token, hello));
    CHECK(store.size() == 1);
    const function_store::function other{"hello", "def hello(): api.send('ho')\n"};
    CHECK(store.add(a_token, other).error().code == errc::taken);
    CHECK(store.find(a_token)->code == hello.code);
}

TEST_CASE("the store is read again when it is opened, and what a crash left is cleaned up") {
    const test::temporary_directory folder;
    const auto directory = folder.path() / "functions";
    std::uint64_t used = 0;
    {
        auto store = function_store::open(in(folder)).value();
        CHECK(store.add(a_token, hello));
        used = store.used_bytes();
    }
    std::ofstream{directory / (a_token.str() + ".json.0123456789abcdef.tmp")} << "{\"na";
    std::ofstream{directory / "notes.txt"} << "the operator's own";
    const auto damaged = uuid4::parse("0b88a643-5ab1-443c-a5fb-fb115ec2b4eb").value();
    std::ofstream{directory / (damaged.str() + ".json")} << "[]";

    auto store = function_store::open(in(folder)).value();
    CHECK(std::filesystem::exists(directory / "notes.txt"));
    CHECK_FALSE(std::filesystem::exists(directory / (a_token.str() + ".json.0123456789abcdef.tmp")));
    CHECK(store.find(a_token)->code == hello.code);
    CHECK(store.used_bytes() == used + 2);
    REQUIRE(store.list().size() == 2);
    CHECK(store.list()[0].damaged);
    CHECK(store.find(damaged).error().code == errc::damaged);
    CHECK(store.add(damaged, hello).error().code == errc::taken);
    CHECK(store.remove(damaged));
    CHECK(store.used_bytes() == used);
}

TEST_CASE("the quotas of functions and bytes hold, also after a removal and after a start") {
    const test::temporary_directory folder;
    auto o = in(folder);
    o.functions = 2;
    {
        auto store = function_store::open(o).value();
        const auto first = store.add(hello).value();
        CHECK(store.add(hello));
        CHECK(store.add(hello).error().code == errc::full);
        CHECK(store.remove(first));
        CHECK(store.add(hello));
        o.store_bytes = store.used_bytes() + 100;
    }
    CHECK(function_store::open(o)->add(hello).error().code == errc::full);

    o.functions = 10;
    auto small = function_store::open(o).value();
    CHECK(small.add({"n", std::string(200, 'x')}).error().code == errc::full);
    CHECK(small.add({"n", "x"}));
    CHECK(small.add({std::string(function_store::name_limit + 1, 'n'), "x"}).error().code == errc::name_too_long);
}

TEST_CASE("two servers never share a directory, which would make each of them count and list what is not there") {
    const test::temporary_directory folder;
    {
        const auto first = function_store::open(in(folder)).value();
        const auto second = function_store::open(in(folder));
        REQUIRE_FALSE(second);
        CHECK(second.error().code == errc::in_use);
        CHECK(second.error().detail == (folder.path() / "functions").string());
    }
    CHECK(function_store::open(in(folder)));
}

TEST_CASE("W27: functions are nobody else's to read") {
    const test::temporary_directory folder;
    auto store = function_store::open(in(folder)).value();
    const auto token = store.add(hello).value();
    struct ::stat about {};
    REQUIRE(::stat((folder.path() / "functions").c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0700);
    REQUIRE(::stat((folder.path() / "functions" / (token.str() + ".json")).c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
}
