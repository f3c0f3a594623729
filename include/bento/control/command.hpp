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

/// A refusal as an error: errc by status and words, tor's own words as `peer`. `what` is ours.
error refusal(const reply& r, std::string what = {});

/// What a command returns that tells only whether it was done.
struct done {};

/// PROTOCOLINFO 1. The only command before authentication but AUTHCHALLENGE and AUTHENTICATE, and only once.
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
    std::vector<std::uint8_t> client_nonce;  ///< 32 random bytes
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

/// GETINFO. tor answers all keys or none: an unknown one is errc::unrecognized naming it.
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

/// SETCONF, or RESETCONF where `reset` is set. Without a value, the default. All are set, or none.
struct set_conf {
    std::vector<std::pair<std::string, std::optional<std::string>>> values;
    bool reset = false;
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

/// SIGNAL: RELOAD, SHUTDOWN, HALT, NEWNYM, CLEARDNSCACHE, HEARTBEAT, ACTIVE, DORMANT, DUMP, DEBUG.
struct signal {
    std::string name;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// ADD_ONION (control-spec section 3.27, tor 0.4.9's options).
struct add_onion {
    struct port {
        std::uint16_t virtual_port = 0;
        /// `unix:/path` or `IP:PORT`. tor takes no quoting here: a path with a space, a quote or a comma cannot be
        /// told to it.
        std::string target;
    };
    struct flag_set {
        bool discard_private_key = false;
        bool detach = false;
        bool v3_auth = false;
        bool max_streams_close_circuit = false;
    };
    struct proof_of_work {
        std::optional<std::uint32_t> queue_rate;
        std::optional<std::uint32_t> queue_burst;
    };
    /// `ED25519-V3:` and base64 of the expanded key; empty asks tor to make one.
    secret key;
    std::vector<port> ports;
    flag_set flags;
    std::optional<std::uint16_t> max_streams;
    /// Proof-of-work defences; a tor before 0.4.8 answers errc::unrecognized.
    std::optional<proof_of_work> defences;
    std::vector<std::string> client_auth;  ///< base32 x25519 public keys, 52 characters each

    struct reply_type {
        std::string service_id;
        secret private_key;  ///< where tor made it and was not told to discard it
    };
    result<secret> encode() const;
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

/// HSFETCH: the descriptor arrives as HS_DESC and HS_DESC_CONTENT events.
struct hs_fetch {
    std::string service_id;
    std::vector<std::string> servers;  ///< fingerprints of HSDirs; none: tor chooses
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// ONION_CLIENT_AUTH_ADD: the key that opens an onion service with client authorisation.
struct onion_client_auth_add {
    std::string service_id;
    secret private_key;       ///< base64 of the 32-byte x25519 key
    std::string client_name;  ///< at most 16 characters: tor answers a longer one twice
    bool permanent = false;   ///< needs ClientOnionAuthDir
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// QUIT: tor answers and closes.
struct quit {
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// The quoted strings of `net/listeners/*`.
result<std::vector<std::string>> parse_listeners(std::string_view value);

}  // namespace bento::control
