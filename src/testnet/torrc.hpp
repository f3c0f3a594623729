// The configurations of the private network's tors: text from values, no effect.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bento::testnet {

/// One tor of the network.
struct node {
    enum class role { authority, relay, client };
    std::string name;
    role is = role::relay;
    std::uint16_t or_port = 0;       ///< where others reach it
    std::uint16_t real_or_port = 0;  ///< where it listens; another than or_port where links are delayed
    std::uint16_t dir_port = 0;      ///< authorities
    std::uint16_t socks_port = 0;    ///< clients
    std::uint16_t control_port = 0;  ///< clients
    std::string v3_identity;         ///< authorities: fingerprint of the identity certificate
    std::string fingerprint;         ///< authorities: of the relay
};

/// Between two consensuses, the first one included (V3AuthVotingInterval of a testing network). Were that one out of
/// step, the second would move the time from which tor counts a descriptor's revisions: an onion service whose tor
/// still goes by the first would be refused for minutes where one that goes by the second has been.
constexpr std::chrono::seconds voting_interval{300};
/// When the intervals begin, after each full one of the clock, for a network launched at `now` (seconds since 1970):
/// the first one so late that the authorities have been told of all its relays. An earlier vote makes a consensus
/// without relays. A `patient` one waits long enough for a busy machine.
std::chrono::seconds voting_offset(std::int64_t now, bool patient);

/// The whole torrc of one node; its files are in `directory`/NAME.
std::string torrc(const node& of, const std::vector<node>& all, const std::filesystem::path& directory,
                  std::chrono::seconds offset);

/// For a client that is none of the nodes: what its own torrc includes.
std::string guest_torrc(const std::vector<node>& all);

}  // namespace bento::testnet
