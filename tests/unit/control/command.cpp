#include <bento/control/command.hpp>

#include "transcript.hpp"

using namespace bento;
using test::encoded;
using test::failure_of;
using test::reply_of;
namespace c = bento::control;

TEST_CASE("GETINFO: keys in, values out, data or not") {
    c::get_info g{{"version", "config-text"}};
    CHECK(encoded(g) == "GETINFO version config-text\r\n");
    const auto got = g.parse(reply_of("250-version=0.4.9.11\r\n250+config-text=\r\nA 1\r\nB 2\r\n.\r\n250 OK\r\n"));
    REQUIRE(got);
    CHECK(got->size() == 2);
    CHECK(got->at("version") == "0.4.9.11");
    CHECK(got->at("config-text") == "A 1\nB 2\n");
    CHECK(encoded(c::get_info{}) == "GETINFO\r\n");
    CHECK(c::get_info{}.parse(reply_of("250 OK\r\n"))->empty());
    // The key ends at the first `=`.
    CHECK(c::get_info{{"a"}}.parse(reply_of("250-a=b=c\r\n250 OK\r\n"))->at("a") == "b=c");
    // Keys may hold nearly anything.
    CHECK(encoded(c::get_info{{"ip-to-country/::1", "ns/name/a", "desc/id/$AA~b"}}) ==
          "GETINFO ip-to-country/::1 ns/name/a desc/id/$AA~b\r\n");
}

TEST_CASE("GETINFO: unknown keys are named, all of them; one without a value is another error") {
    const c::get_info g{{"version", "nonsense", "other"}};
    const auto unknown = g.parse(reply_of("552-Unrecognized key \"nonsense\"\r\n552 Unrecognized key \"other\"\r\n"));
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == c::errc::unrecognized);
    CHECK(unknown.error().message() ==
          "GETINFO: tor does not know this (Unrecognized key \"nonsense\"; Unrecognized key \"other\")");
    for (const auto* bytes : {"551 Address unknown\r\n", "551 Not found in cache\r\n"})
        CHECK(g.parse(reply_of(bytes)).error().code == c::errc::unavailable);
    CHECK(failure_of(g, "551 Address unknown\r\n") == "GETINFO: tor cannot do this now (Address unknown)");
}

TEST_CASE("GETINFO: an answer that is not its own") {
    const c::get_info g{{"version"}};
    CHECK(failure_of(g, "250 OK\r\n") == "GETINFO gave no version: tor's answer is not the one to this command");
    CHECK(failure_of(g, "250-PROTOCOLINFO 1\r\n250 OK\r\n") == "GETINFO: tor's answer is not the one to this command");
}

TEST_CASE("keys, names and signals that would be another command are not sent") {
    for (const auto* key : {"", "a b", "a\r\nQUIT", "a\"", "a\nb", "\xc3\xa9", "a'"})
        CHECK(encoded(c::get_info{{key}}).starts_with("refused: the key "));
    for (const auto* name : {"", "a b", "A\r\nQUIT", "A=b", "A\n"}) {
        CHECK(encoded(c::get_conf{{name}}) == "refused: the option is not a word");
        CHECK(encoded(c::set_conf{{{name, "x"}}}) == "refused: the option is not a word");
        CHECK(encoded(c::set_events{{name}}) == "refused: the event is not a word");
        CHECK(encoded(c::signal{name}) == "refused: the signal is not a word");
    }
    CHECK(c::signal{""}.encode().error().code == c::errc::invalid_argument);
}

TEST_CASE("GETCONF: the last answer is the end line, quoted or raw, unset or several") {
    const c::get_conf g{{"SocksPort", "nickname", "CookieAuthFile"}};
    CHECK(encoded(g) == "GETCONF SocksPort nickname CookieAuthFile\r\n");
    const auto got =
        g.parse(reply_of("250-SocksPort=9050\r\n250-SocksPort=9150\r\n250-Nickname\r\n"
                         "250 CookieAuthFile=\"/tmp/we\\\"ird \\303\\251\"\r\n"));
    REQUIRE(got);
    using option = std::pair<std::string, std::optional<std::string>>;
    REQUIRE(got->size() == 4);
    CHECK((*got)[0] == option{"SocksPort", "9050"});
    CHECK((*got)[1] == option{"SocksPort", "9150"});
    CHECK((*got)[2] == option{"Nickname", std::nullopt});
    CHECK((*got)[3] == option{"CookieAuthFile", "/tmp/we\"ird \xc3\xa9"});
    CHECK(c::get_conf{}.parse(reply_of("250 OK\r\n"))->empty());
    CHECK(c::get_conf{{"ContactInfo"}}.parse(reply_of("250 ContactInfo= x 'b' \"c\r\n"))->at(0).second == " x 'b' \"c");
    CHECK(failure_of(g,
                     "552-Unrecognized configuration key \"nonsense\"\r\n"
                     "552 Unrecognized configuration key \"nix\"\r\n") ==
          "GETCONF: tor does not know this (Unrecognized configuration key \"nonsense\"; Unrecognized configuration "
          "key \"nix\")");
}

TEST_CASE("SETCONF and RESETCONF quote, and refuse what tor would repeat as a forged answer") {
    c::set_conf s;
    s.values = {{"ContactInfo", "a \"b\" \\c"}, {"Nickname", std::nullopt}, {"Log", "notice stdout"}, {"Log", ""}};
    CHECK(encoded(s) == "SETCONF ContactInfo=\"a \\\"b\\\" \\\\c\" Nickname Log=\"notice stdout\" Log=\"\"\r\n");
    CHECK(encoded(c::reset_conf{{{"__OwningControllerProcess", std::nullopt}}}) ==
          "RESETCONF __OwningControllerProcess\r\n");
    CHECK(encoded(c::set_conf{{{"Nickname", "a\r\n250 OK\r\nb"}}}) ==
          "refused: Nickname: the value holds a line end or NUL");
    CHECK(encoded(c::reset_conf{{{"Nickname", std::string{"a\0b", 3}}}}) ==
          "refused: Nickname: the value holds a line end or NUL");
    CHECK(c::set_conf{}.parse(reply_of("250 OK\r\n")));
    CHECK(failure_of(s, "552 Unrecognized option: Unknown option 'Foo'.  Failing.\r\n") ==
          "SETCONF: tor does not know this (Unrecognized option: Unknown option 'Foo'.  Failing.)");
    CHECK(s.parse(reply_of("513 Unacceptable option value: Nickname 'a\nb', nicknames ...\r\n")).error().code ==
          c::errc::rejected);
    CHECK(s.parse(reply_of("512 Bad arguments to SETCONF: Cannot parse keyword argument(s)\r\n")).error().code ==
          c::errc::rejected);
}

TEST_CASE("a line of a person's goes as it is, with data where it says so") {
    CHECK(encoded(c::raw{"GETINFO  version "}) == "GETINFO  version \r\n");
    CHECK(encoded(c::raw{"+HSPOST SERVER=x", ".a\nb\n"}) == "+HSPOST SERVER=x\r\n..a\r\nb\r\n.\r\n");
    CHECK(encoded(c::raw{"+LOADCONF"}) == "+LOADCONF\r\n.\r\n");
    for (const auto& wrong : {c::raw{"GETINFO version", "data"}, c::raw{"GETINFO version\r\nQUIT"}})
        CHECK(wrong.encode().error().code == c::errc::invalid_argument);
}

TEST_CASE("LOADCONF is data with its dots stuffed; SAVECONF") {
    CHECK(encoded(c::load_conf{"ContactInfo x\n.dot\n..\nLog notice stdout"}) ==
          "+LOADCONF\r\nContactInfo x\r\n..dot\r\n...\r\nLog notice stdout\r\n.\r\n");
    CHECK(encoded(c::load_conf{"a\r\n\nb\n"}) == "+LOADCONF\r\na\r\n\r\nb\r\n.\r\n");
    CHECK(encoded(c::load_conf{}) == "+LOADCONF\r\n.\r\n");
    CHECK(encoded(c::load_conf{"a\rb"}) == "refused: the configuration holds a NUL, or a CR inside a line");
    CHECK(encoded(c::load_conf{std::string{"a\0b", 3}}) ==
          "refused: the configuration holds a NUL, or a CR inside a line");
    CHECK(c::load_conf{}.parse(reply_of("250 OK\r\n")));
    // A tor 0.4.9.11 said these.
    CHECK(failure_of(c::load_conf{},
                     "552 Invalid config file: Failed to parse/validate config: Unknown option 'Nonsense'.  "
                     "Failing.\r\n")
              .starts_with("LOADCONF: tor refused (Invalid config file"));
    CHECK(c::load_conf{}
              .parse(reply_of("553 Transition not allowed: Failed to parse/validate config: While Tor is running, "
                              "changing DataDirectory is not allowed\r\n"))
              .error()
              .code == c::errc::rejected);
    CHECK(encoded(c::save_conf{}) == "SAVECONF\r\n");
    CHECK(encoded(c::save_conf{true}) == "SAVECONF FORCE\r\n");
    CHECK(c::save_conf{}.parse(reply_of("551 Unable to write configuration to disk.\r\n")).error().code ==
          c::errc::unavailable);
}

TEST_CASE("USEFEATURE") {
    CHECK(encoded(c::use_feature{{"VERBOSE_NAMES", "EXTENDED_EVENTS"}}) ==
          "USEFEATURE VERBOSE_NAMES EXTENDED_EVENTS\r\n");
    CHECK(encoded(c::use_feature{{"a b"}}) == "refused: the feature is not a word");
    CHECK(c::use_feature{}.parse(reply_of("552 Unrecognized feature \"NONSENSE\"\r\n")).error().code ==
          c::errc::unrecognized);
}

TEST_CASE("SETEVENTS and SIGNAL") {
    CHECK(encoded(c::set_events{{"HS_DESC", "BW"}}) == "SETEVENTS HS_DESC BW\r\n");
    CHECK(encoded(c::set_events{}) == "SETEVENTS\r\n");
    CHECK(failure_of(c::set_events{}, "552 Unrecognized event \"NONSENSE\"\r\n") ==
          "SETEVENTS: tor does not know this (Unrecognized event \"NONSENSE\")");
    CHECK(encoded(c::signal{"NEWNYM"}) == "SIGNAL NEWNYM\r\n");
    CHECK(c::signal{}.parse(reply_of("552 Unrecognized signal code \"FOO\"\r\n")).error().code ==
          c::errc::unrecognized);
    CHECK(c::signal{}.parse(reply_of("250 OK\r\n")));
}

TEST_CASE("authentication, ownership and the end") {
    CHECK(encoded(c::protocol_info{}) == "PROTOCOLINFO 1\r\n");
    CHECK(encoded(c::authenticate{}) == "AUTHENTICATE\r\n");
    CHECK(encoded(c::authenticate{secret{std::string_view{"a\0\"", 3}}}) == "AUTHENTICATE 610022\r\n");
    CHECK(encoded(c::take_ownership{}) == "TAKEOWNERSHIP\r\n");
    CHECK(encoded(c::drop_ownership{}) == "DROPOWNERSHIP\r\n");
    CHECK(encoded(c::quit{}) == "QUIT\r\n");
    CHECK(c::quit{}.parse(reply_of("250 closing connection\r\n")));
    CHECK(c::drop_ownership{}.parse(reply_of("250 OK\r\n")));
    CHECK(c::take_ownership{}.parse(reply_of("514 Authentication required.\r\n")).error().code ==
          c::errc::authentication_required);
    CHECK(c::authenticate{}.parse(reply_of("515 Cookie authentication is disabled\r\n")).error().code ==
          c::errc::authentication_failed);
}

TEST_CASE("a refusal is told by status and words, apart from ours") {
    const auto code = [](std::string_view bytes) { return c::refusal(reply_of(bytes)).code; };
    CHECK(code("500 Line too long.\r\n") == c::errc::rejected);
    CHECK(code("510 Unrecognized command \"FOO\"\r\n") == c::errc::unrecognized);
    CHECK(code("512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"X\"\r\n") == c::errc::unrecognized);
    CHECK(code("512 Bad arguments to SIGNAL: Need at least 1 argument(s)\r\n") == c::errc::rejected);
    CHECK(code("514 Authentication required.\r\n") == c::errc::authentication_required);
    CHECK(code("550 Onion address collision\r\n") == c::errc::onion_collision);
    CHECK(code("550 Something else\r\n") == c::errc::rejected);
    CHECK(code("551 Couldn't start circuit\r\n") == c::errc::unavailable);
    CHECK(code("552 Unknown Onion Service id\r\n") == c::errc::no_such_onion);
    CHECK(code("553 Unable to store creds for \"x\"\r\n") == c::errc::rejected);
    CHECK(code("554 Invalid descriptor\r\n") == c::errc::rejected);
    // MAPADDRESS refuses line by line.
    CHECK(c::refusal(reply_of("512-syntax error\r\n250 a=b\r\n"), "ours").message() ==
          "ours: tor refused (syntax error)");
}

TEST_CASE("net/listeners are quoted strings") {
    const auto got = c::parse_listeners("\"127.0.0.1:9050\" \"unix:/run/tor/so\\\"cks\"");
    REQUIRE(got);
    CHECK(*got == std::vector<std::string>{"127.0.0.1:9050", "unix:/run/tor/so\"cks"});
    CHECK(c::parse_listeners("")->empty());
    CHECK_FALSE(c::parse_listeners("127.0.0.1:9050"));
}

TEST_CASE("a real tor's answers, in the order of the session") {
    auto all = test::replies_of(test::captured("configuration"));
    std::erase_if(all, [](const c::reply& r) { return r.is_event(); });
    std::size_t at = 0;
    const auto next = [&]() -> const c::reply& { return all.at(at++); };
    CHECK(c::authenticate{}.parse(next()));
    const auto info = c::get_info{{"version", "events/names"}}.parse(next());
    REQUIRE(info);
    CHECK(info->at("version") == "0.4.9.11");
    CHECK(info->at("events/names").ends_with("HS_DESC HS_DESC_CONTENT NETWORK_LIVENESS"));
    CHECK(c::get_info{{"signal/names"}}.parse(next())->at("signal/names").starts_with("RELOAD HUP"));
    CHECK(c::get_info{}.parse(next())->empty());
    CHECK(c::get_conf{}.parse(next())->empty());
    CHECK(c::get_info{{"x"}}.parse(next()).error().code == c::errc::unrecognized);
    CHECK(c::get_info{{"status/bootstrap-phase"}}.parse(next())->at("onions/current").empty());
    CHECK(c::get_info{{"address"}}.parse(next()).error().code == c::errc::unavailable);
    CHECK_FALSE(c::get_conf{{"nickname", "contactinfo"}}.parse(next())->at(1).second);
    CHECK(c::get_conf{{"x"}}.parse(next()).error().code == c::errc::unrecognized);
    CHECK(c::set_events{}.parse(next()).error().code == c::errc::unrecognized);
    CHECK(c::set_events{}.parse(next()));
    CHECK(c::set_conf{}.parse(next()));
    const auto conf = c::get_conf{{"ContactInfo", "Nickname", "CookieAuthFile"}}.parse(next());
    REQUIRE(conf);
    CHECK(conf->at(0).second == "a \"b\" c\xc3\xa9");
    CHECK(conf->at(2).second == "/tmp/we\"ird \xc3\xa9/cookie");
    CHECK(c::set_conf{}.parse(next()));
    CHECK(c::set_conf{}.parse(next()).error().peer.starts_with("Unacceptable option value: Nickname 'a\nb'"));
    CHECK(c::set_conf{}.parse(next()).error().code == c::errc::unrecognized);
    CHECK(c::set_conf{}.parse(next()).error().code == c::errc::rejected);
    CHECK(c::reset_conf{}.parse(next()));
    CHECK(c::signal{}.parse(next()).error().code == c::errc::unrecognized);
    CHECK(c::signal{}.parse(next()));
    CHECK(c::signal{}.parse(next()));
}
