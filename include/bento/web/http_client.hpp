// HTTP to one server, an onion service through tor or a socket of this machine, on one connection that is kept.
//
// The first bytes of the first request ride along with the SOCKS handshake: over the six hops of an onion circuit that
// is one round trip instead of two.
#pragma once

#include <bento/http/client_connection.hpp>
#include <bento/net/socks5.hpp>
#include <bento/web/errc.hpp>
#include <memory>
#include <optional>

namespace bento::web {

/// Where requests go.
struct road {
    /// tor's SOCKS port, by which `host` is reached.
    endpoint socks;
    net::isolation isolation{"bentoctl", "0"};
    std::string host;  ///< an onion address; of a direct road what the Host field says
    std::uint16_t port = 80;
    /// Connected to as it is, without tor: a socket of this machine.
    std::optional<endpoint> direct;
    /// How long connecting may take of a request's time; unset: all of it. An onion that is gone is noticed by this
    /// alone: tor goes on trying.
    std::optional<std::chrono::milliseconds> connect_limit = {};

    time_point connect_deadline(time_point deadline) const {
        return connect_limit ? std::min(deadline, clock::now() + *connect_limit) : deadline;
    }
};

class http_client {
  public:
    /// Bodies of answers that are gathered whole; a gateway's largest is 16 MiB and its JSON.
    static constexpr std::size_t whole_limit = std::size_t{32} << 20;

    struct response {
        http::response_head head;
        std::string body;
    };

    explicit http_client(road r) : road_{std::move(r)} {}

    /// Sends a request and returns when the head of its response is there; then next() until it is empty.
    task<http::response_head> start(http::method m, std::string target, std::span<const http::field> fields,
                                    std::string body, time_point deadline);
    /// The next bytes of the body; empty at its end. Good until the next call.
    task<std::string_view> next();
    /// A whole exchange.
    task<response> request(http::method m, std::string target, std::span<const http::field> fields, std::string body,
                           time_point deadline);
    /// The same with a JSON body.
    task<response> post_json(std::string target, std::string body, time_point deadline);

    /// A GET that asks for another protocol. Where the answer is 101, release() has the connection and take_rest() what
    /// came on it already; otherwise next() goes on with the answer.
    task<http::response_head> start_switch(std::string target, std::span<const http::field> fields,
                                           time_point deadline);
    std::string take_rest() { return connection_.take_rest(); }
    net::stream release() { return std::move(stream_); }

    void close() { stream_.close(); }

  private:
    std::string authority() const;
    task<void> send(std::string bytes, time_point deadline);
    task<http::response_head> read_head();
    task<http::client_connection::event> read_event();

    road road_;
    net::stream stream_;
    http::client_connection connection_;
    std::unique_ptr<char[]> buffer_;
};

}  // namespace bento::web
