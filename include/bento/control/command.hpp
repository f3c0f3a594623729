// The commands of the control protocol (control-spec section 3) as values: encode() gives the bytes, parse() the typed
// reply.
//
// Arguments are checked before they are sent: tor truncates at NUL, repeats a CRLF raw in its answer, and answers some
// wrong arguments twice or not at all, which would shift every later reply. The bytes of a command may hold a key or a
// password, so all of them travel in a `secret` that wipes itself.
#pragma once

#include <bento/base/secret.hpp>
#include <bento/control/reply.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bento::control {

/// A refusal as an error: errc by status and words, tor's own words as `peer`, one for each line that refuses. `what`
/// is ours.
error refusal(const reply& r, std::string what = {});

/// What a command returns that tells only whether it was done.
struct done {};

/// PROTOCOLINFO 1. Before authentication tor takes nothing but this, AUTHCHALLENGE, AUTHENTICATE and QUIT, and this
/// only once: it closes the connection at a second one.
struct protocol_info {
    struct reply_type {
        bool null = false;
        bool hashed_password = false;
        bool cookie = false;
        bool safe_cookie = false;
        std::string cookie_file;  ///< bytes of a path; empty where tor names none
        std::string tor_version;
    };
    result<secret> encode() const;
    result<reply_type> parse(const reply& r) const;
};

/// AUTHCHALLENGE SAFECOOKIE (control-spec section 3.24).
struct auth_challenge {
    static constexpr std::size_t hash_size = 32;
    static constexpr std::size_t smallest_nonce = 32;
    std::vector<std::uint8_t> client_nonce;  ///< smallest_nonce random bytes or more
    struct reply_type {
        std::vector<std::uint8_t> server_hash;
        std::vector<std::uint8_t> server_nonce;
    };
    result<secret> encode() const;
    result<reply_type> parse(const reply& r) const;
};

/// AUTHENTICATE, always in hex. A refusal is followed by the end of the connection.
struct authenticate {
    secret proof;  ///< password, cookie or safe-cookie hash; empty where tor asks for nothing
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// GETINFO. tor answers all keys or none: unknown ones are errc::unrecognized naming them, and one that has no value
/// now
/// (`address`, a descriptor that is not built) is errc::unavailable for all, so ask for such keys alone. The lines of a
/// value of several lines end with LF, the last one too.
struct get_info {
    std::vector<std::string> keys;
    using reply_type = std::map<std::string, std::string, std::less<>>;
    result<secret> encode() const;
    result<reply_type> parse(const reply& r) const;
};

/// GETCONF. A key that is set several times has several values; one that is unset has none.
struct get_conf {
    std::vector<std::string> keys;
    using reply_type = std::vector<std::pair<std::string, std::optional<std::string>>>;
    result<secret> encode() const;
    result<reply_type> parse(const reply& r) const;
};

/// SETCONF: all are set, or none. Without a value, an option is cleared or 0; named several times, it has several
/// values.
struct set_conf {
    std::vector<std::pair<std::string, std::optional<std::string>>> values;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// RESETCONF: the same, but without a value an option gets its default.
struct reset_conf {
    std::vector<std::pair<std::string, std::optional<std::string>>> values;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// SETEVENTS: replaces the whole set. Where one name is unknown, errc::unrecognized and the old set stays.
struct set_events {
    std::vector<std::string> names;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// SIGNAL: RELOAD, SHUTDOWN, HALT, NEWNYM, CLEARDNSCACHE, HEARTBEAT, ACTIVE, DORMANT, DUMP, DEBUG. The answer says that
/// tor took it, not that it acted: NEWNYM is delayed when one was sent in the last 10 seconds.
struct signal {
    std::string name;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// ADD_ONION (control-spec section 3.27, tor 0.4.9's options).
struct add_onion {
    struct port {
        std::uint16_t virtual_port = 0;  ///< not 0
        /// Where tor connects to: `unix:/path`, `PORT`, `IP:PORT`, `IP`, IPv6 in brackets; empty is the virtual port of
        /// 127.0.0.1. No name but localhost, since tor would ask this machine's resolver for it. A path that holds a
        /// space, a quote or a byte outside ASCII cannot be told to tor at all.
        std::string target;
    };
    struct flag_set {
        bool discard_private_key = false;  ///< tor makes the key and does not tell it
        bool detach = false;               ///< the service outlives the connection
        bool v3_auth = false;              ///< implied by client_auth, and refused without
        bool non_anonymous = false;        ///< must be what tor's HiddenServiceNonAnonymousMode says
        bool max_streams_close_circuit = false;
    };
    struct proof_of_work {
        std::optional<std::uint32_t> queue_rate;   ///< requests a second; tor's default is 250
        std::optional<std::uint32_t> queue_burst;  ///< tor's default is 2500
    };
    /// `ED25519-V3:` and base64 of the 64 bytes of the expanded key; empty asks tor to make one.
    secret key;
    std::vector<port> ports;
    flag_set flags;
    std::optional<std::uint16_t> max_streams;
    /// Proof-of-work defences; a tor before 0.4.8 answers errc::unrecognized.
    std::optional<proof_of_work> defences;
    std::vector<std::string> client_auth;  ///< base32 x25519 public keys, 52 characters each

    struct reply_type {
        std::string service_id;
        /// Where tor made it and was not told to discard it, in the form of `key`. The reply it came in is not wiped: a
        /// key that is made here (bento::onion) never is in one.
        secret private_key;
        std::vector<std::string> client_auth;  ///< as asked for
    };
    result<secret> encode() const;
    /// errc::onion_collision where tor has the service already, on any connection or by torrc.
    result<reply_type> parse(const reply& r) const;
};

/// DEL_ONION: a service of this connection, or a detached one. Open rendezvous circuits stay.
struct del_onion {
    std::string service_id;  ///< 56 lower-case characters, without ".onion"
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// TAKEOWNERSHIP: tor exits when this connection ends.
struct take_ownership {
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// DROPOWNERSHIP: tor goes on without this connection.
struct drop_ownership {
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// HSFETCH: the descriptor arrives as HS_DESC and HS_DESC_CONTENT events, before or after the answer.
struct hs_fetch {
    std::string service_id;
    std::vector<std::string> servers;  ///< HSDirs by fingerprint or `$FINGERPRINT~nickname`; none: tor chooses
    using reply_type = done;
    result<secret> encode() const;
    /// errc::unrecognized where tor does not know a server.
    result<done> parse(const reply& r) const;
};

/// ONION_CLIENT_AUTH_ADD: the key that opens an onion service with client authorisation.
struct onion_client_auth_add {
    static constexpr std::size_t longest_name = 16;
    std::string service_id;
    secret private_key;       ///< base64 of the 32-byte x25519 key: 43 characters, or 44 padded
    std::string client_name;  ///< at most longest_name characters: tor answers a longer one twice. May be empty
    bool permanent = false;   ///< kept on disk; needs ClientOnionAuthDir
    enum class reply_type {
        added,      ///< 250
        replaced,   ///< 251: there was a key for this service
        decrypted,  ///< 252: and a descriptor that tor had is opened by it
    };
    result<secret> encode() const;
    result<reply_type> parse(const reply& r) const;
};

/// QUIT: tor answers and closes.
struct quit {
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// The quoted strings of `net/listeners/*`, as base's endpoint::parse() reads them.
result<std::vector<std::string>> parse_listeners(std::string_view value);

}  // namespace bento::control
