#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/control/authentication.hpp>

#include "transcript.hpp"

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

/// What the machine wants done, as text.
struct describe {
    std::string operator()(const machine::ask_protocol_info&) const { return "PROTOCOLINFO"; }
    std::string operator()(const machine::read_cookie& a) const { return "read " + a.path; }
    std::string operator()(const machine::ask_challenge& a) const { return test::encoded(a.command); }
    std::string operator()(const machine::send_proof& a) const { return test::encoded(a.command); }
    std::string operator()(const machine::finished&) const { return "finished"; }
    std::string operator()(const machine::failed& a) const { return "failed: " + a.error.message(); }
};
std::string told(const machine::action& a) { return std::visit(describe{}, a); }

const std::string cookie(32, '\x22');
const offer everything{.hashed_password = true, .cookie = true, .safe_cookie = true, .cookie_file = "/run/c"};

}  // namespace

TEST_CASE("PROTOCOLINFO, as tor answers it: methods, a path in quotes, the version") {
    const auto got = c::protocol_info{}.parse(test::replies_of(test::captured("authentication")).at(0));
    REQUIRE(got);
    CHECK(got->cookie);
    CHECK(got->safe_cookie);
    CHECK(got->hashed_password);
    CHECK_FALSE(got->null);
    CHECK(got->cookie_file == "/tmp/we\"ird \xc3\xa9/cookie");
    CHECK(got->tor_version == "0.4.9.11");
}

TEST_CASE("PROTOCOLINFO: unknown methods and lines are passed over") {
    const auto got = c::protocol_info{}.parse(
        test::reply_of("250-PROTOCOLINFO 1\r\n250-AUTH METHODS=QUANTUM,NULL\r\n250-NEW thing\r\n250 OK\r\n"));
    REQUIRE(got);
    CHECK(got->null);
    CHECK_FALSE(got->cookie);
    CHECK(got->cookie_file.empty());
    CHECK(got->tor_version.empty());
    CHECK(test::failure_of(c::protocol_info{}, "250 OK\r\n") ==
          "PROTOCOLINFO: tor's answer is not the one to this command");
    CHECK(test::failure_of(c::protocol_info{}, "514 Authentication required.\r\n") ==
          "PROTOCOLINFO: tor asks for authentication (Authentication required.)");
}

TEST_CASE("AUTHCHALLENGE: hash and nonce of 32 bytes each, nothing else") {
    const auto got = c::auth_challenge{}.parse(test::replies_of(test::captured("authentication")).at(1));
    REQUIRE(got);
    CHECK(hex_encode(got->server_hash) == "7d0634053a2eb22748860edc6661a776d34efb00188be931c36ff0d47c77b195");
    CHECK(hex_encode(got->server_nonce) == "baec89583014f0746ccf6363f36cdee4ec87948618e44cd907ae1f5d67fa65bd");
    const std::string wrong = "AUTHCHALLENGE: tor's answer is not the one to this command";
    const std::string hex(64, 'A');
    CHECK(test::failure_of(c::auth_challenge{}, "250 OK\r\n") == wrong);
    CHECK(test::failure_of(c::auth_challenge{}, "250 AUTHCHALLENGE SERVERHASH=" + hex + "\r\n") == wrong);
    CHECK(test::failure_of(c::auth_challenge{},
                           "250 AUTHCHALLENGE SERVERHASH=" + hex + " SERVERNONCE=" + hex + "AA\r\n") == wrong);
    CHECK(test::failure_of(c::auth_challenge{}, "513 Invalid base16 client nonce\r\n") ==
          "AUTHCHALLENGE: tor refused (Invalid base16 client nonce)");
    CHECK(test::encoded(c::auth_challenge{{1, 2, 3}}) == "refused: a client nonce has 32 bytes or more");
}

TEST_CASE("open: an empty AUTHENTICATE") {
    auto m = make("unused");
    CHECK(told(m.begin()) == "PROTOCOLINFO");
    CHECK(told(m.on_protocol_info(offer{.null = true})) == "AUTHENTICATE\r\n");
    CHECK(told(m.on_authenticated(c::done{})) == "finished");
}

TEST_CASE("a password goes as hex, and only where tor takes one") {
    CHECK(told(make("sec\"ret").on_protocol_info(everything)) == "AUTHENTICATE 73656322726574\r\n");
    CHECK(told(make().on_protocol_info(offer{.hashed_password = true})) == "failed: tor asks for a password");
    CHECK(told(make("x").on_protocol_info(offer{.safe_cookie = true, .cookie_file = "/run/c"})) == "read /run/c");
    CHECK(told(make("x").on_protocol_info(offer{})) == "failed: tor offers no known way to authenticate");
}

TEST_CASE("safe cookie: tor proves first that it knows the cookie") {
    auto m = make();
    CHECK(told(m.on_protocol_info(everything)) == "read /run/c");
    CHECK(told(m.on_cookie(secret{cookie})) ==
          "AUTHCHALLENGE SAFECOOKIE 1111111111111111111111111111111111111111111111111111111111111111\r\n");
    // HMAC-SHA256 of cookie | client nonce | server nonce (32 bytes of 0x33) under the two constants of the
    // specification, by Python's hmac.
    const auto challenge = c::auth_challenge{}.parse(
        test::reply_of("250 AUTHCHALLENGE SERVERHASH=47AC78D6AA87028B5AD53AF3DE84F74E00A369988BEE9AFD4BB8636257388589 "
                       "SERVERNONCE=3333333333333333333333333333333333333333333333333333333333333333\r\n"));
    REQUIRE(challenge);
    CHECK(told(m.on_challenge(*challenge)) ==
          "AUTHENTICATE 9f9f35517f19cf59e0fda95ecd88ad6b03ce4616c59659b5a1a739c460c381d4\r\n");
    CHECK(told(m.on_authenticated(c::done{})) == "finished");
}

TEST_CASE("safe cookie: an impostor learns nothing") {
    auto m = make();
    m.on_protocol_info(everything);
    m.on_cookie(secret{cookie});
    c::auth_challenge::reply_type wrong{std::vector<std::uint8_t>(32, 1), std::vector<std::uint8_t>(32, 2)};
    CHECK(told(m.on_challenge(wrong)) ==
          "failed: the cookie in /run/c: what answers is not the tor that wrote the cookie");
}

TEST_CASE("a cookie that cannot be used is told with its path") {
    const auto with = [](result<secret> content) {
        auto m = make();
        m.on_protocol_info(everything);
        return told(m.on_cookie(std::move(content)));
    };
    const std::string unusable = ": tor's authentication cookie cannot be used";
    CHECK(with(secret{"short"}) == "failed: /run/c: a cookie has 32 bytes" + unusable);
    CHECK(with(secret{cookie + "x"}) == "failed: /run/c: a cookie has 32 bytes" + unusable);
    const auto gone = with(error{base::errc::not_found, "/run/c"});
    CHECK(gone.starts_with("failed: /run/c: "));
    CHECK(gone.ends_with(unusable));
    CHECK(told(make().on_protocol_info(offer{.safe_cookie = true})) ==
          "failed: tor does not say where its cookie is" + unusable);
}

TEST_CASE("a raw cookie goes to nobody who named the file") {
    const offer raw{.cookie = true, .cookie_file = "/home/somebody/secret"};
    CHECK(told(make().on_protocol_info(raw)) ==
          "failed: a raw cookie is read only from a file that was named to us, not by tor: tor offers no known way to "
          "authenticate");
    auto m = make({}, "/mine");
    CHECK(told(m.on_protocol_info(raw)) == "read /mine");
    CHECK(told(m.on_cookie(secret{std::string(32, 'a')})) ==
          "AUTHENTICATE " + hex_encode(as_byte_view(std::string(32, 'a'))) + "\r\n");
    // A password that tor takes goes before it.
    CHECK(told(make("x", "/mine").on_protocol_info(offer{.hashed_password = true, .cookie = true})) ==
          "AUTHENTICATE 78\r\n");
}

TEST_CASE("the file of the user goes before the one that tor names") {
    CHECK(told(make({}, "/mine").on_protocol_info(everything)) == "read /mine");
}

TEST_CASE("tor's refusal is told in its words, with what was tried") {
    auto m = make("x");
    m.on_protocol_info(everything);
    const auto refused = c::authenticate{}.parse(test::reply_of(
        "515 Authentication failed: Password did not match HashedControlPassword *or* authentication cookie.\r\n"));
    CHECK(told(m.on_authenticated(refused)) ==
          "failed: the password: tor refused the authentication (Authentication failed: Password did not match "
          "HashedControlPassword *or* authentication cookie.)");

    auto by_cookie = make();
    by_cookie.on_protocol_info(everything);
    const auto stale = c::authenticate{}.parse(test::replies_of(test::captured("authentication")).at(2));
    CHECK(told(by_cookie.on_authenticated(stale)) ==
          "failed: the cookie in /run/c: tor refused the authentication (Authentication failed: Safe cookie response "
          "did not match expected value.)");
}

TEST_CASE("an end in the middle is an end") {
    const error gone{c::errc::disconnected};
    CHECK(told(make().on_protocol_info(gone)) == "failed: the connection to tor has ended");
    CHECK(told(make().on_challenge(gone)) == "failed: the connection to tor has ended");
    CHECK(told(make().on_authenticated(gone)) == "failed: the connection to tor has ended");
}
