// A private Tor network on loopback, from Debian's own tor: three directory authorities, relays that are guards, exits
// and HSDirs, one client tor and one host tor. Everything real, nothing outside 127.0.0.1.
#pragma once

#include <bento/base/endpoint.hpp>
#include <bento/net/asio.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace bento::testnet {

enum class errc {
    start_failed = 1,  ///< a program (tor, tor-gencert) is missing or failed
    directory_in_use,  ///< the directory exists and is not empty
    not_bootstrapped,  ///< the network did not come up before the deadline
    not_running,       ///< no network runs in the directory
};
std::string_view to_text(errc e);

struct options {
    /// Made with mode 0700; must not exist or be empty. It is removed with all in it when the network goes.
    std::filesystem::path directory;
    /// Beside the three authorities; at least 3, which an onion circuit needs.
    std::size_t relays = 5;
    /// Added to every byte to or from a relay, in each direction, once the network is up: slow links would make the
    /// authorities miss their first vote.
    std::chrono::milliseconds latency{0};
    std::string tor = "tor";
    std::string tor_gencert = "tor-gencert";
};

/// A tor of the network that a user talks to. The control port wants its cookie, which PROTOCOLINFO names.
struct access {
    endpoint socks;
    endpoint control;
};

/// How far it has come.
struct progress {
    std::string_view step;  ///< until the call returns
    unsigned percent = 0;   ///< of the whole
};

/// Destroyed, it takes every process and file of the network with it; so does the end of this process, even by SIGKILL.
class network {
  public:
    /// Returns when client and host have bootstrapped. Cancellation and errors leave nothing behind.
    static task<network> up(options o, std::function<void(progress)> tell, time_point deadline);

    network();
    network(network&&) noexcept;
    network& operator=(network&&) noexcept;
    ~network();

    const access& client() const;
    const access& host() const;
    const std::filesystem::path& directory() const;
    /// How many of its processes run, and of how many.
    std::pair<std::size_t, std::size_t> running() const;
    /// Ends it and returns when no process and no file is left.
    void down();

  private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace bento::testnet
BENTO_ERRC(testnet);
