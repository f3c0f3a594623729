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
          "c.toml:6: no table is named \"bx\"; known are bfd, box, directory, gateway, onion, rotation, tor, route\n"
          "c.toml:8: gateway.deadline: expected a duration such as \"90s\"");
}

TEST_CASE("the limits of functions") {
    const auto s = config::parse("[box]\nwarm = 0\nmemory = \"128MiB\"\ncpu = \"5s\"\n", "c");
    REQUIRE(s);
    CHECK(s->box.warm == 0);
    CHECK(s->box.memory == 128 << 20);
    CHECK(s->box.cpu == 5s);
    const auto wrong = [](const std::string& line) {
        return config::parse("[box]\n" + line + "\n", "c").error().detail;
    };
    for (const auto* warm : {"-1", "257", "1.5", "\"4\"", "true"})
        CHECK(wrong("warm = " + std::string{warm}) == "c:2: box.warm: expected a number from 0 to 256");
    CHECK(wrong("instances = 0") == "c:2: box.instances: expected a number from 1 to 4096");
    CHECK(wrong("processes = 5000") == "c:2: box.processes: expected a number from 1 to 4096");
    CHECK(wrong("memory = 256") == "c:2: box.memory: expected a size such as \"64KiB\"");
    CHECK(wrong("ttl = \"1\"") == "c:2: box.ttl: expected a duration such as \"90s\"");
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

TEST_CASE("T39: who may store is the operator's to say") {
    using storers = config::settings::box_settings::storers;
    const auto s = config::parse("[box]\nstore_who = \"credential\"\nstore_credential_file = \"/etc/c\"\n", "c");
    REQUIRE(s);
    CHECK(s->box.store_who == storers::credential);
    CHECK(s->box.store_credential_file == "/etc/c");
    CHECK(config::parse("[box]\nstore_who = \"operator\"\n", "c")->box.store_who == storers::operator_);
    CHECK(config::parse("", "c")->box.store_who == storers::anyone);
    const auto wrong = [](const std::string& lines) { return config::parse("[box]\n" + lines, "c").error().detail; };
    CHECK(wrong("store_who = \"me\"\n") == "c:2: box.store_who: expected \"anyone\" or \"credential\" or \"operator\"");
    CHECK(wrong("store_credential_file = \"c\"\n") == "c:2: box.store_credential_file: expected an absolute path");
    CHECK(wrong("store_who = \"credential\"\n") == "c:2: box.store_who: \"credential\" needs a store_credential_file");
}

TEST_CASE("every path of the gateway can be taken away") {
    const auto s = config::parse(
        "[gateway]\ninput = false\nclose = false\ndelete = false\nregister = false\nsession = false\n", "c");
    REQUIRE(s);
    const auto& g = s->gateway;
    CHECK_FALSE((g.input || g.close || g.delete_ || g.register_ || g.session));
    for (const auto* key : {"store", "exec", "open", "input", "close", "delete", "register", "session"})
        CHECK(config::parse("[gateway]\n" + std::string{key} + " = 1\n", "c").error().detail ==
              "c:2: gateway." + std::string{key} + ": expected true or false");
}

TEST_CASE("a directory's keys") {
    const auto s = config::parse(R"(
[directory]
listen = "127.0.0.1:4711"
store = "sqlite:/var/lib/bfd/directory.db"
hash = "argon2id"
bcrypt_cost = 13
max_code = "64KiB"
entries_per_account = 434
pow = "require"
)",
                                 "c");
    REQUIRE(s);
    using hash = config::settings::directory_settings::hash_scheme;
    using pow = config::settings::onion_settings::pow_policy;
    CHECK(s->directory.listen == endpoint::tcp("127.0.0.1", 4711));
    CHECK(s->directory.sqlite == "/var/lib/bfd/directory.db");
    CHECK(s->directory.hash == hash::argon2id);
    CHECK(s->directory.bcrypt_cost == 13);
    CHECK(s->directory.max_code == 65536);
    CHECK(s->directory.entries_per_account == 434);
    CHECK(s->directory.pow == pow::require);
    const config::settings defaults;
    CHECK(defaults.directory.bcrypt_cost == 12);
    CHECK(defaults.directory.pow == pow::prefer);
    const auto wrong = [](const std::string& line) {
        return config::parse("[directory]\n" + line + "\n", "c").error().detail;
    };
    CHECK(wrong("listen = 4711") == "c:2: directory.listen: expected \"unix:/absolute/path\" or \"HOST:PORT\"");
    for (const auto* store : {"\"sqlite:directory.db\"", "\"sqlite:/\"", "\"/directory.db\"", "\"mysql://x\"", "1"})
        CHECK(wrong("store = " + std::string{store}) == "c:2: directory.store: expected \"sqlite:/absolute/path\"");
    CHECK(wrong("hash = \"sha256\"") == "c:2: directory.hash: expected \"bcrypt\" or \"argon2id\"");
    for (const auto* cost : {"3", "21", "\"12\""})
        CHECK(wrong("bcrypt_cost = " + std::string{cost}) ==
              "c:2: directory.bcrypt_cost: expected a number from 4 to 20");
    CHECK(wrong("max_code = \"2MiB\"") == "c:2: directory.max_code: expected a size up to \"1MiB\"");
    CHECK(wrong("entries_per_account = 0").starts_with("c:2: directory.entries_per_account: expected a number from 1"));
    CHECK(wrong("pow = true") == "c:2: directory.pow: expected \"off\" or \"prefer\" or \"require\"");
}

TEST_CASE("the directories that are asked") {
    const auto s = config::parse(
        "[bfd]\nonions = [\"a.onion\", \"127.0.0.1:4711\"]\nowner_file = \"/etc/bentoctl/owner\"\nmax_stale = \"0\"\n",
        "c");
    REQUIRE(s);
    CHECK(s->bfd.onions == std::vector<std::string>{"a.onion", "127.0.0.1:4711"});
    CHECK(s->bfd.owner_file == "/etc/bentoctl/owner");
    CHECK(s->bfd.max_stale == std::chrono::milliseconds{0});
    CHECK(config::settings{}.bfd.max_stale == std::chrono::minutes{10});
    const auto wrong = [](const std::string& line) {
        return config::parse("[bfd]\n" + line + "\n", "c").error().detail;
    };
    for (const auto* onions : {"\"a.onion\"", "[1]", "[\"\"]"})
        CHECK(wrong("onions = " + std::string{onions}) ==
              "c:2: bfd.onions: expected a list of up to 16 onion addresses of directories");
    std::string many = "onions = [";
    for (int i = 0; i < 17; ++i)
        many += "\"a.onion\",";
    CHECK(wrong(many + "]") == "c:2: bfd.onions: expected a list of up to 16 onion addresses of directories");
    CHECK(wrong("owner_file = \"owner\"") == "c:2: bfd.owner_file: expected an absolute path");
    CHECK(wrong("max_stale = 600") == "c:2: bfd.max_stale: expected a duration such as \"90s\"");
}

TEST_CASE("routes of the operator's") {
    const std::string token = "token = \"7e620807-59fd-498d-94f9-1722672411ab\"\n";
    const auto s = config::parse("[[route]]\npath = \"/tracker\"\n" + token +
                                     "call = \"track\"\narguments = { site = \"string\", every = \"integer?\" }\n"
                                     "collect_seconds = 5\n[[route]]\npath = \"/b\"\n" +
                                     token + "call = \"f(1)\"\ncollect_messages = 3\n",
                                 "c");
    REQUIRE(s);
    REQUIRE(s->routes.size() == 2);
    const auto& r = s->routes[0];
    CHECK(r.path == "/tracker");
    CHECK(r.token->text() == "7e620807-59fd-498d-94f9-1722672411ab");
    CHECK(r.arguments.at("site").is == config::settings::route::type::text);
    CHECK_FALSE(r.arguments.at("every").needed);
    CHECK(r.collect_seconds == 5);
    CHECK(s->routes[1].collect_messages == 3u);
    const auto wrong = [&](const std::string& lines) {
        return config::parse("[[route]]\n" + lines, "c").error().detail;
    };
    CHECK(wrong("path = \"/x\"\n") == "c:1: [[route]]: a route needs a path, a token and a call");
    for (const auto* path : {"x", "/open", "/", "/a b", "/a?b"})
        CHECK(wrong("path = \"" + std::string{path} + "\"\n") ==
              "c:2: route.path: expected a path such as \"/tracker\", none of the gateway's own");
    CHECK(wrong("token = \"x\"\n") == "c:2: route.token: expected a token, a lower-case uuid4");
    CHECK(wrong("call = \"\"\n") == "c:2: route.call: expected the name of a function, or a call");
    CHECK(wrong("arguments = { a = \"text\" }\n").starts_with("c:2: route.arguments: expected a table of names"));
    CHECK(wrong("collect_seconds = 0\n") == "c:2: route.collect_seconds: expected a number of seconds up to 86400");
    CHECK(wrong("collect_messages = 0\n").starts_with("c:2: route.collect_messages: expected a number from 1"));
    CHECK(wrong("other = 1\n").starts_with("c:2: [route] has no key \"other\""));
    CHECK(wrong("path = \"/x\"\n" + token + "call = \"f(1)\"\narguments = { a = \"any\" }\n") ==
          "c:1: [[route]]: a route with arguments calls by name alone");
}

TEST_CASE("what is not TOML is told with its line") {
    const auto s = config::parse("[tor]\ncontrol = \n", "c.toml");
    REQUIRE_FALSE(s);
    CHECK(s.error().detail.starts_with("c.toml:2: "));
}

TEST_CASE("a file that is not there is unreadable") {
    CHECK(config::load("/nonexistent/config.toml").error().code == config::errc::unreadable);
}

TEST_CASE("a rotation's times fit together") {
    const auto s = config::parse(R"(
[rotation]
max_age = "7d"
jitter = "12h"
grace = "30m"
min_uploads = "all"
verify = false
)",
                                 "x");
    REQUIRE(s);
    CHECK(s->rotation.max_age == 7 * 24h);
    CHECK(s->rotation.jitter == 12h);
    CHECK(s->rotation.grace == 30min);
    CHECK(s->rotation.min_uploads == config::settings::rotation_settings::uploads::all);
    CHECK_FALSE(s->rotation.verify);
    CHECK(config::parse("[rotation]\ngrace = \"10m\"\n", "c"));

    const auto mistake = [](std::string_view text) { return config::parse(text, "c").error().detail; };
    CHECK(mistake("[rotation]\nmax_age = 7\n") == "c:2: rotation.max_age: expected a duration such as \"7d\"");
    CHECK(mistake("[rotation]\nmin_uploads = 3\n") ==
          "c:2: rotation.min_uploads: expected \"first\" or \"quorum\" or \"all\"");
    CHECK(mistake("[rotation]\nverify = \"yes\"\n") == "c:2: rotation.verify: expected true or false");
    CHECK(mistake("[rotation]\ngrace = \"9m\"\n") ==
          "c:2: rotation.grace: expected no less than bfd.max_stale, for which callers may use what they know");
    CHECK(mistake("[bfd]\nmax_stale = \"2h\"\n") ==
          "c:2: bfd.max_stale: expected no more than rotation.grace, which the old onion answers for");
    CHECK(mistake("[rotation]\nmax_age = \"1d\"\njitter = \"1d\"\n") ==
          "c:3: rotation.jitter: expected less than rotation.max_age");
    CHECK(mistake("[rotation]\nmax_age = \"30m\"\n") == "c:2: rotation.max_age: expected no less than rotation.grace");
    CHECK(mistake("[rotation]\njitter = \"1h\"\n") == "c:2: rotation.jitter: expected rotation.max_age beside it");
}
