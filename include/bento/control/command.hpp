// The commands of the control protocol (control-spec section 3) as values: encode() gives the bytes, parse() the typed
// reply. Here are those of the connection and of tor's configuration; onion_command.hpp and circuit_command.hpp have
// the others.
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

/// LOADCONF: the text of a torrc replaces the whole configuration, what is not in it gets its default; the file stays.
/// errc::rejected for what tor does not know, or cannot change while it runs (DataDirectory), and nothing is changed.
struct load_conf {
    std::string torrc;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// SAVECONF: writes the configuration to tor's torrc. errc::unavailable where tor cannot write it, or where it has
/// %include lines and `force` is not set.
struct save_conf {
    bool force = false;
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

/// USEFEATURE: VERBOSE_NAMES and EXTENDED_EVENTS, which tor 0.4.9 always uses.
struct use_feature {
    std::vector<std::string> names;
    using reply_type = done;
    result<secret> encode() const;
    result<done> parse(const reply& r) const;
};

/// Whatever a person types. A line that begins with `+` has data, which may be empty; any other has none.
struct raw {
    std::string line;  ///< without its CRLF
    std::string data;  ///< neither dot-stuffed nor ended by a dot
    using reply_type = reply;
    result<secret> encode() const;
    result<reply> parse(const reply& r) const { return r; }
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
