// The configuration: TOML to one struct. Every key has a default; a wrong one is told with file, line and what was
// expected. bentoctl.toml(5) documents each.
#pragma once

#include <bento/base/endpoint.hpp>
#include <bento/base/error.hpp>
#include <bento/base/uuid4.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bento::config {

enum class errc {
    malformed = 1,  ///< not TOML, or a key or value that is not known; the detail says where and what was expected
    unreadable,     ///< the file is not there or may not be read
};
std::string_view to_text(errc e);

/// A configuration is smaller than this; a larger file is a mistake.
inline constexpr std::size_t file_limit = 1 << 20;
/// Code that a directory shows: with what JSON adds to it, it fits in the largest request that one takes.
inline constexpr std::uint64_t most_code = 1 << 20;

struct settings {
    struct tor_settings {
        enum class launch_policy { automatic, always, never };
        std::optional<endpoint> control;
        std::optional<endpoint> socks;
        std::optional<std::filesystem::path> password_file;
        launch_policy launch = launch_policy::automatic;
        /// Lines for a tor of our own: bridges, for instance.
        std::optional<std::filesystem::path> torrc;
    } tor;

    struct onion_settings {
        enum class pow_policy { off, prefer, require };
        std::uint16_t port = 80;
        std::uint16_t max_streams = 0;  ///< streams a circuit; 0 is no limit
        pow_policy pow = pow_policy::prefer;
        std::optional<std::uint32_t> pow_queue_rate;   ///< requests a second; unset: tor's default
        std::optional<std::uint32_t> pow_queue_burst;  ///< unset: tor's default
        /// Public x25519 keys of the clients that may come, 52 characters of base32 each; none: everybody.
        std::vector<std::string> client_auth;
    } onion;

    struct gateway_settings {
        std::optional<endpoint> listen;
        std::optional<endpoint> server;  ///< an external Bento server; unset: the embedded box
        bool store = true;
        bool exec = true;
        bool open = true;
        bool input = true;
        bool close = true;
        bool delete_ = true;
        bool register_ = true;
        bool session = true;
        bool literal_calls = true;  ///< calls = "literal", or "any"
        std::uint64_t max_body = 1 << 20;
        std::chrono::milliseconds deadline = std::chrono::minutes{5};
    } gateway;

    struct box_settings {
        std::uint64_t memory = 256ULL << 20;
        std::chrono::milliseconds cpu = std::chrono::seconds{60};
        std::chrono::milliseconds wall = std::chrono::minutes{10};
        std::uint64_t processes = 32;
        std::uint64_t disk = 64ULL << 20;
        std::uint64_t output = 256ULL << 20;
        std::uint64_t instances = 64;
        std::uint64_t warm = 4;  ///< sandboxes kept ready for the next calls
        std::uint64_t functions = 10'000;
        std::uint64_t store_bytes = 1ULL << 30;
        std::chrono::milliseconds ttl = std::chrono::hours{1};
        enum class storers { anyone, credential, operator_ } store_who = storers::anyone;
        std::optional<std::filesystem::path> store_credential_file;  ///< set where store_who is credential
    } box;

    /// The directories that functions are registered at and looked up in.
    struct bfd_settings {
        std::vector<std::string> onions;  ///< or endpoints of this machine; lookup::address reads them
        std::optional<std::filesystem::path> owner_file;
        std::chrono::milliseconds max_stale = std::chrono::minutes{10};
    } bfd;

    struct directory_settings {
        enum class hash_scheme { bcrypt, argon2id };
        std::optional<endpoint> listen;
        std::optional<std::filesystem::path> sqlite;  ///< its database; unset: directory.db in the state directory
        hash_scheme hash = hash_scheme::bcrypt;
        unsigned bcrypt_cost = 12;
        std::uint64_t max_code = 256 << 10;
        std::uint64_t entries_per_account = 1000;
        onion_settings::pow_policy pow = onion_settings::pow_policy::prefer;
    } directory;

    struct rotation_settings {
        enum class uploads { first, quorum, all };
        std::optional<std::chrono::milliseconds> max_age;         ///< unset: only by hand or cron
        std::optional<std::chrono::milliseconds> jitter;          ///< below max_age; unset: half of it, a day at most
        std::chrono::milliseconds grace = std::chrono::hours{1};  ///< not below bfd.max_stale
        uploads min_uploads = uploads::quorum;
        bool verify = true;
    } rotation;

    /// A path of the operator's: one call of one function.
    struct route {
        enum class type { text, whole_number, number, boolean, any };
        struct argument {
            type is = type::any;
            bool needed = true;
        };
        std::string path;
        std::optional<uuid4> token;  ///< always set
        std::string call;            ///< a name, or a whole call
        std::map<std::string, argument> arguments;
        std::optional<double> collect_seconds;
        std::optional<std::uint64_t> collect_messages;
    };
    std::vector<route> routes;
};

/// `name` stands before the line in messages. All mistakes are told, a line each.
result<settings> parse(std::string_view text, std::string_view name);
result<settings> load(const std::filesystem::path& file);

}  // namespace bento::config
BENTO_ERRC(config);
