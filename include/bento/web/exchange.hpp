// One request and its response, as a route's handler sees them.
#pragma once

#include <bento/http/problem.hpp>
#include <bento/http/server_connection.hpp>
#include <bento/net/stream.hpp>
#include <memory>
#include <string>

namespace bento::web {

/// Answered once: by respond(), json() or problem(), or in pieces by begin(), send() and finish(). The request's views
/// are good until then. Errors are the transport's: they end the connection, and there is nobody to tell.
class exchange {
  public:
    exchange(net::stream& peer, http::server_connection& connection, const http::deadlines& limits,
             const http::request_head& head, std::shared_ptr<void>& data)
        : peer_{peer}, connection_{connection}, limits_{limits}, head_{head}, data_{data} {}

    const http::request_head& head() const { return head_; }
    /// What follows the path of a route that takes everything below it.
    std::string_view rest() const { return rest_; }
    /// The whole body.
    std::string& body() { return body_; }

    /// Written when the handler returns. Always succeeds, so that it can stand behind co_return.
    result<void> respond(int status, std::span<const http::field> fields, std::string_view body);
    result<void> respond(const http::prepared_response& all);
    /// A body of this type, which no cache may keep.
    result<void> content(int status, std::string_view type, std::string_view body);
    /// application/json.
    result<void> json(int status, std::string_view body) { return content(status, "application/json", body); }
    result<void> problem(int status, std::string_view type, std::string_view detail,
                         std::span<const http::field> more = {}, std::string_view members = {});

    /// Written with the first piece, or by flush().
    void begin(int status, std::string_view content_type, std::optional<std::uint64_t> length = {},
               std::span<const http::field> more = {});
    task<void> send(std::string_view data);
    task<void> finish();
    /// 101 with these fields, written; the bytes that have come already. From now on the handler reads and writes
    /// peer().
    task<std::string> switch_protocols(std::span<const http::field> fields);
    net::stream& peer() { return peer_; }
    /// What routes keep for as long as this connection; empty at first.
    std::shared_ptr<void>& connection_data() { return data_; }
    /// The response cannot be finished: the client sees the connection break.
    void abort() { connection_.abort(); }
    bool begun() const { return begun_; }

    /// Writes what the connection has to say.
    task<void> flush();

  private:
    friend class session;
    net::stream& peer_;
    http::server_connection& connection_;
    const http::deadlines& limits_;
    const http::request_head& head_;
    std::shared_ptr<void>& data_;
    std::string_view rest_;
    std::string body_;
    bool begun_ = false;
};

}  // namespace bento::web
