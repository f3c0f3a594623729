#include <bento/http/route_table.hpp>
#include <bento/net/condition.hpp>
#include <bento/web/server.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <stdexcept>

namespace bento::web {

using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::size_t read_size = 16 * 1024;
/// Answers to pipelined requests that are written together.
constexpr std::size_t gathered_output = 64 * 1024;

/// Returns when the client has gone; never while it waits, or has sent the next request already.
asio::awaitable<void> until_gone(net::stream& peer) {
    while (co_await peer.wait_readable()) {
        const auto has = peer.peek();
        if (has == net::stream::arrived::nothing) continue;  // whoever speaks with the client has read it
        if (has == net::stream::arrived::end) co_return;
        net::condition never{peer.executor()};
        co_await never.wait();
    }
}

}  // namespace

/// The routes of one moment: a request that is being answered keeps those it came by.
struct routing {
    explicit routing(std::vector<route> r) : routes{std::move(r)} {
        for (std::size_t i = 0; i < routes.size(); ++i)
            table.add(routes[i].method, routes[i].path, static_cast<int>(i));
    }
    std::vector<route> routes;
    http::route_table table;
};

struct server::state {
    state(options o, std::vector<route> r) : with{o}, now{std::make_shared<routing>(std::move(r))} {}

    options with;
    std::shared_ptr<const routing> now;
    std::size_t bodies = 0;  ///< bytes, of all requests
    std::vector<net::listener> listeners;
};

/// One client.
class session {
  public:
    session(server::state& of, net::stream peer) : of_{of}, limits_{of.with.deadlines}, peer_{std::move(peer)} {}

    asio::awaitable<void> run() {
        // Most requests are answered in here, and no coroutine is resumed for them.
        const net::stream::taker take_and_answer = [this](std::size_t n) {
            connection_.feed({buffer_.get(), n});
            return answer_what_came();
        };
        for (bool reads = answer_what_came(); !connection_.must_close(); reads = answer_what_came()) {
            if (reads) {
                const auto read = co_await peer_.read_each(room(), take_and_answer);
                if (!read && read.error().code != net::errc::closed) co_return;
                if (!read) connection_.feed_eof();
            }
            const auto* head = std::exchange(asked_, nullptr);
            if (head != nullptr) {
                exchange to{peer_, connection_, limits_, *head, data_};
                if (!co_await answer(to)) co_return;
            }
            // Behind an answer may come others, which are written with it.
            if ((head == nullptr || connection_.output().size() >= gathered_output) && !co_await flush()) co_return;
        }
        if (!co_await flush()) co_return;
        if (connection_.wants_lingering()) co_await linger();
    }

  private:
    std::span<char> room() { return {buffer_.get(), read_size}; }
    /// What was read there; false where reading failed.
    bool take(const result<std::size_t>& n) {
        if (n)
            connection_.feed({buffer_.get(), *n});
        else if (n.error().code == net::errc::closed)
            connection_.feed_eof();
        else
            return false;
        return true;
    }

    /// Answers what needs no waiting. True where the next bytes are to be read; else there is a request to be waited
    /// for (`asked_`), something to be written, or nothing left to be done.
    bool answer_what_came() {
        while (!connection_.must_close()) {
            auto event = connection_.next();
            if (std::holds_alternative<http::server_connection::need_data>(event)) {
                if (!flush_now()) return false;
                if (connection_.idle())
                    peer_.expires_after(limits_.idle);
                else if (!std::exchange(in_head_, true))
                    peer_.expires_after(limits_.head);
                return true;
            }
            if (const auto* request = std::get_if<http::server_connection::request>(&event)) {
                in_head_ = false;
                exchange to{peer_, connection_, limits_, *request->head, data_};
                if (!answer_at_once(to)) {
                    asked_ = request->head;
                    return false;
                }
                if (connection_.output().size() >= gathered_output) return false;
            } else if (const auto* refused = std::get_if<http::server_connection::refused>(&event)) {
                refuse(refused->status, refused->why);
            } else {
                connection_.abort();  // the client has gone
            }
        }
        return false;
    }

    /// True where all was taken, without a coroutine: what most requests come to.
    bool flush_now() {
        const auto out = connection_.output();
        if (!out.empty()) connection_.consume_output(peer_.write_now(out));
        return connection_.output().empty();
    }

    asio::awaitable<bool> flush() {
        while (!connection_.output().empty()) {
            const auto out = connection_.output();
            peer_.expires_after(limits_.write);
            if (!co_await peer_.write(out)) co_return false;
            connection_.consume_output(out.size());
        }
        co_return true;
    }

    /// What the client still sends is read, so that the kernel does not answer it with a reset that overtakes our
    /// words.
    asio::awaitable<void> linger() {
        peer_.shutdown_send();
        peer_.expires_after(limits_.lingering);
        std::size_t total = 0;
        while (total < 4 * http::max_discarded_body) {
            const auto n = co_await peer_.read_some(room());
            if (!n) co_return;
            total += *n;
        }
    }

    void refuse(int status, std::string_view why) {
        const http::field fields[] = {{"Content-Type", http::problem_type}, {"Cache-Control", "no-store"}};
        connection_.respond(status, fields, http::problem("malformed-request", status, why));
    }

    /// Counts a body that is kept, until its request is answered.
    struct kept_body {
        explicit kept_body(std::size_t& a) : all{a} {}
        kept_body(const kept_body&) = delete;
        kept_body& operator=(const kept_body&) = delete;
        ~kept_body() { all -= mine; }
        void add(std::size_t n) {
            mine += n;
            all += n;
        }
        std::size_t& all;
        std::size_t mine = 0;
    };

    /// Reads the body to its end, into the exchange where it is wanted. False where it was refused, and answered so.
    task<bool> read_body(exchange& to, std::uint64_t limit, kept_body* kept) {
        connection_.limit_body(limit);
        const auto begun = clock::now();
        std::size_t size = 0;
        for (;;) {
            auto event = connection_.next();
            if (const auto* data = std::get_if<http::server_connection::body>(&event)) {
                size += data->data.size();
                if (kept == nullptr) continue;
                kept->add(data->data.size());
                if (kept->all > of_.with.bodies) {
                    connection_.close_after_response();
                    const http::field later[] = {{"Retry-After", "5"}};
                    to.problem(503, "busy", "as much is being received as may", later);
                    co_return false;
                }
                to.body_ += data->data;
            } else if (std::holds_alternative<http::server_connection::request_end>(event)) {
                co_return true;
            } else if (const auto* refused = std::get_if<http::server_connection::refused>(&event)) {
                refuse(refused->status, refused->why);
                co_return false;
            } else if (std::holds_alternative<http::server_connection::closed>(event)) {
                co_return net::errc::closed;
            } else {
                connection_.send_continue();
                if (!co_await flush()) co_return net::errc::closed;
                // From the body's begin: whoever drips bytes is not given more time by each.
                peer_.expires_at(begun + limits_.body + std::chrono::seconds{size / 1024});
                const auto n = co_await peer_.read_some(room());
                if (!take(n)) {
                    connection_.close_after_response();
                    to.problem(408, "too-slow", "the body did not come in time");
                    co_return false;
                }
            }
        }
    }

    /// A request that is not to be acted upon: its body goes by, and the connection goes on where it is small.
    task<void> refuse(exchange& to, int status, std::string_view type, std::string_view detail,
                      std::string_view allow = {}) {
        std::vector<http::field> more;
        if (!allow.empty()) more.push_back({"Allow", allow});
        if (!to.head().expects_continue) {
            auto body = co_await read_body(to, http::max_discarded_body, nullptr);
            if (!body) co_return body.error();
            if (!*body) co_return result<void>{};
        }
        if (status == 204) co_return to.respond(status, more, {});
        co_return to.problem(status, type, detail, more);
    }

    /// The same for what is at hand and has no body to wait for; false where it is anything else.
    bool answer_at_once(exchange& to) {
        const auto& head = to.head();
        if (head.has_body) return false;
        const auto routes = of_.now;
        const auto found = routes->table.find(head.method, head.path);
        if (found.is != http::route_table::match::outcome::found) return false;
        const auto& r = routes->routes[static_cast<std::size_t>(found.id)];
        const auto* now = std::get_if<route::immediate>(&r.answer);
        if (now == nullptr || r.json) return false;
        if (!std::holds_alternative<http::server_connection::request_end>(connection_.next()))
            throw std::logic_error{"a request without a body has not ended"};
        to.rest_ = found.rest;
        if (!(*now)(to)) connection_.abort();
        return true;
    }

    task<void> answer(exchange& to) {
        const auto routes = of_.now;
        const auto& head = to.head();
        const auto found = routes->table.find(head.method, head.path);
        using outcome = http::route_table::match::outcome;
        if (found.is == outcome::not_found) co_return co_await refuse(to, 404, "not-found", "GET / lists the paths");
        if (found.is == outcome::method_not_allowed)
            co_return co_await refuse(to, 405, "method-not-allowed", "this path takes " + found.allow, found.allow);
        if (found.is == outcome::options) co_return co_await refuse(to, 204, {}, {}, found.allow);
        const auto& r = routes->routes[static_cast<std::size_t>(found.id)];
        if (r.json && !http::is_json_or_untyped(head.fields))
            co_return co_await refuse(to, 415, "media-type", "the body is application/json here");
        to.rest_ = found.rest;
        kept_body kept{of_.bodies};
        auto body = co_await read_body(to, r.max_body > 0 ? r.max_body : http::max_discarded_body,
                                       r.max_body > 0 ? &kept : nullptr);
        if (!body) co_return body.error();
        if (!*body) co_return result<void>{};
        if (const auto* now = std::get_if<route::immediate>(&r.answer)) co_return (*now)(to);
        peer_.expires_never();
        const auto& waiting = std::get<route::waiting>(r.answer);
        if (!r.until_gone) co_return co_await waiting(to);
        // A client that goes away is not waited for.
        auto done = co_await (waiting(to) || until_gone(peer_));
        if (done.index() == 1) co_return net::errc::closed;
        co_return std::move(std::get<0>(done));
    }

    server::state& of_;
    const http::deadlines& limits_;
    net::stream peer_;
    http::server_connection connection_;
    /// Never cleared: of a connection that waits, the pages are not even there.
    std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(read_size);
    std::shared_ptr<void> data_;                 // the routes' own
    const http::request_head* asked_ = nullptr;  // to be answered with some waiting
    bool in_head_ = false;                       // its deadline runs from its first byte
};

namespace {

http::prepared_response prepared_json(const std::string& data) {
    const http::field fields[] = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
    return {200, fields, data};
}

}  // namespace

route page_route(std::string path, http::prepared_response page, const std::string& data) {
    const auto answer = [page = std::move(page), json = prepared_json(data)](exchange& to) {
        const auto accept = http::find(to.head().fields, "Accept").value_or("");
        return to.respond(accept.find("application/json") == std::string_view::npos ? page : json);
    };
    return {http::method::get, std::move(path), answer};
}

route data_route(std::string path, const std::string& data) {
    return {http::method::get, std::move(path),
            [json = prepared_json(data)](exchange& to) { return to.respond(json); }};
}

server::server(options o, std::vector<route> routes) : state_{std::make_shared<state>(o, std::move(routes))} {}
server::server(server&&) noexcept = default;
server& server::operator=(server&&) noexcept = default;
server::~server() {
    if (state_) state_->listeners.clear();
}

void server::change_routes(std::vector<route> routes) { state_->now = std::make_shared<routing>(std::move(routes)); }

void server::serve(net::listener on) {
    state_->listeners.push_back(std::move(on));
    state_->listeners.back().start([s = state_](net::stream peer) -> asio::awaitable<void> {
        return [](std::shared_ptr<state> held, net::stream p) -> asio::awaitable<void> {
            session one{*held, std::move(p)};
            co_await one.run();
        }(s, std::move(peer));
    });
}

}  // namespace bento::web
