#include <sys/socket.h>

#include <bento/gateway/gateway.hpp>
#include <bento/http/route_table.hpp>
#include <bento/http/server_connection.hpp>
#include <bento/net/condition.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "calls.hpp"
#include "exchange.hpp"
#include "page.hpp"

namespace bento::gateway {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr std::size_t read_size = 16 * 1024;

enum route : int { page, store, exec, open };

struct request_body {
    std::string text;
    int refused = 0;  ///< the status it was refused with, and answered
};

}  // namespace

struct gateway::state {
    explicit state(bento::gateway::options o) { configure(std::move(o)); }

    void configure(bento::gateway::options o) {
        options = std::move(o);
        html = html_page(options);
        json = json_page(options);
        routes = {};
        routes.add(http::method::get, "/", route::page);
        if (options.store) routes.add(http::method::post, "/store", route::store);
        if (options.exec) routes.add(http::method::post, "/exec", route::exec);
        if (options.open) routes.add(http::method::post, "/open", route::open);
    }

    bento::gateway::options options;
    std::string html, json;
    http::route_table routes;
    std::vector<net::listener> listeners;
};

namespace {

/// Returns when the client has gone; never while it waits, or has sent the next request already.
asio::awaitable<void> until_gone(net::stream& peer) {
    if (co_await peer.wait_readable()) {
        char byte = 0;
        if (::recv(peer.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) co_return;
    } else {
        co_return;
    }
    net::condition never{peer.executor()};
    co_await never.wait();
}

/// One client.
template <class State>
class session {
  public:
    session(std::shared_ptr<State> s, net::stream peer)
        : state_{std::move(s)}, peer_{std::move(peer)}, buffer_(read_size) {}

    asio::awaitable<void> run() {
        const auto& limits = state_->options.http;
        while (!connection_.must_close()) {
            auto event = connection_.next();
            if (std::holds_alternative<http::server_connection::need_data>(event)) {
                if (connection_.idle())
                    peer_.expires_after(limits.idle);
                else if (!std::exchange(in_head_, true))
                    peer_.expires_after(limits.head);
                if (!co_await read()) co_return;
                continue;
            }
            exchange to{peer_, connection_, limits};
            if (const auto* request = std::get_if<http::server_connection::request>(&event)) {
                in_head_ = false;
                if (!co_await answer(to, *request->head)) co_return;
            } else if (const auto* refused = std::get_if<http::server_connection::refused>(&event)) {
                if (!co_await to.problem(refused->status, "malformed-request", refused->why)) co_return;
            } else {
                co_return;
            }
        }
        if (connection_.wants_lingering()) co_await linger();
    }

  private:
    asio::awaitable<bool> read() {
        const auto n = co_await peer_.read_some(buffer_);
        if (n)
            connection_.feed({buffer_.data(), *n});
        else if (n.error().code == net::errc::closed)
            connection_.feed_eof();
        else
            co_return false;
        co_return true;
    }

    /// What the client still sends is read, so that the kernel does not answer it with a reset that overtakes our
    /// words.
    asio::awaitable<void> linger() {
        peer_.shutdown_send();
        peer_.expires_after(state_->options.http.lingering);
        std::size_t total = 0;
        while (total < 4 * http::max_discarded_body) {
            const auto n = co_await peer_.read_some(buffer_);
            if (!n) co_return;
            total += *n;
        }
    }

    /// The whole body, or the refusal that was answered.
    task<request_body> read_body(exchange& to, std::uint64_t limit, bool keep) {
        const auto& limits = state_->options.http;
        connection_.limit_body(limit);
        peer_.expires_after(limits.body);
        request_body out;
        std::size_t size = 0;
        for (;;) {
            auto event = connection_.next();
            if (const auto* data = std::get_if<http::server_connection::body>(&event)) {
                if (keep) out.text += data->data;
                size += data->data.size();
            } else if (std::holds_alternative<http::server_connection::request_end>(event)) {
                co_return out;
            } else if (const auto* refused = std::get_if<http::server_connection::refused>(&event)) {
                out.refused = refused->status;
                if (auto told = co_await to.problem(refused->status, "malformed-request", refused->why); !told)
                    co_return told.error();
                co_return out;
            } else if (std::holds_alternative<http::server_connection::closed>(event)) {
                co_return net::errc::closed;
            } else {
                connection_.send_continue();
                if (auto flushed = co_await to.flush(); !flushed) co_return flushed.error();
                peer_.expires_after(limits.body + std::chrono::seconds{size / 1024});
                if (!co_await read()) {
                    out.refused = 408;
                    connection_.close_after_response();
                    if (auto told = co_await to.problem(408, "too-slow", "the body did not come in time"); !told)
                        co_return told.error();
                    co_return out;
                }
            }
        }
    }

    /// A request that is not to be acted upon: its body goes by, and the connection goes on where it is small.
    task<void> refuse(exchange& to, const http::request_head& head, int status, std::string_view type,
                      std::string_view detail, std::string_view allow = {}) {
        std::vector<http::field> more;
        if (!allow.empty()) more.push_back({"Allow", allow});
        if (!head.expects_continue) {
            auto body = co_await read_body(to, http::max_discarded_body, false);
            if (!body) co_return body.error();
            if (body->refused != 0) co_return result<void>{};
        }
        co_return co_await to.problem(status, type, detail, more);
    }

    task<void> answer(exchange& to, const http::request_head& head) {
        const auto& o = state_->options;
        const auto found = state_->routes.find(head.method, head.path);
        using outcome = http::route_table::match::outcome;
        if (found.is == outcome::not_found)
            co_return co_await refuse(to, head, 404, "not-found", "GET / lists the paths");
        if (found.is == outcome::method_not_allowed)
            co_return co_await refuse(to, head, 405, "method-not-allowed", "this path takes " + found.allow,
                                      found.allow);
        if (found.is == outcome::options) {
            const std::vector<http::field> fields{{"Allow", found.allow}};
            auto body = co_await read_body(to, http::max_discarded_body, false);
            if (!body) co_return body.error();
            if (body->refused != 0) co_return result<void>{};
            co_return co_await to.respond(204, fields, {});
        }
        if (found.id == route::page) {
            const auto accept = http::find(head.fields, "Accept").value_or("");
            const bool json = accept.find("application/json") != std::string_view::npos;
            auto body = co_await read_body(to, http::max_discarded_body, false);
            if (!body) co_return body.error();
            if (body->refused != 0) co_return result<void>{};
            if (json) co_return co_await to.json(200, state_->json);
            const std::vector<http::field> fields{
                {"Content-Type", "text/html; charset=utf-8"},
                {"Cache-Control", "no-store"},
                {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}};
            co_return co_await to.respond(200, fields, state_->html);
        }
        if (!http::is_json_or_untyped(head.fields))
            co_return co_await refuse(to, head, 415, "media-type", "the body is application/json here");
        auto body = co_await read_body(to, o.max_body, true);
        if (!body) co_return body.error();
        if (body->refused != 0) co_return result<void>{};
        peer_.expires_never();
        // A client that goes away is not waited for: the function it started goes on in the box.
        auto done = co_await (dispatch(to, found.id, std::move(body->text)) || until_gone(peer_));
        if (done.index() == 1) co_return net::errc::closed;
        co_return std::move(std::get<0>(done));
    }

    task<void> dispatch(exchange& to, int id, std::string body) {
        const auto& o = state_->options;
        if (id == route::store) {
            auto request = parse_store(body);
            if (!request)
                co_return co_await to.problem(request.error().status, "invalid-request", request.error().detail);
            co_return co_await answer_store(o, to, std::move(*request));
        }
        auto request = parse_call_request(body, o.literal_calls);
        if (!request) co_return co_await to.problem(request.error().status, "invalid-request", request.error().detail);
        if (id == route::exec) co_return co_await answer_exec(o, to, std::move(*request));
        co_return co_await answer_open(o, to, std::move(*request));
    }

    std::shared_ptr<State> state_;
    net::stream peer_;
    http::server_connection connection_;
    std::vector<char> buffer_;
    bool in_head_ = false;  // its deadline runs from its first byte
};

asio::awaitable<void> serve_connection(auto s, net::stream peer) {
    session one{std::move(s), std::move(peer)};
    co_await one.run();
}

}  // namespace

gateway::gateway(options o) : state_{std::make_shared<state>(std::move(o))} {}
gateway::gateway(gateway&&) noexcept = default;
gateway& gateway::operator=(gateway&&) noexcept = default;
gateway::~gateway() {
    if (state_) state_->listeners.clear();
}

void gateway::configure(options o) { state_->configure(std::move(o)); }

void gateway::serve(net::listener on) {
    state_->listeners.push_back(std::move(on));
    state_->listeners.back().start([s = state_](net::stream peer) { return serve_connection(s, std::move(peer)); });
}

}  // namespace bento::gateway
