// SOCKS5 (RFC 1928) with username and password (RFC 1929), as tor's SocksPort speaks it.
//
// Everything is sent at once: greeting, credentials, CONNECT and the first bytes of the application. tor takes such
// optimistic data, and over the six hops of an onion service that saves a whole round trip. The credentials isolate:
// tor puts streams with different ones on different circuits (IsolateSOCKSAuth, on by default), so each purpose has its
// own.
#pragma once

#include <bento/net/stream.hpp>
#include <string>
#include <string_view>

namespace bento::net {

/// What tor isolates circuits by. Each part has 1 to 255 bytes; it is no secret and proves nothing.
struct isolation {
    std::string username;
    std::string password;
};

/// Greeting, credentials and CONNECT for a host name (up to 255 bytes: an onion address, or an IP address as text) in
/// one piece.
std::string socks5_request(const isolation& credentials, std::string_view host, std::uint16_t port);

/// The answers to socks5_request, from bytes: feed() until done() or an error.
class socks5_reply {
  public:
    /// Takes what belongs to the answers and returns how many bytes that were; the rest is the application's. Errors
    /// are net::errc::socks_refused, onion_*, refused, timed_out or no_route, by the reply code (tor's ExtendedErrors
    /// included).
    result<std::size_t> feed(std::string_view data);
    bool done() const { return state_ == state::done; }
    /// How many of the next bytes certainly belong to the answers (1 to 257): reading no more leaves the application's
    /// bytes in the socket.
    std::size_t wanted() const;

  private:
    enum class state { method, authentication, reply_head, reply_tail, done };
    state state_ = state::method;
    std::size_t have_ = 0;
    std::size_t tail_ = 0;
    unsigned char field_[5] = {};
};

struct socks_target {
    std::string host;
    std::uint16_t port = 80;
};

/// A stream through the proxy; `first` is sent together with the handshake. Returns when the proxy has confirmed the
/// connection.
task<stream> connect_through(endpoint proxy, isolation credentials, socks_target to, std::string_view first,
                             time_point deadline);

}  // namespace bento::net
