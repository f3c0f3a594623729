#include <bento/http/problem.hpp>
#include <bento/http/route_table.hpp>

#include "test.hpp"

using namespace bento;
using outcome = http::route_table::match::outcome;

TEST_CASE("found, not found, not allowed with Allow, options") {
    http::route_table t;
    t.add(http::method::get, "/", 1);
    t.add(http::method::post, "/open", 2);
    CHECK(t.find(http::method::get, "/").id == 1);
    CHECK(t.find(http::method::head, "/").is == outcome::found);
    CHECK(t.find(http::method::post, "/open").id == 2);
    CHECK(t.find(http::method::post, "/open/").is == outcome::not_found);
    const auto wrong = t.find(http::method::get, "/open");
    CHECK(wrong.is == outcome::method_not_allowed);
    CHECK(wrong.allow == "POST, OPTIONS");
    CHECK(t.find(http::method::delete_, "/").allow == "GET, HEAD, OPTIONS");
    CHECK(t.find(http::method::options, "/open").is == outcome::options);
    CHECK(t.find(http::method::options, "*").allow == "GET, HEAD, POST, OPTIONS");
}

TEST_CASE("a path that takes everything below it") {
    http::route_table t;
    t.add(http::method::get, "/lookup/*", 1);
    t.add(http::method::get, "/lookup", 2);
    CHECK(t.find(http::method::get, "/lookup/a/b").rest == "a/b");
    CHECK(t.find(http::method::get, "/lookup/").rest.empty());
    CHECK(t.find(http::method::get, "/lookup/").id == 1);
    CHECK(t.find(http::method::get, "/lookup").id == 2);
    CHECK(t.find(http::method::get, "/lookups").is == outcome::not_found);
    CHECK(t.find(http::method::post, "/lookup/a").allow == "GET, HEAD, OPTIONS");
}

TEST_CASE("a problem is JSON whatever it tells") {
    CHECK(http::problem("function-error", 500, "a \"b\"\n\x01\xff\xc3\xa9") ==
          "{\"type\":\"function-error\",\"title\":\"Internal Server Error\",\"status\":500,"
          "\"detail\":\"a \\\"b\\\"\\n\\u0001\xef\xbf\xbd\xc3\xa9\"}\n");
    CHECK(http::problem("x", 404, "") == "{\"type\":\"x\",\"title\":\"Not Found\",\"status\":404}\n");
    CHECK_FALSE(http::is_utf8("\xed\xa0\x80"));
    CHECK_FALSE(http::is_utf8("\xc0\x80"));
    CHECK(http::is_utf8("\xf0\x9f\x8d\xb1"));
}

TEST_CASE("a body's type is JSON or nothing") {
    const auto typed = [](std::string_view value) { return http::is_json_or_untyped({{"content-TYPE", value}}); };
    CHECK(http::is_json_or_untyped({}));
    CHECK(typed("application/json"));
    CHECK(typed("Application/JSON ; charset=utf-8"));
    CHECK_FALSE(typed("text/plain"));
    CHECK_FALSE(typed("application/jsonx"));
    CHECK_FALSE(http::is_json_or_untyped({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}}));
}
