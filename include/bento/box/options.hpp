// What a box may do (the [box] section of bentoctl.toml(5)).
#pragma once

#include <bento/config/settings.hpp>
#include <bento/sandbox/plan.hpp>
#include <filesystem>

namespace bento::box {

/// How long a connection may take; after that it is closed, since connections are limited and each holds a place.
struct patience {
    std::chrono::milliseconds write = std::chrono::minutes{5};  ///< the client takes nothing of what is sent to it
    std::chrono::milliseconds frame = std::chrono::minutes{5};  ///< a frame has begun and is not whole
    std::chrono::milliseconds idle = std::chrono::hours{1};     ///< it has nothing open and asks for nothing
};

struct options {
    static options from(const config::settings::box_settings& s, std::filesystem::path directory);

    sandbox::policy each;                 ///< one running function
    std::uint64_t output = 256ULL << 20;  ///< bytes that one run may send
    std::size_t instances = 64;           ///< functions that run at a time
    std::size_t warm = 4;                 ///< sandboxes kept ready for the next calls
    std::chrono::milliseconds ttl =
        std::chrono::hours{1};               ///< a run that nobody reads is ended, or forgotten, after it
    bool control_groups = true;              ///< use them where they can be had
    std::size_t functions = 10'000;          ///< stored functions
    std::uint64_t store_bytes = 1ULL << 30;  ///< of all stored functions
    std::filesystem::path directory;         ///< where functions are kept
    box::patience patience;
    /// The program to start as the helper: this one, where its main calls jail_main.
    std::string helper = "/proc/self/exe";
};

}  // namespace bento::box
