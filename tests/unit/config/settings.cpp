#include <bento/config/settings.hpp>

#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using launch = config::settings::tor_settings::launch_policy;

TEST_CASE("an empty configuration is all defaults") {
    const auto s = config::parse("", "x");
    REQUIRE(s);
    CHECK(s->onion.port == 80);
    CHECK(s->gateway.max_body == 1024 * 1024);
    CHECK(s->tor.launch == launch::automatic);
    CHECK_FALSE(s->gateway.server);
}

TEST_CASE("values reach their places") {
    const auto s = config::parse(R"(
[tor]
control = "unix:/run/tor/control"
launch = "never"
[onion]
port = 8080
pow = "require"
pow_queue_rate = 50
client_auth = ["descriptor:x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
               "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
[gateway]
server = "127.0.0.1:8888"
store = false
calls = "any"
deadline = "90s"
max_body = "64KiB"
[box]
processes = 7
)",
                                 "x");
    REQUIRE(s);
    CHECK(s->tor.control == endpoint::unix_socket("/run/tor/control"));
    CHECK(s->tor.launch == launch::never);
    CHECK(s->onion.port == 8080);
    CHECK(s->onion.pow == config::settings::onion_settings::pow_policy::require);
    CHECK(s->onion.pow_queue_rate == 50u);
    CHECK_FALSE(s->onion.pow_queue_burst);
    CHECK(s->onion.client_auth == std::vector<std::string>{std::string(52, 'a'), "b" + std::string(51, 'a')});
    CHECK(s->gateway.server == endpoint::tcp("127.0.0.1", 8888));
    CHECK_FALSE(s->gateway.store);
    CHECK_FALSE(s->gateway.literal_calls);
    CHECK(s->gateway.deadline == 90s);
    CHECK(s->gateway.max_body == 65536);
    CHECK(s->box.processes == 7);
}

TEST_CASE("every mistake is told with its line and what was expected") {
    const auto s = config::parse(
        "[tor]\nlaunch = \"maybe\"\n[onion]\nport = 70000\nprot = 1\n[bx]\n[gateway]\ndeadline = 5\n", "c.toml");
    REQUIRE_FALSE(s);
    CHECK(s.error().code == config::errc::malformed);
    CHECK(s.error().detail ==
          "c.toml:2: tor.launch: expected \"auto\" or \"always\" or \"never\"\n"
          "c.toml:4: onion.port: expected a number from 1 to 65535\n"
          "c.toml:5: [onion] has no key \"prot\"; known are client_auth, max_streams, port, pow, "
          "pow_queue_burst, pow_queue_rate\n"
          "c.toml:6: no table is named \"bx\"; known are box, gateway, onion, tor\n"
          "c.toml:8: gateway.deadline: expected a duration such as \"90s\"");
}

TEST_CASE("the key of a client is checked, and so is what is no list of them") {
    for (const auto* wrong : {"\"x\"", "[1]", "[\"descriptor:x25519:AAAA\"]",
                              "[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\"]"}) {  // unused bits are set
        const auto s = config::parse(std::string{"[onion]\nclient_auth = "} + wrong + "\npow = 1\n", "c");
        REQUIRE_FALSE(s);
        CHECK(s.error().detail ==
              "c:2: onion.client_auth: expected a list of keys such as \"descriptor:x25519:\" and 52 characters of "
              "base32\nc:3: onion.pow: expected \"off\" or \"prefer\" or \"require\"");
    }
}

TEST_CASE("what is not TOML is told with its line") {
    const auto s = config::parse("[tor]\ncontrol = \n", "c.toml");
    REQUIRE_FALSE(s);
    CHECK(s.error().detail.starts_with("c.toml:2: "));
}

TEST_CASE("a file that is not there is unreadable") {
    CHECK(config::load("/nonexistent/config.toml").error().code == config::errc::unreadable);
}
