#include <bento/base/endpoint.hpp>

#include "test.hpp"

using bento::endpoint;

TEST_CASE("endpoints are read and written") {
    CHECK(endpoint::parse("127.0.0.1:9051").value() == endpoint::tcp("127.0.0.1", 9051));
    CHECK(endpoint::parse("localhost:80").value() == endpoint::tcp("127.0.0.1", 80));
    CHECK(endpoint::parse("[::1]:80").value() == endpoint::tcp("::1", 80));
    CHECK(endpoint::parse("unix:/run/tor/control").value() == endpoint::unix_socket("/run/tor/control"));
    for (const auto* text : {"127.0.0.1:9051", "[::1]:80", "unix:/run/a b"})
        CHECK(endpoint::parse(text)->str() == text);
}

TEST_CASE("what is local is known") {
    CHECK(endpoint::parse("127.8.0.1:1")->is_local());
    CHECK(endpoint::parse("[::1]:1")->is_local());
    CHECK(endpoint::parse("unix:/a")->is_local());
    CHECK_FALSE(endpoint::parse("0.0.0.0:1")->is_local());
    CHECK_FALSE(endpoint::parse("192.0.2.1:1")->is_local());
}

TEST_CASE("what is no endpoint is refused, with the reason") {
    const auto why = [](std::string_view text) { return endpoint::parse(text).error().detail; };
    CHECK(why("9051") == "9051: an endpoint is unix:/absolute/path or HOST:PORT");
    CHECK(why("unix:run/tor") == "unix:run/tor: the path of a unix socket is absolute");
    CHECK(why("unix:/" + std::string(107, 'a')).ends_with("at most 107 bytes"));
    CHECK(why("127.0.0.1:65536") == "127.0.0.1:65536: a port is a number from 0 to 65535");
    CHECK(why("127.0.0.1:") == "127.0.0.1:: a port is a number from 0 to 65535");
    CHECK(why("127.0.0.1:+1").ends_with("a port is a number from 0 to 65535"));
    CHECK(why("example.com:80") == "example.com:80: HOST is an IP address or localhost; names are not resolved here");
    CHECK(why("::1:80").ends_with("names are not resolved here"));
    CHECK(why("[localhost]:80").ends_with("brackets hold an IPv6 address"));
    CHECK(why(std::string_view{"unix:/a\0b", 9}) == "endpoint: it holds a NUL byte");
}
