#include "testnet/torrc.hpp"

#include "test.hpp"

using namespace bento::testnet;
using namespace std::chrono_literals;

namespace {

std::vector<node> nodes() {
    return {{.name = "auth1",
             .is = node::role::authority,
             .or_port = 1,
             .real_or_port = 1,
             .dir_port = 2,
             .v3_identity = "ID",
             .fingerprint = "FP"},
            {.name = "relay1", .is = node::role::relay, .or_port = 3, .real_or_port = 4},
            {.name = "client", .is = node::role::client, .socks_port = 5, .control_port = 6}};
}

bool has(const std::string& text, std::string_view line) {
    return ("\n" + text).find("\n" + std::string{line} + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("every tor knows the authorities; only authorities vote") {
    const auto all = nodes();
    for (const auto& n : all) {
        const auto text = torrc(n, all, "/d", 7s);
        CHECK(has(text, "DirAuthority auth1 orport=1 no-v2 v3ident=ID 127.0.0.1:2 FP"));
        CHECK(has(text, "AuthoritativeDirectory 1") == (n.is == node::role::authority));
        CHECK(has(text, "TestingV3AuthVotingStartOffset 7") == (n.is == node::role::authority));
        CHECK(has(text, "TestingV3AuthInitialVotingInterval 300"));
        CHECK(has(text, "DataDirectory \"/d/" + n.name + "\""));
    }
}

TEST_CASE("a guest knows the authorities, and is a client as the network's own are") {
    const auto all = nodes();
    const auto text = guest_torrc(all);
    CHECK(has(text, "DirAuthority auth1 orport=1 no-v2 v3ident=ID 127.0.0.1:2 FP"));
    for (const auto* line : {"TestingTorNetwork 1", "VanguardsLiteEnabled 0", "LearnCircuitBuildTimeout 0"}) {
        CHECK(has(text, line));
        CHECK(has(torrc(all[2], all, "/d", 7s), line));
    }
}

TEST_CASE("a delayed relay advertises one port and listens on another; nothing goes beyond loopback") {
    const auto all = nodes();
    const auto relay = torrc(all[1], all, "/d", 0s);
    CHECK(has(relay, "ORPort 127.0.0.1:3 NoListen"));
    CHECK(has(relay, "ORPort 127.0.0.1:4 NoAdvertise"));
    CHECK(has(relay, "OutboundBindAddress 127.0.0.1"));
    CHECK(has(torrc(all[0], all, "/d", 0s), "ORPort 127.0.0.1:1"));
    const auto client = torrc(all[2], all, "/d", 0s);
    CHECK(has(client, "SocksPort 127.0.0.1:5"));
    CHECK(has(client, "ControlPort 127.0.0.1:6"));
    CHECK(client.find("ORPort 127") == std::string::npos);
}

TEST_CASE("the first vote comes when the relays are known, and not seconds before") {
    const bool patient = GENERATE(false, true);
    for (std::int64_t launch = 1000; launch < 1060; ++launch) {
        const auto offset = voting_offset(launch, patient).count();
        CHECK(offset < voting_interval.count());
        // Votes are cast 4 s before every interval's begin.
        auto vote = launch;
        while ((vote + 4 - offset) % voting_interval.count() != 0)
            ++vote;
        CHECK(vote - launch == (patient ? 21 : 6));
    }
}
