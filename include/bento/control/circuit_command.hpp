// The commands of circuits, streams and addresses (control-spec sections 3.8 to 3.17, 3.20, 3.25): what a program needs
// that builds circuits of its own and decides which stream goes where.
//
// Circuits and streams are named as tor names them in its events. One that is not there, a relay that tor does not know
// and a purpose that it does not have are all errc::unrecognized, tor's words saying which.
#pragma once

#include <bento/control/command.hpp>

namespace bento::control {

enum class circuit_purpose { general, controller };

/// MAPADDRESS: streams to the one address go to the other. `0.0.0.0`, `::0` or `.` in the first place ask tor to choose
/// an unused address of that kind.
struct map_address {
    std::vector<std::pair<std::string, std::string>> mappings;
    struct reply_type {
        std::vector<std::pair<std::string, std::string>> mappings;  ///< made, the address that tor chose filled in
        std::vector<std::string> refused;                           ///< tor's words for each that was not
    };
    result<secret> encode() const;
    /// Fails where none was made.
    result<reply_type> parse(const reply& r) const;
};

/// EXTENDCIRCUIT: a new circuit, or a longer one; tor answers before it is built, CIRC tells the rest.
struct extend_circuit {
    std::string id;                 ///< empty: a new circuit
    std::vector<std::string> path;  ///< relays by fingerprint or nickname; empty, for a new circuit only: tor chooses
    std::optional<circuit_purpose> purpose;
    using reply_type = std::string;  ///< the circuit's id
    result<secret> encode() const;
    /// errc::unavailable where tor cannot begin one now.
    result<reply_type> parse(const reply& r) const;
};

/// SETCIRCUITPURPOSE
struct set_circuit_purpose {
    std::string id;
    circuit_purpose purpose = circuit_purpose::general;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// CLOSECIRCUIT
struct close_circuit {
    std::string id;
    bool if_unused = false;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// ATTACHSTREAM: of a stream that waits for us, with `__LeaveStreamsUnattached 1`; errc::rejected for another (555).
struct attach_stream {
    std::string id;
    std::string circuit_id;       ///< empty: tor chooses
    std::optional<unsigned> hop;  ///< leave the circuit there; counted from 1, which tor refuses
    using reply_type = done;
    result<secret> encode() const;
    /// errc::unavailable where the circuit is not open.
    result<done> parse(const reply& r) const;
};

/// REDIRECTSTREAM: before the stream is attached.
struct redirect_stream {
    std::string id;
    std::string address;
    std::optional<std::uint16_t> port;  ///< unset: as it was
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// Why a stream ends (tor-spec section 6.3).
enum class stream_end : unsigned {
    misc = 1,
    resolve_failed = 2,
    connect_refused = 3,
    exit_policy = 4,
    destroy = 5,
    done = 6,
    timeout = 7,
    no_route = 8,
    hibernating = 9,
    internal = 10,
    resource_limit = 11,
    connection_reset = 12,
    protocol = 13,
    not_directory = 14,
};

/// CLOSESTREAM
struct close_stream {
    std::string id;
    stream_end reason = stream_end::misc;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// RESOLVE: through Tor; the answer arrives as an ADDRMAP event.
struct resolve {
    std::string address;   ///< a name; an IP address where `reverse` is set
    bool reverse = false;  ///< the name of an address
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// POSTDESCRIPTOR: gives tor a router descriptor, which it would fetch otherwise.
struct post_descriptor {
    std::string descriptor;  ///< LF line ends
    std::string purpose;     ///< general, controller, bridge; empty: general
    bool cache = false;      ///< tor keeps it on disk
    struct reply_type {
        bool accepted = false;  ///< 250; 251 where tor has no use for it
        std::string text;
    };
    result<secret> encode() const;
    result<reply_type> parse(const reply& r) const;
};

/// DROPGUARDS: tor chooses new guards. Harms anonymity: who does this often meets a hostile guard sooner.
struct drop_guards {
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// DROPTIMEOUTS: tor measures circuit build times anew.
struct drop_timeouts {
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

}  // namespace bento::control
