// The events of tor's network side (control-spec section 4.1): relays, connections, addresses, traffic; and the
// listings of GETINFO that have the same form. Members that an event does not name are empty, and what it names beside
// them is in `rest`.
#pragma once

#include <bento/control/quote.hpp>
#include <bento/control/reply.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bento::control {

/// `$FINGERPRINT~nickname`, or a part of it.
struct relay_name {
    std::string fingerprint;  ///< 40 upper-case hex characters; empty where tor names none
    std::string nickname;     ///< may be empty
    static relay_name parse(std::string_view text);
    bool operator==(const relay_name&) const = default;
};

enum class or_connection_status { created, launched, connected, failed, closed, unknown };

/// ORCONN: a connection to another relay.
struct or_connection {
    std::string target;  ///< `$FINGERPRINT~nickname`, or IP:PORT of one that has not said who it is
    or_connection_status status = or_connection_status::unknown;
    std::string status_text;
    std::string reason;  ///< of FAILED and CLOSED
    std::string id;
    std::optional<std::uint64_t> circuits;  ///< that it carried
    std::vector<argument> rest;
};

/// NEWDESC: relays whose descriptors are new.
struct new_descriptors {
    std::vector<relay_name> relays;
};

/// DESCCHANGED: our own relay's descriptor has changed.
struct descriptor_changed {
    std::vector<argument> rest;
};

/// ADDRMAP: what an address means from now on.
struct address_mapped {
    std::string from;
    std::string to;       ///< empty where it could not be resolved
    std::string expires;  ///< ISO 8601 in UTC; empty: never
    std::string error;    ///< why it could not be resolved, `yes` where tor does not say
    std::optional<bool> cached;
    std::string stream_id;
    std::vector<argument> rest;
};

/// A relay in a consensus (dir-spec section 3.4.1), as NS, NEWCONSENSUS and GETINFO ns/... list them.
struct router_status {
    relay_name relay;
    std::string digest;     ///< of its descriptor, 40 upper-case hex characters
    std::string published;  ///< `2038-01-01 00:00:00`
    std::string address;
    std::uint16_t or_port = 0;
    std::uint16_t dir_port = 0;
    std::vector<std::string> more_addresses;  ///< `[2001:db8::1]:9001`
    std::vector<std::string> flags;           ///< Exit, Fast, Guard, HSDir, ...
    std::optional<std::uint64_t> bandwidth;   ///< kB/s, as the authorities weigh it
    std::vector<std::string> rest;            ///< other lines, whole
};
/// errc::unexpected_reply where a line stands before any relay, or a relay's line has not its form.
result<std::vector<router_status>> parse_router_statuses(std::string_view text);

/// NS: relays whose entries in the consensus have changed.
struct relays_changed {
    std::vector<router_status> relays;
};
/// NEWCONSENSUS: all relays.
struct new_consensus {
    std::vector<router_status> relays;
};

/// GUARD
struct guard_changed {
    std::string type;  ///< ENTRY
    relay_name relay;
    std::string status;  ///< NEW, DROPPED, UP, DOWN, BAD_L2, GOOD_L2, ...
    std::vector<argument> rest;
};

/// STREAM_BW: of one stream since its last event.
struct stream_bandwidth {
    std::string id;
    std::uint64_t written = 0;  ///< bytes
    std::uint64_t read = 0;     ///< bytes
    std::string time;           ///< ISO 8601, UTC; empty in old tors
    std::vector<argument> rest;
};

/// CIRC_BW: of one circuit since its last event, in bytes.
struct circuit_bandwidth {
    std::string id;
    std::uint64_t read = 0;
    std::uint64_t written = 0;
    std::string time;
    std::optional<std::uint64_t> delivered_read, overhead_read, delivered_written, overhead_written;
    std::optional<bool> slow_start;                     ///< of congestion control
    std::optional<std::uint64_t> window, rtt, min_rtt;  ///< cells, microseconds, microseconds
    std::vector<argument> rest;
};

/// CONN_BW: of one connection since its last event, in bytes.
struct connection_bandwidth {
    std::string id;
    std::string type;  ///< OR, DIR, EXIT
    std::uint64_t read = 0;
    std::uint64_t written = 0;
    std::vector<argument> rest;
};

/// CELL_STATS, of a testing network: cells by command.
struct cell_statistics {
    struct direction {
        std::string queue;       ///< the circuit's id on the connection
        std::string connection;  ///< its id
        std::map<std::string, std::uint64_t> added, removed;
        std::map<std::string, std::uint64_t> time;  ///< milliseconds waited, all cells together
    };
    std::string id;  ///< of our own circuit; empty for another's
    direction inbound, outbound;
    std::vector<argument> rest;
};

/// BUILDTIMEOUT_SET: how long tor waits for a circuit from now on.
struct build_timeout {
    std::string type;  ///< COMPUTED, RESET, SUSPENDED, DISCARD, RESUME
    std::optional<std::uint64_t> total_times, timeout_ms, xm, close_ms;
    std::optional<double> alpha, cutoff_quantile, timeout_rate, close_rate;
    std::vector<argument> rest;
};

/// CLIENTS_SEEN, of a bridge; rounded up by tor.
struct clients_seen {
    std::string since;                               ///< UTC
    std::map<std::string, std::uint64_t> countries;  ///< by two letters
    std::map<std::string, std::uint64_t> ip_versions;
    std::vector<argument> rest;
};

/// TRANSPORT_LAUNCHED: a pluggable transport listens.
struct transport_launched {
    std::string type;  ///< client or server
    std::string name;
    std::string address;
    std::uint16_t port = 0;
    std::vector<argument> rest;
};

}  // namespace bento::control
