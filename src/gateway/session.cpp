// One function over one WebSocket. The client's first message is the body of /open; each further one is an input. What
// comes back: a binary message for each output, exactly the function's bytes, and text for our own words, a JSON
// object:
// {"function_id","after"} first, {"error"}, {"ended":true}, or a problem.
#include <fmt/format.h>

#include <bento/http/websocket.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "calls.hpp"
#include "refusals.hpp"

namespace bento::gateway {
namespace {

using namespace asio::experimental::awaitable_operators;
namespace ws = http::websocket;
using kind = reader::item::kind;

constexpr std::size_t read_size = 16 * 1024;
/// For the first message. A circuit of Tor stalls for seconds now and then.
constexpr std::chrono::seconds first_limit{30};
/// A client that has said nothing for so long is asked for a sign of life; and after twice that, it is taken for gone.
constexpr std::chrono::seconds silence{60};
/// For what is written to be taken.
constexpr std::chrono::seconds write_limit{90};
/// Pongs and Closes that wait for an output to be written; a client that sends Pings and reads nothing is cut.
constexpr std::size_t pending_limit = 16 * 1024;

struct over {
    ws::close_code code = ws::close_code::normal;
    std::string why;
};

class session {
  public:
    session(context c, web::exchange& to, std::string came)
        : c_{std::move(c)}, to_{to}, from_{ws::receiver::from::client, c_.with->max_body} {
        from_.feed(came);
    }

    task<void> talk() {
        to_.peer().expires_after(first_limit);
        auto first = co_await read_first();
        over end;
        if (first) {
            end = co_await serve(*first);
        } else {
            end = first.error();
        }
        std::string out;
        ws::append_frame(out, ws::opcode::close, true, ws::close_payload(end.code, end.why));
        to_.peer().expires_after(write_limit);
        co_return co_await to_.peer().write(out);
    }

  private:
    /// The next event of the client; `closed` with no_status where it has gone.
    asio::awaitable<ws::receiver::event> next() {
        for (;;) {
            auto e = from_.next();
            if (!std::holds_alternative<ws::receiver::need_data>(e)) co_return e;
            const auto n = co_await to_.peer().read_some(buffer_);
            if (!n) co_return ws::receiver::closed{ws::close_code::no_status, {}};
            heard_ = clock::now();
            from_.feed({buffer_.data(), *n});
        }
    }

    void queue(ws::opcode type, std::string_view payload) { ws::append_frame(pending_, type, true, payload); }

    /// A whole message, or why there is none.
    asio::awaitable<boost::system::result<std::string, over>> next_message() {
        std::string out;
        for (;;) {
            const auto e = co_await next();
            if (const auto* d = std::get_if<ws::receiver::data>(&e)) {
                out += d->bytes;
                if (d->last) co_return out;
            } else if (const auto* p = std::get_if<ws::receiver::ping>(&e)) {
                if (pending_.size() > pending_limit) co_return over{ws::close_code::policy, "too many pings"};
                queue(ws::opcode::pong, p->payload);
                wake();
            } else if (const auto* b = std::get_if<ws::receiver::broken>(&e)) {
                co_return over{b->code, std::string{b->why}};
            } else if (std::holds_alternative<ws::receiver::closed>(e)) {
                co_return over{};
            }
        }
    }

    asio::awaitable<boost::system::result<attached, over>> read_first() {
        auto body = co_await next_message();
        if (!body) co_return body.error();
        auto request = parse_call_request(*body, {c_.with->literal_calls, true});
        if (!request) {
            const auto& r = request.error();
            co_return co_await refuse(http::problem("invalid-request", r.status, r.detail));
        }
        request->mode = call_request::collect::stream;
        auto a = co_await attach(c_, to_, *request, deadline_of(*c_.with, *request));
        if (!a) co_return co_await refuse(problem_of(a.error()));
        co_return std::move(*a);
    }

    asio::awaitable<over> refuse(std::string problem) {
        queue(ws::opcode::text, problem);
        co_await flush();
        co_return over{ws::close_code::policy, "refused"};
    }

    asio::awaitable<over> serve(const attached& a) {
        reader r{a.of, a.place};
        reader_ = &r;
        queue(ws::opcode::text,
              fmt::format("{{\"function_id\":\"{}\",\"after\":{}}}", a.id.text(), r.messages_before()));
        to_.peer().expires_never();
        heard_ = clock::now();
        auto end = co_await (write_outputs(r, *a.of) || read_inputs(*a.of));
        reader_ = nullptr;
        if (end.index() == 0) {
            r.commit();
            co_return std::get<0>(std::move(end));
        }
        co_return std::get<1>(std::move(end));
    }

    void wake() {
        if (reader_ != nullptr) reader_->wake().notify_all();
    }

    asio::awaitable<bool> flush() {
        const auto out = std::exchange(pending_, {});
        to_.peer().expires_after(write_limit);
        const auto written = co_await to_.peer().write(out);
        to_.peer().expires_never();
        co_return static_cast<bool>(written);
    }

    asio::awaitable<over> write_outputs(reader& r, run& of) {
        bool pinged = false;
        for (;;) {
            if (!pending_.empty() && !co_await flush()) co_return over{};
            const auto item = r.try_next();
            if (!item) {
                const auto quiet = clock::now() - heard_;
                if (quiet < silence) pinged = false;
                if (quiet >= 2 * silence) co_return over{ws::close_code::going_away, "no sign of life"};
                if (quiet >= silence && !std::exchange(pinged, true)) {
                    queue(ws::opcode::ping, {});
                    continue;
                }
                co_await r.wake().wait(heard_ + (pinged ? 2 : 1) * silence);
                continue;
            }
            switch (item->is) {
                case kind::output:
                    ws::append_frame(pending_, item->first ? ws::opcode::binary : ws::opcode::continuation, item->last,
                                     item->bytes);
                    break;
                case kind::failure:
                    queue(ws::opcode::text, "{\"error\":" + http::json_string(item->bytes) + "}");
                    break;
                case kind::taken_over:
                    co_return over{ws::close_code::going_away, "another connection reads this function now"};
                case kind::over:
                    if (of.lost()) co_return over{ws::close_code::internal, "the function server does not answer"};
                    queue(ws::opcode::text, "{\"ended\":true}");
                    co_await flush();
                    co_return over{};
            }
        }
    }

    asio::awaitable<over> read_inputs(run& of) {
        for (;;) {
            auto message = co_await next_message();
            if (!message) co_return message.error();
            net::condition changed{to_.peer().executor()};
            const watching here{of.shared_from_this(), changed};
            while (!of.over() && !of.has_room_for_input())
                co_await changed.wait();
            of.input(std::move(*message));
        }
    }

    context c_;
    web::exchange& to_;
    ws::receiver from_;
    std::array<char, read_size> buffer_;
    std::string pending_;
    time_point heard_ = clock::now();
    reader* reader_ = nullptr;
};

}  // namespace

task<void> answer_session(context c, web::exchange& to) {
    if (const auto wrong = ws::check_handshake(to.head())) {
        const http::field upgrade[] = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", ws::version}};
        co_return to.problem(wrong->status, "websocket", wrong->why,
                             wrong->status == 426 ? std::span{upgrade} : std::span<const http::field>{});
    }
    const auto accept = ws::accept_key(*http::find(to.head().fields, "Sec-WebSocket-Key"));
    const http::field fields[] = {
        {"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", accept}};
    auto came = co_await to.switch_protocols(fields);
    if (!came) co_return came.error();
    const auto s = std::make_unique<session>(std::move(c), to, std::move(*came));
    co_return co_await s->talk();
}

}  // namespace bento::gateway
