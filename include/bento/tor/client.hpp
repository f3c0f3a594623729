// The tor that this program uses: the one it is told of, the system's where there is one, or one of its own.
#pragma once

#include <bento/tor/bootstrap.hpp>
#include <bento/tor/controller.hpp>
#include <bento/tor/process.hpp>

namespace bento::tor {

/// Must outlive its coroutines; not copied or moved.
class client {
  public:
    enum class launch { automatic, always, never };
    struct options {
        /// Set: this one and no other.
        std::optional<endpoint> control;
        std::optional<endpoint> socks;
        credentials with;
        /// Whether a tor of our own is started: where none is found, always, never.
        launch own = launch::automatic;
        std::string program = "tor";
        /// Of our own tor: its keys, consensus cache and sockets. Made with mode 0700; one tor at a time uses it.
        std::filesystem::path directory;
        /// Lines added to the configuration of our own tor: bridges, for instance.
        std::string torrc;
    };
    /// Where the system's tor listens: Debian's and the one of the manual, Tor Browser's SOCKS port last.
    static const std::vector<endpoint>& usual_controls();
    static const std::vector<endpoint>& usual_socks();

    explicit client(options o, bootstrap_progress tell = nullptr) : options_{std::move(o)}, tell_{std::move(tell)} {}
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client();

    /// An authenticated control connection, tor bootstrapped. Called again when that one has ended: a tor of our own is
    /// then started again. Errors: errc::not_found, start_failed, not_bootstrapped, and those of controller::connect.
    task<controller> dial(time_point deadline);
    /// An authenticated control connection to a tor that runs already, bootstrapped or not; none is started.
    task<controller> find(time_point deadline);
    /// Where its SOCKS port is. Needs no control port where the SOCKS port answers by itself; starts our own tor where
    /// nothing does.
    task<endpoint> socks(time_point deadline);

    /// The unix socket of the tor that was asked for or found; nothing for a port, or a tor of our own.
    std::optional<std::filesystem::path> control_socket() const;
    /// True once a tor of our own was started: it may use any unix socket of ours, which the system's may not.
    bool is_own() const { return own_is_chosen_; }
    /// What our own tor wrote last; empty for another's.
    std::string log() const { return own_ ? own_->log() : std::string{}; }

  private:
    task<controller> start_own(time_point deadline);

    options options_;
    bootstrap_progress tell_;
    bool own_is_chosen_ = false;
    std::optional<process> own_;
    controller own_control_;
    std::optional<endpoint> chosen_control_;
};

}  // namespace bento::tor
