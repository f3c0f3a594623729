// Asynchronous events (control-spec section 4.1) as values. What is unknown is carried along, never an error: a newer
// tor may say more.
#pragma once

#include <bento/control/network_event.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bento::control {

enum class hs_desc_action { requested, upload, received, uploaded, ignored, failed, created, unknown };

/// HS_DESC. tor 0.4.9 gives UPLOADED no descriptor id, and the upload side the authentication type UNKNOWN. An UPLOAD
/// may never be followed by anything: a circuit that dies on the way makes no event.
struct hs_desc {
    hs_desc_action action = hs_desc_action::unknown;
    std::string action_text;
    std::string address;    ///< without ".onion"; UNKNOWN where tor does not know
    std::string auth_type;  ///< NO_AUTH or UNKNOWN
    relay_name hs_dir;
    std::string descriptor_id;  ///< base64 of the blinded key, 43 characters; may be empty
    std::string reason;         ///< of FAILED: UPLOAD_REJECTED, NOT_FOUND, BAD_DESC, QUERY_REJECTED, UNEXPECTED, ...
    std::string hs_dir_index;   ///< 64 hex characters; may be empty
    std::optional<std::uint32_t> replica;  ///< not sent by tor 0.4.9 for v3
    std::vector<argument> rest;            ///< what is none of these
};

struct hs_desc_content {
    std::string address;
    std::string descriptor_id;
    relay_name hs_dir;
    std::string descriptor;  ///< empty where the fetch failed
    std::vector<argument> rest;
};

/// STATUS_GENERAL, STATUS_CLIENT, STATUS_SERVER.
struct status_event {
    std::string type;      ///< the event's name
    std::string severity;  ///< NOTICE, WARN, ERR
    std::string action;    ///< BOOTSTRAP, CIRCUIT_ESTABLISHED, ...
    std::vector<argument> arguments;
};

struct bootstrap_phase {
    unsigned progress = 0;  ///< percent
    std::string tag;
    std::string summary;  ///< for a person
    std::string warning;  ///< why it does not go on; empty where it does
};
/// Of a status event, where it is one of bootstrap.
std::optional<bootstrap_phase> bootstrap_phase_of(const status_event& e);
/// Of the value of GETINFO status/bootstrap-phase.
std::optional<bootstrap_phase> parse_bootstrap_phase(std::string_view value);

enum class circuit_status { launched, built, guard_wait, extended, failed, closed, unknown };

/// CIRC, a line of GETINFO circuit-status, and what CIRC_MINOR tells beside its change.
struct circuit_event {
    std::string id;
    circuit_status status = circuit_status::unknown;
    std::string status_text;
    std::vector<relay_name> path;          ///< so far
    std::vector<std::string> build_flags;  ///< ONEHOP_TUNNEL, IS_INTERNAL, NEED_CAPACITY, NEED_UPTIME, ...
    std::string purpose;                   ///< GENERAL, HS_SERVICE_INTRO, ...
    std::string hs_state;
    std::string rend_query;     ///< the onion service's address
    std::string time_created;   ///< ISO 8601, UTC
    std::string reason;         ///< of FAILED and CLOSED
    std::string remote_reason;  ///< what the other end said
    std::string socks_username;
    std::string socks_password;
    std::vector<argument> rest;
};

/// CIRC_MINOR: what a circuit is for has changed.
struct circuit_changed {
    std::string change;     ///< PURPOSE_CHANGED, CANNIBALIZED
    circuit_event circuit;  ///< as it is now; its status is unknown
    std::string old_purpose;
    std::string old_hs_state;
    std::string old_time_created;  ///< of CANNIBALIZED
};

enum class stream_status {
    created,         ///< NEW
    create_resolve,  ///< NEWRESOLVE
    remap,
    sent_connect,
    sent_resolve,
    succeeded,
    failed,
    closed,
    detached,
    controller_wait,
    xoff_sent,
    xoff_received,
    xon_sent,
    xon_received,
    unknown,
};

/// STREAM, or a line of GETINFO stream-status.
struct stream_event {
    std::string id;
    stream_status status = stream_status::unknown;
    std::string status_text;
    std::string circuit_id;  ///< "0" where it has none
    std::string target;      ///< HOST:PORT
    std::string reason;
    std::string remote_reason;
    std::string source;       ///< CACHE or EXIT, of REMAP
    std::string source_addr;  ///< HOST:PORT of who asked
    std::string purpose;
    std::string socks_username;
    std::string socks_password;
    std::vector<argument> rest;
};

/// BW.
struct bandwidth {
    std::uint64_t read = 0;     ///< bytes in the last second
    std::uint64_t written = 0;  ///< bytes in the last second
    std::vector<argument> rest;
};

/// SIGNAL: tor has acted on a signal.
struct signal_received {
    std::string name;
};

/// CONF_CHANGED: an option without a value went back to its default.
struct configuration_changed {
    std::vector<std::pair<std::string, std::optional<std::string>>> options;
};

/// DEBUG, INFO, NOTICE, WARN, ERR.
struct log_message {
    std::string severity;
    std::string text;
};

/// NETWORK_LIVENESS.
struct network_liveness {
    bool up = false;
    std::vector<argument> rest;
};

/// Any other event, in tor's words.
struct other_event {
    std::string name;
    std::vector<argument> arguments;  ///< of the first line
    control::reply whole;
};

using event = std::variant<hs_desc, hs_desc_content, status_event, circuit_event, circuit_changed, stream_event,
                           or_connection, bandwidth, stream_bandwidth, circuit_bandwidth, connection_bandwidth,
                           cell_statistics, build_timeout, guard_changed, new_descriptors, descriptor_changed,
                           relays_changed, new_consensus, address_mapped, clients_seen, transport_launched,
                           signal_received, configuration_changed, log_message, network_liveness, other_event>;

/// errc::unexpected_reply where the reply is no event.
result<event> parse_event(const reply& r);
/// As SETEVENTS names it.
std::string_view event_name(const event& e);

/// The values of GETINFO circuit-status, stream-status and orconn-status.
std::vector<circuit_event> parse_circuits(std::string_view value);
std::vector<stream_event> parse_streams(std::string_view value);
std::vector<or_connection> parse_or_connections(std::string_view value);

}  // namespace bento::control
