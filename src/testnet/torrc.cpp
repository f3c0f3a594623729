#include "torrc.hpp"

#include <fmt/format.h>

namespace bento::testnet {
namespace {

// Every option that differs from TestingTorNetwork's own defaults, and why.
constexpr std::string_view common = R"(TestingTorNetwork 1
# The consensus is small: one missing descriptor must not stop circuits.
PathsNeededToBuildCircuits 0.67
# All relays are on one address.
AuthDirMaxServersPerAddr 0
EnforceDistinctSubnets 0
AssumeReachable 1
# A first consensus after seconds, not minutes.
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
TestingAuthDirTimeToLearnReachability 0
TestingMinExitFlagThreshold 0
V3AuthNIntervalsValid 2
# Nothing leaves this machine, not even a question for a name.
ServerDNSDetectHijacking 0
ServerDNSAllowBrokenConfig 1
ServerDNSResolvConfFile /dev/null
ClientUseIPv6 0
DisableDebuggerAttachment 0
SafeLogging 0
ProtocolWarnings 1
)";

constexpr std::string_view for_relays = R"(ContactInfo none
SocksPort 0
ExitRelay 1
ExitPolicyRejectPrivate 0
# An exit is called one where it accepts nearly everything; that nothing leaves the machine all the same is the kernel's
# doing, which routes nothing from a loopback address to another.
ExitPolicy accept *:*
# All relays advertise nothing and count the same. Otherwise one that had sent something before the first vote would be the
# last hop of every circuit, also of those that begin at it, and they fail.
TestingMinTimeToReportBandwidth 1 day
OutboundBindAddress 127.0.0.1
)";

constexpr std::string_view for_clients =
    R"(# In a network of eight relays a second-layer guard is often the first one too, and such a circuit fails.
VanguardsLiteEnabled 0
# A busy machine builds circuits more slowly than tor learned while it was idle, and those would be closed once built.
LearnCircuitBuildTimeout 0
)";

constexpr std::string_view for_authorities = R"(AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
TestingDirAuthVoteExit *
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
)";

std::string authorities_of(const std::vector<node>& all) {
    std::string out;
    for (const auto& a : all)
        if (a.is == node::role::authority && !a.fingerprint.empty())
            out += fmt::format("DirAuthority {} orport={} no-v2 v3ident={} 127.0.0.1:{} {}\n", a.name, a.or_port,
                               a.v3_identity, a.dir_port, a.fingerprint);
    return out;
}

}  // namespace

std::chrono::seconds voting_offset(std::int64_t now, bool patient) {
    // Votes are cast 4 s (vote and distribution delay) before an interval begins; relays take 1 to 2 s to upload their
    // descriptors where the machine is idle.
    constexpr std::int64_t delays = 4;
    const std::int64_t launch = patient ? 20 : 5;
    return std::chrono::seconds{now + 1 + launch + delays} % voting_interval;
}

std::string torrc(const node& of, const std::vector<node>& all, const std::filesystem::path& directory,
                  std::chrono::seconds offset) {
    const auto folder = (directory / of.name).string();
    std::string out{common};
    out += fmt::format("TestingV3AuthInitialVotingInterval {}\n", voting_interval.count());
    out += fmt::format("DataDirectory \"{}\"\nLog notice file {}/log\nLog warn stdout\n", folder, folder);
    out += authorities_of(all);

    if (of.is == node::role::client) {
        out += for_clients;
        out += fmt::format("SocksPort 127.0.0.1:{}\nControlPort 127.0.0.1:{}\nCookieAuthentication 1\n", of.socks_port,
                           of.control_port);
        return out;
    }
    out += for_relays;
    out += fmt::format("Nickname {}\nAddress 127.0.0.1\n", of.name);
    if (of.real_or_port == of.or_port)
        out += fmt::format("ORPort 127.0.0.1:{}\n", of.or_port);
    else
        out +=
            fmt::format("ORPort 127.0.0.1:{} NoListen\nORPort 127.0.0.1:{} NoAdvertise\n", of.or_port, of.real_or_port);
    if (of.is == node::role::authority) {
        out += for_authorities;
        out += fmt::format("TestingV3AuthVotingStartOffset {}\n", offset.count());
        out += fmt::format("DirPort 127.0.0.1:{}\n", of.dir_port);
    }
    return out;
}

std::string guest_torrc(const std::vector<node>& all) {
    std::string out = "TestingTorNetwork 1\nPathsNeededToBuildCircuits 0.67\n";
    out += for_clients;
    return out + authorities_of(all);
}

}  // namespace bento::testnet
