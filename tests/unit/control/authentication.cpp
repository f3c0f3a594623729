#include <bento/base/encoding.hpp>
#include <bento/control/authentication.hpp>

#include "test.hpp"

using namespace bento;
namespace c = bento::control;
using machine = c::authentication;
using offer = c::protocol_info::reply_type;

namespace {

/// The nonce is 32 bytes of 0x11.
random_source fixed() {
    return [](std::span<std::uint8_t> into) { std::fill(into.begin(), into.end(), std::uint8_t{0x11}); };
}
machine make(std::optional<std::string> password = {}, std::optional<std::string> cookie = {}) {
    return machine{password ? std::optional{secret{*password}} : std::nullopt, std::move(cookie), fixed()};
}
std::string sent(const machine::action& a) {
    return std::string{std::get<machine::send_proof>(a).command.encode()->text()};
}
std::string failed(const machine::action& a) { return std::get<machine::failed>(a).error.message(); }

const offer everything{.hashed_password = true, .cookie = true, .safe_cookie = true, .cookie_file = "/run/c"};

}  // namespace

TEST_CASE("PROTOCOLINFO names the methods and the cookie, whatever else it says") {
    c::framer f;
    f.feed(
         "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE,QUANTUM COOKIEFILE=\"/run/t\\\"or/c\"\r\n"
         "250-NEW thing\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n")
        .value();
    const auto got = c::protocol_info{}.parse(*f.next());
    REQUIRE(got);
    CHECK(got->cookie);
    CHECK(got->safe_cookie);
    CHECK_FALSE(got->null);
    CHECK_FALSE(got->hashed_password);
    CHECK(got->cookie_file == "/run/t\"or/c");
    CHECK(got->tor_version == "0.4.9.11");
}

TEST_CASE("open: an empty AUTHENTICATE") {
    auto m = make("unused");
    CHECK(std::holds_alternative<machine::ask_protocol_info>(m.begin()));
    CHECK(sent(m.on_protocol_info(offer{.null = true})) == "AUTHENTICATE\r\n");
    CHECK(std::holds_alternative<machine::finished>(m.on_authenticated(c::done{})));
}

TEST_CASE("a password goes as hex, and only where tor takes one") {
    auto m = make("sec\"ret");
    CHECK(sent(m.on_protocol_info(everything)) == "AUTHENTICATE 73656322726574\r\n");
    auto without = make();
    CHECK(failed(without.on_protocol_info(offer{.hashed_password = true})) == "tor asks for a password");
    CHECK(failed(make().on_protocol_info(offer{})) == "tor offers no known way to authenticate");
}

TEST_CASE("safe cookie: tor proves first that it knows the cookie") {
    auto m = make();
    const auto read = m.on_protocol_info(everything);
    CHECK(std::get<machine::read_cookie>(read).path == "/run/c");
    const std::string cookie(32, '\x22');
    const auto ask = m.on_cookie(secret{cookie});
    CHECK(std::get<machine::ask_challenge>(ask).command.encode()->text() ==
          "AUTHCHALLENGE SAFECOOKIE 1111111111111111111111111111111111111111111111111111111111111111\r\n");
    // HMAC-SHA256 of cookie | client nonce | server nonce (32 bytes of 0x33) under the two constants of the
    // specification, by Python's hmac.
    c::framer f;
    f.feed(
         "250 AUTHCHALLENGE SERVERHASH=47AC78D6AA87028B5AD53AF3DE84F74E00A369988BEE9AFD4BB8636257388589 SERVERNONCE="
         "3333333333333333333333333333333333333333333333333333333333333333\r\n")
        .value();
    const auto challenge = c::auth_challenge{}.parse(*f.next());
    REQUIRE(challenge);
    CHECK(sent(m.on_challenge(*challenge)) ==
          "AUTHENTICATE 9f9f35517f19cf59e0fda95ecd88ad6b03ce4616c59659b5a1a739c460c381d4\r\n");
}

TEST_CASE("safe cookie: an impostor learns nothing") {
    auto m = make();
    m.on_protocol_info(everything);
    m.on_cookie(secret{std::string(32, '\x22')});
    c::auth_challenge::reply_type wrong{std::vector<std::uint8_t>(32, 1), std::vector<std::uint8_t>(32, 2)};
    CHECK(failed(m.on_challenge(wrong)) == "what answers is not the tor that wrote the cookie");
}

TEST_CASE("a cookie of another size is none") {
    auto m = make();
    m.on_protocol_info(everything);
    CHECK(failed(m.on_cookie(secret{"short"})) ==
          "it does not hold 32 bytes: tor's authentication cookie cannot be used");
}

TEST_CASE("the raw cookie is sent only where no safe one is offered; the path may be ours") {
    auto m = make({}, "/mine");
    const auto read = m.on_protocol_info(offer{.cookie = true, .cookie_file = "/theirs"});
    CHECK(std::get<machine::read_cookie>(read).path == "/mine");
    CHECK(sent(m.on_cookie(secret{std::string(32, 'a')})) ==
          "AUTHENTICATE " + hex_encode(as_byte_view(std::string(32, 'a'))) + "\r\n");
}

TEST_CASE("tor's refusal is told in its words") {
    auto m = make("x");
    m.on_protocol_info(everything);
    const error refused{c::errc::authentication_failed, {}, "Authentication failed: Password did not match"};
    CHECK(failed(m.on_authenticated(refused)) ==
          "tor refused the authentication (Authentication failed: Password did not match)");
}
