#include <bento/control/circuit_command.hpp>

#include "transcript.hpp"

using namespace bento;
using test::encoded;
using test::failure_of;
using test::reply_of;
namespace c = bento::control;

TEST_CASE("MAPADDRESS: what was made and what was not, line by line") {
    c::map_address m;
    CHECK(encoded(m) == "refused: no address to map");
    m.mappings = {{"1.2.3.4", "example.com"}, {".", "foo.com"}};
    CHECK(encoded(m) == "MAPADDRESS 1.2.3.4=example.com .=foo.com\r\n");
    CHECK(encoded(c::map_address{{{"a", "b=c"}}}) == "refused: the address holds a '=' or a ','");
    CHECK(encoded(c::map_address{{{"a b", "c"}}}).starts_with("refused: the address holds a space"));
    CHECK(encoded(c::map_address{{{"", "c"}}}) == "refused: the address is empty");
    // A tor 0.4.9.11 said this.
    const auto got =
        m.parse(reply_of("250-1.2.3.4=example.com\r\n250-cafixzi3kf5adbtb.virtual=foo.com\r\n"
                         "512-syntax error: invalid address '=x'\r\n250 127.231.180.224=bar.example\r\n"));
    REQUIRE(got);
    using pairs = std::vector<std::pair<std::string, std::string>>;
    CHECK(got->mappings == pairs{{"1.2.3.4", "example.com"},
                                 {"cafixzi3kf5adbtb.virtual", "foo.com"},
                                 {"127.231.180.224", "bar.example"}});
    CHECK(got->refused == std::vector<std::string>{"syntax error: invalid address '=x'"});
    const auto last = m.parse(reply_of("250-a=b\r\n512 syntax error: invalid address '=x'\r\n"));
    REQUIRE(last);
    CHECK(last->refused.size() == 1);
    CHECK(failure_of(m, "512 syntax error: invalid address '=x'\r\n") ==
          "MAPADDRESS: tor refused (syntax error: invalid address '=x')");
    CHECK(failure_of(m, "250 OK\r\n") == "MAPADDRESS: tor's answer is not the one to this command");
}

TEST_CASE("EXTENDCIRCUIT: a new circuit or a longer one") {
    c::extend_circuit e;
    CHECK(encoded(e) == "EXTENDCIRCUIT 0\r\n");
    e.path = {"$AA", "nick"};
    e.purpose = c::circuit_purpose::controller;
    CHECK(encoded(e) == "EXTENDCIRCUIT 0 $AA,nick purpose=controller\r\n");
    e.id = "7";
    e.purpose = c::circuit_purpose::general;
    CHECK(encoded(e) == "EXTENDCIRCUIT 7 $AA,nick purpose=general\r\n");
    e.path = {"a,b"};
    CHECK(encoded(e) == "refused: the relay holds a ','");
    e.path.clear();
    CHECK(encoded(e) == "refused: no relay to extend the circuit to");
    e.id = "7 8";
    CHECK(encoded(e) == "refused: the circuit is not a word");
    CHECK(*e.parse(reply_of("250 EXTENDED 12\r\n")) == "12");
    CHECK(e.parse(reply_of("250 OK\r\n")).error().code == c::errc::unexpected_reply);
    CHECK(e.parse(reply_of("551 Couldn't start circuit\r\n")).error().code == c::errc::unavailable);
    CHECK(failure_of(e, "552 No such router \"$AA\"\r\n") ==
          "EXTENDCIRCUIT: tor does not know this (No such router \"$AA\")");
}

TEST_CASE("SETCIRCUITPURPOSE and CLOSECIRCUIT") {
    CHECK(encoded(c::set_circuit_purpose{"5", c::circuit_purpose::controller}) ==
          "SETCIRCUITPURPOSE 5 purpose=controller\r\n");
    CHECK(encoded(c::set_circuit_purpose{"5\r\nQUIT"}) == "refused: the circuit is not a word");
    CHECK(c::set_circuit_purpose{}.parse(reply_of("250 OK\r\n")));
    CHECK(encoded(c::close_circuit{"5", true}) == "CLOSECIRCUIT 5 IfUnused\r\n");
    CHECK(encoded(c::close_circuit{"5"}) == "CLOSECIRCUIT 5\r\n");
    CHECK(encoded(c::close_circuit{}) == "refused: the circuit is not a word");
    CHECK(failure_of(c::close_circuit{}, "552 Unknown circuit \"5\"\r\n") ==
          "CLOSECIRCUIT: tor does not know this (Unknown circuit \"5\")");
}

TEST_CASE("ATTACHSTREAM, REDIRECTSTREAM and CLOSESTREAM") {
    CHECK(encoded(c::attach_stream{"1"}) == "ATTACHSTREAM 1 0\r\n");
    CHECK(encoded(c::attach_stream{"1", "5", 2u}) == "ATTACHSTREAM 1 5 HOP=2\r\n");
    CHECK(encoded(c::attach_stream{"1", "5", 1u}) == "refused: tor attaches no stream to the first hop");
    CHECK(encoded(c::attach_stream{"1", "", 2u}) == "refused: a hop without its circuit");
    CHECK(encoded(c::attach_stream{"", "5"}) == "refused: the stream is not a word");
    CHECK(encoded(c::attach_stream{"1", "5 6"}) == "refused: the circuit is not a word");
    CHECK(c::attach_stream{}.parse(reply_of("555 Connection is not managed by controller.\r\n")).error().code ==
          c::errc::rejected);
    CHECK(c::attach_stream{}.parse(reply_of("551 Can't attach stream to non-open origin circuit\r\n")).error().code ==
          c::errc::unavailable);
    CHECK(encoded(c::redirect_stream{"1", "example.com", 80}) == "REDIRECTSTREAM 1 example.com 80\r\n");
    CHECK(encoded(c::redirect_stream{"1", "example.com"}) == "REDIRECTSTREAM 1 example.com\r\n");
    CHECK(encoded(c::redirect_stream{"1", "example.com", 0}) == "refused: the port is 0");
    CHECK(encoded(c::redirect_stream{"1", "a b"}).starts_with("refused: the address"));
    CHECK(c::redirect_stream{}.parse(reply_of("552 Unknown stream \"1\"\r\n")).error().code == c::errc::unrecognized);
    CHECK(encoded(c::close_stream{"1", c::stream_end::connection_reset}) == "CLOSESTREAM 1 12\r\n");
    CHECK(encoded(c::close_stream{"x y"}) == "refused: the stream is not a word");
    CHECK(c::close_stream{}.parse(reply_of("250 OK\r\n")));
}

TEST_CASE("RESOLVE asks by name or by address") {
    CHECK(encoded(c::resolve{"example.com"}) == "RESOLVE example.com\r\n");
    CHECK(encoded(c::resolve{"1.2.3.4", true}) == "RESOLVE mode=reverse 1.2.3.4\r\n");
    CHECK(encoded(c::resolve{"mode=reverse"}) == "refused: the address holds a '=' or a ','");
    CHECK(c::resolve{}.parse(reply_of("250 OK\r\n")));
}

TEST_CASE("POSTDESCRIPTOR is data; a descriptor without use is no failure") {
    c::post_descriptor p;
    p.descriptor = "router x\n.dot\nend";
    CHECK(encoded(p) == "+POSTDESCRIPTOR cache=no\r\nrouter x\r\n..dot\r\nend\r\n.\r\n");
    p.purpose = "bridge";
    p.cache = true;
    p.descriptor.clear();
    CHECK(encoded(p) == "+POSTDESCRIPTOR purpose=bridge cache=yes\r\n.\r\n");
    p.purpose = "a b";
    CHECK(encoded(p) == "refused: the purpose is not a word");
    CHECK(p.parse(reply_of("250 OK\r\n"))->accepted);
    const auto useless = p.parse(reply_of("251 Router descriptor was not new.\r\n"));
    REQUIRE(useless);
    CHECK_FALSE(useless->accepted);
    CHECK(useless->text == "Router descriptor was not new.");
    CHECK(failure_of(p, "554 Couldn't parse router descriptor.\r\n") ==
          "POSTDESCRIPTOR: tor refused (Couldn't parse router descriptor.)");
}

TEST_CASE("DROPGUARDS and DROPTIMEOUTS") {
    CHECK(encoded(c::drop_guards{}) == "DROPGUARDS\r\n");
    CHECK(encoded(c::drop_timeouts{}) == "DROPTIMEOUTS\r\n");
    CHECK(c::drop_guards{}.parse(reply_of("250 OK\r\n")));
    CHECK(c::drop_timeouts{}.parse(reply_of("510 Unrecognized command \"DROPTIMEOUTS\"\r\n")).error().code ==
          c::errc::unrecognized);
}
