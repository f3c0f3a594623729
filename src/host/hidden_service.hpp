// What every daemon of ours has: a tor, reached and reached again, and an onion service on it that is published for as
// long as the daemon runs.
#pragma once

#include <bento/host/daemon.hpp>
#include <bento/net/condition.hpp>
#include <bento/tor/onion_services.hpp>
#include <bento/tor/supervisor.hpp>

#include "state_directory.hpp"

namespace bento::host {

/// Where a daemon listens that is not told: the system's tor may be confined to sockets of its own directory (Debian's
/// AppArmor profile), so only a tor of ours is given a unix socket, `socket` in the state directory.
endpoint listening_endpoint(const std::optional<endpoint>& told, const state_directory& state, std::string_view socket,
                            bool own_tor);

/// Neither copied nor moved; `tell` must outlive it.
class hidden_service {
  public:
    hidden_service(asio::any_io_executor executor, const tor::client::options& with, const observer& tell);

    /// Reaches tor the first time; its error is the daemon's.
    task<void> connect(time_point deadline);
    /// See tor::client; known once connected.
    bool tor_is_own() const { return tor_.is_own(); }
    /// tor's SOCKS port.
    task<endpoint> socks(time_point deadline) { return tor_.socks(deadline); }
    /// Adds the service, whose streams go to `target`, and tells of it.
    task<void> add(const config::settings::onion_settings& s, onion::secret_key key, endpoint target);
    /// For who adds and ends services itself, whose streams go to `target`.
    tor::onion_services& onions() { return onions_; }
    static tor::onion_service service_of(const config::settings::onion_settings& s, onion::secret_key key,
                                         endpoint target);
    /// What is called with each change of one of them, beside the observer.
    void on_change(std::function<void(const tor::onion_status&)> f) { changed_ = std::move(f); }
    /// `ready` is said of this one from now on.
    void tell_of(const onion::address& address, const config::settings::onion_settings& s, endpoint target);
    /// Whether a caller gets an answer from an onion of ours, through Tor.
    task<void> reach(onion::address address, std::uint16_t port, time_point deadline);
    /// Keeps the connection to tor, and says `ready` once the service is published and again after each time that tor
    /// had gone. Until cancelled.
    asio::awaitable<void> run();

  private:
    asio::awaitable<void> announce();
    asio::awaitable<void> wait_until_published(onion::address address);
    void look_for_tor();
    void follow(const tor::supervisor::status& s);

    const observer& tell_;
    std::function<void(const tor::onion_status&)> changed_;
    tor::onion_services onions_;
    tor::client tor_;
    net::condition news_;
    bool was_lost_ = false;
    std::optional<onion::address> address_;
    endpoint target_;
    tor::supervisor supervisor_;  // last: it calls into the rest
};

}  // namespace bento::host
