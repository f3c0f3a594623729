#include "calls.hpp"

#include <fmt/format.h>

#include <bento/base/encoding.hpp>
#include <bento/client/bento_connection.hpp>

namespace bento::gateway {
namespace {

using wire_client = wire::client;

constexpr std::chrono::seconds connect_limit{5};
/// A message up to this size is looked at whole, and is text where it is UTF-8; a larger one streams as base64.
constexpr std::size_t whole_limit = 64 * 1024;
/// base64 of whole groups of three bytes can be joined.
constexpr std::size_t base64_piece = 48 * 1024;

/// The one table from what went wrong at the Bento server to what the client is told.
result<void> tell(web::exchange& to, const error& e) {
    if (e.code == client::errc::unknown_token)
        return to.problem(404, "unknown-token", "no function is stored under this token");
    if (e.code == client::errc::refused) {
        const std::vector<http::field> later{{"Retry-After", "5"}};
        return to.problem(503, "refused", e.peer, later);
    }
    if (e.code == net::errc::timed_out) return to.problem(504, "timed-out", "the function did not end in time");
    if (e.code == wire::errc::too_large) return to.problem(413, "too-large", "");
    return to.problem(502, "no-server", "the function server does not answer");
}

result<void> tell_failure(web::exchange& to, std::string_view message) {
    return to.problem(500, "function-error", message);
}

task<client::bento_connection> reach(const options& o, time_point deadline) {
    auto c = co_await client::bento_connection::connect(o.server, std::min(deadline, clock::now() + connect_limit));
    if (c) c->expires_at(deadline);
    co_return c;
}

/// One function on one connection to the server, opened.
struct run {
    client::bento_connection server;
    uuid4 id;
};

task<run> start(const options& o, const call_request& request, time_point deadline) {
    auto server = co_await reach(o, deadline);
    if (!server) co_return server.error();
    const auto id = co_await server->execute(request.call, request.token);
    if (!id) co_return id.error();
    if (request.detach) co_return run{std::move(*server), *id};
    auto opened = co_await server->open(*id);
    if (!opened) co_return opened.error();
    co_return run{std::move(*server), *id};
}

time_point deadline_of(const options& o, const call_request& request) {
    auto limit = std::chrono::duration_cast<clock::duration>(o.deadline);
    if (request.seconds)
        limit = std::min(limit,
                         std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>{*request.seconds}));
    return clock::now() + limit;
}

/// An output as JSON: a string, or an object where it is not UTF-8.
std::string output_value(std::string_view data) {
    if (http::is_utf8(data)) return http::json_string(data);
    return "{\"data_base64\":\"" + base64_encode(as_byte_view(data)) + "\"}";
}

/// What the next message of a function is, gathered whole where it is not too large.
struct message {
    enum class kind { output, error, dead } is = kind::dead;
    std::string data;
};

task<message> next_message(client::bento_connection& from, std::size_t limit) {
    message out;
    for (;;) {
        auto event = co_await from.next();
        if (!event) co_return event.error();
        if (const auto* begin = std::get_if<wire_client::output_begin>(&*event)) {
            if (begin->size > limit) co_return error{wire::errc::too_large};
            out.is = message::kind::output;
            out.data.reserve(begin->size);
        } else if (const auto* data = std::get_if<wire_client::output_data>(&*event)) {
            out.data += data->data;
        } else if (std::holds_alternative<wire_client::output_end>(*event)) {
            co_return out;
        } else if (auto* failed = std::get_if<wire_client::function_error>(&*event)) {
            co_return message{message::kind::error, std::move(failed->text)};
        } else if (std::holds_alternative<wire_client::function_dead>(*event) ||
                   std::holds_alternative<wire_client::open_failed>(*event)) {
            co_return message{};
        }
    }
}

task<void> answer_first(web::exchange& to, run& r) {
    for (;;) {
        auto event = co_await r.server.next();
        if (!event) {
            if (!to.begun()) co_return tell(to, event.error());
            to.abort();
            co_return event.error();
        }
        if (const auto* begin = std::get_if<wire_client::output_begin>(&*event)) {
            if (auto sent = co_await to.begin(200, "application/octet-stream", begin->size); !sent)
                co_return sent.error();
        } else if (const auto* data = std::get_if<wire_client::output_data>(&*event)) {
            if (auto sent = co_await to.send(data->data); !sent) co_return sent.error();
        } else if (std::holds_alternative<wire_client::output_end>(*event)) {
            co_return co_await to.finish();
        } else if (const auto* failed = std::get_if<wire_client::function_error>(&*event)) {
            co_return tell_failure(to, failed->text);
        } else if (!std::holds_alternative<wire_client::invalid_message>(*event)) {
            co_return to.respond(204, {}, {});  // it ended and had nothing to say
        }
    }
}

task<void> answer_all(web::exchange& to, run& r, const call_request& request) {
    std::string outputs;
    std::uint64_t count = 0;
    bool ended = false;
    while (!request.messages || count < *request.messages) {
        auto m = co_await next_message(r.server, gateway::gathered_limit - outputs.size());
        if (!m && m.error().code == net::errc::timed_out && request.seconds) break;
        if (!m && m.error().code == wire::errc::too_large)
            co_return to.problem(500, "output-too-large", "ask for \"mode\": \"stream\"");
        if (!m) co_return tell(to, m.error());
        if (m->is == message::kind::error) co_return tell_failure(to, m->data);
        if (m->is == message::kind::dead) {
            ended = true;
            break;
        }
        outputs += (count++ > 0 ? "," : "") + output_value(m->data);
        if (outputs.size() > gateway::gathered_limit)
            co_return to.problem(500, "output-too-large", "ask for \"mode\": \"stream\"");
    }
    const auto body =
        fmt::format("{{\"function_id\":\"{}\",\"outputs\":[{}],\"ended\":{}}}\n", r.id.text(), outputs, ended);
    co_return to.json(200, body);
}

/// One output as a line; a large one as base64 on the way, never whole in memory.
class output_line {
  public:
    task<void> begin(web::exchange& to, std::uint32_t size) {
        streams_ = size > whole_limit;
        gathered_.clear();
        if (streams_) co_return co_await to.send("{\"data_base64\":\"");
        co_return result<void>{};
    }
    task<void> add(web::exchange& to, std::string_view data) {
        gathered_ += data;
        if (streams_ && gathered_.size() >= base64_piece) {
            const auto size = gathered_.size() / 3 * 3;
            const auto text = base64_encode(as_byte_view(std::string_view{gathered_}.substr(0, size)));
            gathered_.erase(0, size);
            co_return co_await to.send(text);
        }
        co_return result<void>{};
    }
    task<void> end(web::exchange& to) {
        std::string line;
        if (streams_)
            line = base64_encode(as_byte_view(gathered_)) + "\"}\n";
        else if (http::is_utf8(gathered_))
            line = "{\"data\":" + http::json_string(gathered_) + "}\n";
        else
            line = "{\"data_base64\":\"" + base64_encode(as_byte_view(gathered_)) + "\"}\n";
        co_return co_await to.send(line);
    }

  private:
    bool streams_ = false;
    std::string gathered_;
};

task<void> answer_stream(web::exchange& to, run& r, const call_request& request) {
    const auto started = fmt::format("{{\"function_id\":\"{}\"}}\n", r.id.text());
    if (auto sent = co_await to.begin(200, "application/x-ndjson"); !sent) co_return sent.error();
    if (auto sent = co_await to.send(started); !sent) co_return sent.error();
    output_line line;
    std::uint64_t count = 0;
    bool within = false;
    for (;;) {
        auto event = co_await r.server.next();
        result<void> sent;
        if (!event) {
            if (within) {
                to.abort();
                co_return event.error();
            }
            const bool expected = request.seconds && event.error().code == net::errc::timed_out;
            if (!expected) {
                const auto text = "{\"error\":" +
                                  http::json_string(event.error().code == net::errc::timed_out
                                                        ? "the function did not end in time"
                                                        : "the function server does not answer") +
                                  "}\n";
                if (sent = co_await to.send(text); !sent) co_return sent.error();
            }
            co_return co_await to.finish();
        }
        if (const auto* begin = std::get_if<wire_client::output_begin>(&*event)) {
            within = true;
            sent = co_await line.begin(to, begin->size);
        } else if (const auto* data = std::get_if<wire_client::output_data>(&*event)) {
            sent = co_await line.add(to, data->data);
        } else if (std::holds_alternative<wire_client::output_end>(*event)) {
            within = false;
            sent = co_await line.end(to);
            if (sent && request.messages && ++count == *request.messages) co_return co_await to.finish();
        } else if (const auto* failed = std::get_if<wire_client::function_error>(&*event)) {
            const auto text = "{\"error\":" + http::json_string(failed->text) + "}\n";
            sent = co_await to.send(text);
        } else if (!std::holds_alternative<wire_client::invalid_message>(*event)) {
            sent = co_await to.send("{\"ended\":true}\n");
            if (sent) co_return co_await to.finish();
        }
        if (!sent) co_return sent.error();
    }
}

}  // namespace

task<void> answer_store(const options& o, web::exchange& to, store_request request) {
    auto server = co_await reach(o, clock::now() + o.deadline);
    if (!server) co_return tell(to, server.error());
    const auto token = co_await server->store(request.name, request.code);
    if (!token) co_return tell(to, token.error());
    const auto body = fmt::format("{{\"token\":\"{}\"}}\n", token->text());
    co_return to.json(200, body);
}

task<void> answer_exec(const options& o, web::exchange& to, call_request request) {
    auto r = co_await start(o, request, deadline_of(o, request));
    if (!r) co_return tell(to, r.error());
    const auto body = fmt::format("{{\"function_id\":\"{}\",\"ok\":true}}\n", r->id.text());
    if (request.detach) co_return to.json(202, body);
    for (;;) {
        auto event = co_await r->server.next();
        if (!event) co_return tell(to, event.error());
        if (const auto* failed = std::get_if<wire_client::function_error>(&*event))
            co_return tell_failure(to, failed->text);
        if (std::holds_alternative<wire_client::function_dead>(*event)) co_return to.json(200, body);
    }
}

task<void> answer_open(const options& o, web::exchange& to, call_request request) {
    auto r = co_await start(o, request, deadline_of(o, request));
    if (!r) co_return tell(to, r.error());
    switch (request.mode) {
        case call_request::collect::first:
            co_return co_await answer_first(to, *r);
        case call_request::collect::all:
            co_return co_await answer_all(to, *r, request);
        case call_request::collect::stream:
            co_return co_await answer_stream(to, *r, request);
    }
    co_return result<void>{};
}

}  // namespace bento::gateway
