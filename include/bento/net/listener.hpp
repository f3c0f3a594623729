// Accepts connections on loopback or a unix socket and runs one coroutine for each.
#pragma once

#include <bento/net/stream.hpp>
#include <functional>
#include <memory>

namespace bento::net {

/// Stops listening and closes every connection it accepted when destroyed or stopped; the coroutines see errc::closed
/// and end.
class listener {
  public:
    /// Runs for one connection. What it throws ends that connection alone.
    using handler = std::function<asio::awaitable<void>(stream)>;

    struct limits {
        /// Connections at a time; further ones wait in the kernel's queue, so that a flood costs no memory here.
        std::size_t connections = 1024;
        int backlog = 256;
        /// Permissions of a unix socket.
        unsigned mode = 0600;
    };

    listener() = default;
    /// Port 0 is a free one, see where(). A unix socket that nobody answers on is replaced; one that is alive is
    /// errc::address_in_use.
    static result<listener> listen(asio::any_io_executor executor, const endpoint& at, limits l);

    listener(listener&&) noexcept;
    listener& operator=(listener&&) noexcept;
    ~listener();

    /// Where it listens, the port being the real one.
    const endpoint& where() const;
    std::size_t connections() const;
    /// Accepts until stop(). Call once.
    void start(handler h);
    /// Stops accepting and unlinks the socket; with `connections` closes those that run, too.
    void stop(bool connections = true);

  private:
    struct state;
    explicit listener(std::shared_ptr<state> s) : state_{std::move(s)} {}
    std::shared_ptr<state> state_;
};

/// Raises the soft limit of open descriptors to the hard one: a server's connections would be the first to meet it.
void allow_descriptors();

/// A TCP port of 127.0.0.1 that nothing listens on at this moment.
result<std::uint16_t> free_loopback_port();

}  // namespace bento::net
