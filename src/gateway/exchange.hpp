// One request and its response on a connection: the driver of http::server_connection.
#pragma once

#include <bento/http/problem.hpp>
#include <bento/http/server_connection.hpp>
#include <bento/net/stream.hpp>

namespace bento::gateway {

/// Errors of the transport end the connection; there is nobody to tell.
class exchange {
  public:
    exchange(net::stream& peer, http::server_connection& connection, const http::deadlines& limits)
        : peer_{peer}, connection_{connection}, limits_{limits} {}

    task<void> respond(int status, std::span<const http::field> fields, std::string_view body);
    /// application/json.
    task<void> json(int status, std::string_view body);
    task<void> problem(int status, std::string_view type, std::string_view detail,
                       std::span<const http::field> more = {});
    task<void> begin(int status, std::string_view content_type, std::optional<std::uint64_t> length = {});
    task<void> send(std::string_view data);
    task<void> finish();
    /// The response cannot be finished: the client sees the connection break.
    void abort() { connection_.abort(); }
    bool begun() const { return begun_; }

    /// Writes what the connection has to say.
    task<void> flush();

  private:
    net::stream& peer_;
    http::server_connection& connection_;
    const http::deadlines& limits_;
    bool begun_ = false;
};

}  // namespace bento::gateway
