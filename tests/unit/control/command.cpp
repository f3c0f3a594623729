#include <bento/control/command.hpp>

#include "test.hpp"

using namespace bento;
namespace c = bento::control;

namespace {

const std::string service_id = "aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bead";
const std::string valid_id = "aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bead2";

c::reply reply_of(std::string_view bytes) {
    c::framer f;
    f.feed(bytes).value();
    return f.next().value();
}

/// The bytes, or "refused: why".
template <class Command>
std::string encoded(const Command& command) {
    const auto bytes = command.encode();
    return bytes ? std::string{bytes->text()} : "refused: " + bytes.error().detail;
}

template <class Command>
std::string failure_of(const Command& command, std::string_view bytes) {
    const auto parsed = command.parse(reply_of(bytes));
    return parsed ? "a value" : parsed.error().message();
}

}  // namespace

TEST_CASE("GETINFO: keys in, values out, data or not") {
    c::get_info g{{"version", "config-text"}};
    CHECK(encoded(g) == "GETINFO version config-text\r\n");
    const auto got = g.parse(reply_of("250-version=0.4.9.11\r\n250+config-text=\r\nA 1\r\nB 2\r\n.\r\n250 OK\r\n"));
    REQUIRE(got);
    CHECK(got->at("version") == "0.4.9.11");
    CHECK(got->at("config-text") == "A 1\nB 2\n");
    CHECK(failure_of(g, "552-Unrecognized key \"x\"\r\n552 Unrecognized key \"y\"\r\n") ==
          "GETINFO: tor does not know this (Unrecognized key \"x\"; Unrecognized key \"y\")");
    CHECK(failure_of(g, "551 Address unknown\r\n") == "GETINFO: tor refused (Address unknown)");
    CHECK(failure_of(g, "250-version=1\r\n250 OK\r\n") ==
          "GETINFO gave no config-text: tor's answer is not the one to this command");
    CHECK(encoded(c::get_info{{"a\r\nQUIT"}}).starts_with("refused: the key holds"));
}

TEST_CASE("GETCONF: the last answer is the end line, quoted or raw, unset or several") {
    c::get_conf g{{"SocksPort"}};
    const auto got =
        g.parse(reply_of("250-SocksPort=9050\r\n250-SocksPort=9150\r\n250-Nickname\r\n"
                         "250 CookieAuthFile=\"/tmp/we\\\"ird \\303\\251\"\r\n"));
    REQUIRE(got);
    REQUIRE(got->size() == 4);
    CHECK((*got)[1].second == "9150");
    CHECK((*got)[2] == std::pair<std::string, std::optional<std::string>>{"Nickname", std::nullopt});
    CHECK((*got)[3].second == "/tmp/we\"ird \xc3\xa9");
    CHECK(g.parse(reply_of("250 OK\r\n"))->empty());
}

TEST_CASE("SETCONF quotes, and refuses what tor would repeat as a forged answer") {
    c::set_conf s;
    s.values = {{"ContactInfo", "a \"b\" \\c"}, {"Nickname", std::nullopt}};
    CHECK(encoded(s) == "SETCONF ContactInfo=\"a \\\"b\\\" \\\\c\" Nickname\r\n");
    s.values = {{"Nickname", "a\r\n250 OK\r\nb"}};
    CHECK(encoded(s) == "refused: the value holds a line end or NUL");
}

TEST_CASE("ADD_ONION: every option, and the targets that tor cannot read") {
    c::add_onion a;
    a.key = secret{"ED25519-V3:AAAA"};
    a.ports = {{80, "unix:/run/x"}, {81, ""}};
    a.flags.max_streams_close_circuit = true;
    a.flags.detach = true;
    a.max_streams = 7;
    a.defences.emplace();
    a.defences->queue_rate = 10;
    CHECK(encoded(a) ==
          "ADD_ONION ED25519-V3:AAAA Flags=Detach,MaxStreamsCloseCircuit MaxStreams=7 Port=80,unix:/run/x Port=81 "
          "PoWDefensesEnabled=1 PoWQueueRate=10\r\n");
    a.ports = {{80, "unix:/run/a b"}};
    CHECK(encoded(a).starts_with("refused: the target holds a space"));
    a.ports = {{80, "unix:relative"}};
    CHECK(encoded(a) == "refused: the target's path is not absolute");
    a.ports = {};
    CHECK(encoded(a) == "refused: an onion service has at least one port");
}

TEST_CASE("ADD_ONION: what tor answers") {
    const c::add_onion a;
    const auto made =
        a.parse(reply_of("250-ServiceID=" + valid_id + "\r\n250-PrivateKey=ED25519-V3:xyz\r\n250 OK\r\n"));
    REQUIRE(made);
    CHECK(made->service_id == valid_id);
    CHECK(made->private_key.text() == "ED25519-V3:xyz");
    CHECK(a.parse(reply_of("550 Onion address collision\r\n")).error().code == c::errc::onion_collision);
    CHECK(a.parse(reply_of("512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"PoWDefensesEnabled\"\r\n"))
              .error()
              .code == c::errc::unrecognized);
    CHECK(failure_of(a, "512 Invalid VIRTPORT/TARGET\r\n") == "ADD_ONION: tor refused (Invalid VIRTPORT/TARGET)");
}

TEST_CASE("a service is named as DEL_ONION wants it, or not at all") {
    CHECK(encoded(c::del_onion{valid_id}) == "DEL_ONION " + valid_id + "\r\n");
    CHECK(encoded(c::del_onion{valid_id + ".onion"}).starts_with("refused"));
    CHECK(encoded(c::del_onion{service_id}).starts_with("refused"));
    CHECK(c::del_onion{}.parse(reply_of("552 Unknown Onion Service id\r\n")).error().code == c::errc::no_such_onion);
}

TEST_CASE("a client's name that tor would answer twice is not sent") {
    c::onion_client_auth_add o;
    o.service_id = valid_id;
    o.private_key = secret{"AAAA"};
    o.client_name = "1234567890123456";
    CHECK(encoded(o) == "ONION_CLIENT_AUTH_ADD " + valid_id + " x25519:AAAA ClientName=1234567890123456\r\n");
    o.client_name += "7";
    CHECK(encoded(o) == "refused: a client's name has at most 16 characters");
}

TEST_CASE("net/listeners are quoted strings") {
    const auto got = c::parse_listeners("\"127.0.0.1:9050\" \"unix:/run/tor/so\\\"cks\"");
    REQUIRE(got);
    CHECK(*got == std::vector<std::string>{"127.0.0.1:9050", "unix:/run/tor/so\"cks"});
    CHECK(c::parse_listeners("")->empty());
    CHECK_FALSE(c::parse_listeners("127.0.0.1:9050"));
}
