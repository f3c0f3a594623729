#include "calls.hpp"

#include <fmt/format.h>

#include <bento/base/encoding.hpp>
#include <boost/asio/this_coro.hpp>

#include "refusals.hpp"

namespace bento::gateway {

using kind = reader::item::kind;

namespace {

/// base64 of whole groups of three bytes can be joined.
constexpr std::size_t base64_group = 3;

/// The functions that one connection has started and that still run.
struct started_here {
    std::vector<std::weak_ptr<run>> runs;
};

result<void> check_code(const options& o, const call_request& request) {
    if (!request.code_sha256) return {};
    if (!o.code_sha256_of) return errc::cannot_tell;
    const auto known = o.code_sha256_of(*request.token);
    if (!known && !o.is_embedded()) return errc::cannot_tell;
    if (!known) return client::errc::unknown_token;
    const auto same = hex_decode(*known) == hex_decode(*request.code_sha256);
    if (!same) return errc::code_mismatch;
    return {};
}

result<std::vector<std::weak_ptr<run>>*> room_on(web::exchange& to, std::size_t limit) {
    auto& data = to.connection_data();
    if (!data) data = std::make_shared<started_here>();
    auto& mine = static_cast<started_here*>(data.get())->runs;
    std::erase_if(mine, [](const auto& weak) {
        const auto r = weak.lock();
        return !r || r->over();
    });
    if (mine.size() >= limit) return errc::busy;
    return &mine;
}

/// Whether what came last is one of ours, and then told.
std::optional<error> broken_off(const std::optional<reader::item>& item, const run& of) {
    if (!item) return error{net::errc::timed_out};
    if (item->is == kind::taken_over) return error{errc::output_gone, {}, "another connection reads this function now"};
    if (item->is == kind::over && of.lost()) return error{net::errc::closed};
    return {};
}

task<void> answer_first(web::exchange& to, const attached& a, time_point deadline) {
    reader r{a.of, a.place};
    auto item = co_await r.next(deadline);
    if (const auto e = broken_off(item, *a.of)) co_return tell(to, *e, a.id);
    const http::field id_field[] = {{"Function-Id", a.id.text()}};
    if (item->is == kind::failure) {
        tell_failure(to, item->bytes, a.id);
    } else if (item->is == kind::over) {
        to.respond(204, id_field, {});  // it ended and had nothing to say
    } else {
        to.begin(200, "application/octet-stream", item->size, id_field);
        for (;;) {
            if (auto sent = co_await to.send(item->bytes); !sent) co_return sent.error();
            if (item->last) break;
            item = co_await r.next(deadline);
            if (const auto e = broken_off(item, *a.of)) {
                to.abort();
                co_return *e;
            }
        }
        if (auto sent = co_await to.finish(); !sent) co_return sent.error();
    }
    if (auto sent = co_await to.flush(); !sent) co_return sent.error();
    r.commit();
    co_return result<void>{};
}

task<void> answer_all(web::exchange& to, const attached& a, const call_request& request, time_point deadline) {
    reader r{a.of, a.place, reader::hold{gateway::gathered_limit + run::kept_limit}};
    std::string outputs, message;
    std::uint64_t count = 0;
    const auto after = r.messages_before();
    const auto too_large = [&] {
        return to.problem(500, "output-too-large", "ask for \"mode\": \"stream\"", {},
                          fmt::format("\"function_id\":\"{}\"", a.id.text()));
    };
    while (!request.messages || count < *request.messages) {
        const auto item = co_await r.next(deadline);
        if (!item && request.seconds) break;
        if (const auto e = broken_off(item, *a.of)) co_return tell(to, *e, a.id);
        if (item->is == kind::over) break;
        if (item->is == kind::failure) {
            tell_failure(to, item->bytes, a.id);
            if (auto sent = co_await to.flush(); !sent) co_return sent.error();
            r.commit();
            co_return result<void>{};
        }
        if (item->size > gateway::gathered_limit - outputs.size()) co_return too_large();
        message += item->bytes;
        if (!item->last) continue;
        outputs += (count++ > 0 ? "," : "");
        outputs += http::is_utf8(message) ? http::json_string(message) : "{" + output_member(message) + "}";
        message.clear();
        if (outputs.size() > gateway::gathered_limit) co_return too_large();
    }
    const bool ended = a.of->over() && (!request.messages || count < *request.messages);
    to.json(200, fmt::format("{{\"function_id\":\"{}\",\"after\":{},\"outputs\":[{}],\"ended\":{}}}\n", a.id.text(),
                             after, outputs, ended));
    if (auto sent = co_await to.flush(); !sent) co_return sent.error();
    r.commit();
    co_return result<void>{};
}

/// One output as a line; a large one as base64 on the way, never whole in memory.
class output_line {
  public:
    std::string add(const reader::item& piece) {
        if (piece.first && piece.last) return "{" + output_member(piece.bytes) + "}\n";
        std::string out = piece.first ? "{\"data_base64\":\"" : "";
        rest_ += piece.bytes;
        const auto size = piece.last ? rest_.size() : rest_.size() / base64_group * base64_group;
        out += base64_encode(as_byte_view(std::string_view{rest_}.substr(0, size)));
        rest_.erase(0, size);
        return piece.last ? out + "\"}\n" : out;
    }

  private:
    std::string rest_;
};

task<void> answer_stream(web::exchange& to, const attached& a, const call_request& request, time_point deadline) {
    reader r{a.of, a.place};
    to.begin(200, "application/x-ndjson");
    std::string text = fmt::format("{{\"function_id\":\"{}\",\"after\":{}}}\n", a.id.text(), r.messages_before());
    output_line line;
    std::uint64_t count = 0;
    bool within = false;
    for (;;) {
        if (auto sent = co_await to.send(text); !sent) co_return sent.error();
        if (!within && request.messages && count == *request.messages) break;
        const auto item = co_await r.next(deadline);
        if (const auto e = broken_off(item, *a.of)) {
            if (within) {
                to.abort();
                co_return *e;
            }
            if (item || !request.seconds)
                text = "{\"error\":" + http::json_string(words_of(*e)) + "}\n";
            else
                text.clear();
            if (auto sent = co_await to.send(text); !sent) co_return sent.error();
            break;
        }
        if (item->is == kind::over) {
            if (auto sent = co_await to.send("{\"ended\":true}\n"); !sent) co_return sent.error();
            break;
        }
        within = !item->last;
        if (item->last) ++count;
        text = item->is == kind::failure ? "{\"error\":" + http::json_string(item->bytes) + "}\n" : line.add(*item);
    }
    if (auto sent = co_await to.finish(); !sent) co_return sent.error();
    r.commit();
    co_return result<void>{};
}

task<void> answer_by_mode(web::exchange& to, const attached& a, const call_request& request, time_point deadline) {
    switch (request.mode) {
        case call_request::collect::first:
            return answer_first(to, a, deadline);
        case call_request::collect::all:
            return answer_all(to, a, request, deadline);
        case call_request::collect::stream:
            break;
    }
    return answer_stream(to, a, request, deadline);
}

}  // namespace

std::string output_member(std::string_view data) {
    if (http::is_utf8(data)) return "\"data\":" + http::json_string(data);
    return "\"data_base64\":\"" + base64_encode(as_byte_view(data)) + "\"";
}

time_point deadline_of(const options& o, const call_request& request) {
    const bool streams = request.mode == call_request::collect::stream;
    auto limit = std::chrono::duration_cast<clock::duration>(o.deadline);
    if (request.seconds) {
        const auto asked = std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>{*request.seconds});
        return clock::now() + (streams ? asked : std::min(limit, asked));
    }
    return streams ? time_point::max() : clock::now() + limit;
}

task<attached> attach(const context& c, web::exchange& to, const call_request& request, time_point deadline) {
    if (request.function_id) {
        auto found = c.all->find(*request.function_id);
        if (!found) co_return found.error();
        const auto place = (*found)->place_after(request.after);
        if (!place) co_return errc::output_gone;
        co_return attached{std::move(*found), *request.function_id, *place};
    }
    if (auto checked = check_code(*c.with, request); !checked) co_return checked.error();
    auto mine = room_on(to, c.with->functions_per_connection);
    if (!mine) co_return mine.error();
    const auto start_limit = std::min(deadline, clock::now() + c.with->deadline);
    auto begun = co_await c.all->start(request, start_limit);
    if (!begun) co_return begun.error();
    if (!begun->again) (*mine)->push_back(begun->of);
    const auto id = co_await begun->of->started(start_limit);
    if (!id) co_return id.error();
    // A request that comes again is answered from the run's beginning: what it was told before may have been lost.
    const auto place = begun->of->place_after(request.after.value_or(0));
    if (!place) co_return errc::output_gone;
    c.all->told(*id);
    co_return attached{std::move(begun->of), *id, *place};
}

task<void> answer_exec(context c, web::exchange& to) {
    auto request = parse_call_request(to.body(), {c.with->literal_calls, false});
    if (!request) co_return tell(to, request.error());
    const auto deadline = deadline_of(*c.with, *request);
    auto a = co_await attach(c, to, *request, deadline);
    if (!a) co_return tell(to, a.error());
    const auto body = fmt::format("{{\"function_id\":\"{}\",\"ok\":true}}\n", a->id.text());
    if (request->detach) co_return to.json(202, body);
    // Its outputs are read past, since it waits while nobody takes them.
    reader r{a->of, a->place};
    for (;;) {
        const auto item = co_await r.next(deadline);
        if (const auto e = broken_off(item, *a->of)) co_return tell(to, *e, a->id);
        if (item->is == kind::over) break;
    }
    if (const auto& words = a->of->failure()) co_return tell_failure(to, *words, a->id);
    co_return to.json(200, body);
}

task<void> answer_open(context c, web::exchange& to) {
    auto request = parse_call_request(to.body(), {c.with->literal_calls, true});
    if (!request) co_return tell(to, request.error());
    const auto deadline = deadline_of(*c.with, *request);
    auto a = co_await attach(c, to, *request, deadline);
    if (!a) co_return tell(to, a.error());
    co_return co_await answer_by_mode(to, *a, *request, deadline);
}

task<void> answer_input(context c, web::exchange& to) {
    auto request = parse_input(to.body());
    if (!request) co_return tell(to, request.error());
    const auto found = c.all->find(request->function_id);
    if (!found) co_return tell(to, found.error());
    auto& r = **found;
    r.use();
    if (!r.has_room_for_input() || r.take_input_refused() || !r.input(std::move(request->data)))
        co_return tell(to, errc::not_reading, request->function_id);
    co_return to.respond(204, {}, {});
}

result<void> answer_close(const context& c, web::exchange& to) {
    const auto id = parse_function_id(to.body());
    if (!id) return tell(to, id.error());
    if (auto ended = c.all->end(*id); !ended) return tell(to, ended.error());
    return to.respond(204, {}, {});
}

task<void> answer_custom(context c, const custom_route& route, web::exchange& to) {
    auto request = custom_call(route, to.body());
    if (!request) co_return tell(to, request.error());
    const auto deadline = deadline_of(*c.with, *request);
    auto a = co_await attach(c, to, *request, deadline);
    if (!a) co_return tell(to, a.error());
    struct ending {
        runs& all;
        const uuid4& id;
        ~ending() { all.abandon(id); }
    } const with_the_answer{*c.all, a->id};
    co_return co_await answer_by_mode(to, *a, *request, deadline);
}

}  // namespace bento::gateway
