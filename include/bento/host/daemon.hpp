// A hidden Bento server: tor, the onion, the gateway and the box, composed and kept alive.
#pragma once

#include <bento/config/settings.hpp>
#include <bento/host/errc.hpp>
#include <bento/net/asio.hpp>
#include <bento/onion/address.hpp>
#include <bento/tor/client.hpp>
#include <bento/tor/publication.hpp>
#include <functional>
#include <optional>

namespace bento::host {

struct options {
    std::filesystem::path state_directory;  ///< made with mode 0700
    config::settings settings;
    tor::client::options tor;
    bool no_onion = false;
    std::chrono::milliseconds start_limit = std::chrono::minutes{2};  ///< to reach tor and its network the first time
    std::string helper = "/proc/self/exe";                            ///< see box::options
};

/// What happens, for a terminal or a log. Any of them may be empty.
struct observer {
    std::function<void(unsigned percent, std::string_view summary)> bootstrapping;
    std::function<void(tor::publication::count)> publishing;
    /// Callers can come.
    std::function<void(const std::optional<onion::address>& onion, const endpoint& listen)> ready;
    /// Callers are told of a new onion from now on; `ready` follows.
    std::function<void(const onion::address& onion)> rotated;
    /// tor has gone; we come back.
    std::function<void(const error& why, std::chrono::milliseconds next_attempt)> tor_lost;
    std::function<void()> tor_back;
    std::function<void(std::string_view text)> warning;
    /// Waits until the configuration is to be read again, and reads it; unset: never.
    std::function<task<config::settings>()> reconfigured;
};

/// Runs until cancelled. Errors are those of the start: errc, sandbox::errc, tor::errc, control::errc, net::errc.
task<void> run(options o, observer tell);

}  // namespace bento::host
