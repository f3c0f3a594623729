// The commands of onion services (control-spec sections 3.27 to 3.32): adding and ending them, their descriptors, the
// keys of their clients.
#pragma once

#include <bento/control/command.hpp>

namespace bento::control {

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

/// HSFETCH: the descriptor arrives as HS_DESC and HS_DESC_CONTENT events, before or after the answer.
struct hs_fetch {
    std::string service_id;
    std::vector<std::string> servers;  ///< HSDirs by fingerprint or `$FINGERPRINT~nickname`; none: tor chooses
    using reply_type = done;
    result<secret> encode() const;
    /// errc::unrecognized where tor does not know a server.
    result<done> parse(const reply& r) const;
};

/// HSPOST: uploads a descriptor that was made elsewhere (Onionbalance). HS_DESC tells UPLOADED or FAILED for each
/// HSDir, never UPLOAD.
struct hs_post {
    std::string service_id;            ///< always sent: without an address, tor 0.4.9 never answers
    std::vector<std::string> servers;  ///< as hs_fetch
    std::string descriptor;            ///< outer layer as text, LF line ends
    using reply_type = done;
    result<secret> encode() const;
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

/// ONION_CLIENT_AUTH_REMOVE: forgets the key for a service.
struct onion_client_auth_remove {
    std::string service_id;
    enum class reply_type {
        removed,  ///< 250
        absent,   ///< 251: there was none
    };
    result<secret> encode() const;
    result<reply_type> parse(const reply& r) const;
};

/// ONION_CLIENT_AUTH_VIEW: the keys that tor has. The reply they came in is not wiped.
struct onion_client_auth_view {
    std::string service_id;  ///< empty: of all services
    struct client {
        std::string service_id;
        secret private_key;  ///< base64
        std::string client_name;
        bool permanent = false;
    };
    using reply_type = std::vector<client>;
    result<secret> encode() const;
    result<reply_type> parse(const reply& r) const;
};

}  // namespace bento::control
