#include <bento/base/encoding.hpp>
#include <bento/client/functions.hpp>
#include <bento/net/condition.hpp>
#include <bento/web/websocket.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json.hpp>

namespace bento::client {

namespace json = boost::json;
using namespace asio::experimental::awaitable_operators;

namespace {

/// A line of a stream: what a gateway's largest output takes as base64 would be more than we keep.
constexpr std::size_t line_limit = std::size_t{160} << 20;

const json::object* object_of(const json::value& v) { return v.if_object(); }

std::string member(const json::value& v, std::string_view name) {
    const auto* o = object_of(v);
    const auto* m = o != nullptr ? o->if_contains(name) : nullptr;
    return m != nullptr && m->is_string() ? std::string{m->get_string()} : std::string{};
}

json::value parse(std::string_view text) {
    boost::system::error_code failed;
    auto v = json::parse(text, failed);
    return failed ? json::value{} : v;
}

/// The one table from a gateway's status to our errors.
error refusal_of(int status, std::string_view body) {
    const auto problem = parse(body);
    const auto type = member(problem, "type");
    const auto detail = member(problem, "detail");
    if (type == "function-error") return {errc::function_failed, {}, detail};
    if (type.empty()) return {errc::not_a_gateway, "HTTP status " + std::to_string(status)};
    if (type == "unknown-token") return {errc::unknown_token, {}, detail};
    if (type == "unknown-function") return {errc::unknown_function, {}, detail};
    switch (status) {
        case 401:
        case 403:
        case 409:
            return {errc::forbidden, {}, detail};
        case 400:
        case 413:
        case 415:
        case 422:
            return {errc::invalid, {}, detail};
        case 502:
            return {net::errc::unreachable, "the function server behind the onion", detail};
        case 503:
            return {errc::busy, {}, detail};
        case 504:
            return {errc::timed_out, {}, detail};
        default:
            return {errc::refused, "HTTP status " + std::to_string(status), detail};
    }
}

/// A connection that broke is made again so often; the request says that it is the same, so that nothing runs twice.
constexpr int attempts = 3;

/// tor made no connection: the request that went along with the handshake is gone.
bool never_arrived(const error& e) { return e.code == net::errc::no_route || e.code == net::errc::onion_unreachable; }

result<uuid4> id_in(std::string_view body, std::string_view name) {
    auto id = uuid4::parse(member(parse(body), name));
    if (!id) return error{errc::not_a_gateway, "no " + std::string{name} + " in the answer"};
    return id;
}

class gateway_functions final : public functions {
  public:
    gateway_functions(web::road road, gateway_options o)
        : road_{road}, options_{std::move(o)}, http_{std::move(road)} {}

    task<stored_function> store(std::string name, std::string code, time_point deadline) override {
        json::object what{{"name", name}, {"code", code}};
        if (!credential.empty()) what["credential"] = credential;
        const auto body = json::serialize(what);
        auto answer = co_await http_.post_json("/store", body, deadline);
        // Sent again only where nothing can have arrived: what is stored twice has two tokens.
        for (int left = attempts; !answer && never_arrived(answer.error()) && --left > 0;) {
            take_another_circuit();
            answer = co_await http_.post_json("/store", body, deadline);
        }
        if (!answer) co_return answer.error();
        if (answer->head.status != 200) co_return refusal_of(answer->head.status, answer->body);
        const auto token = id_in(answer->body, "token");
        if (!token) co_return token.error();
        stored_function out{*token, {}};
        if (const auto owner = id_in(answer->body, "owner_token")) out.owner_token = *owner;
        co_return out;
    }

    task<std::string> publish(uuid4 token, uuid4 owner_token, time_point deadline) override {
        json::object body{{"token", token.text()}, {"owner_token", owner_token.text()}};
        co_return co_await post_again("/register", std::move(body), 200, deadline);
    }

    task<void> remove(uuid4 token, uuid4 owner_token, time_point deadline) override {
        json::object body{{"token", token.text()}, {"owner_token", owner_token.text()}};
        const auto answer = co_await post_again("/delete", std::move(body), 204, deadline);
        if (!answer) co_return answer.error();
        co_return result<void>{};
    }

    task<void> exec(uuid4 token, std::string call, time_point deadline) override {
        const auto answer = co_await post_again("/exec", call_of(token, call), 200, deadline);
        if (!answer) co_return answer.error();
        co_return result<void>{};
    }

    task<uuid4> detach(uuid4 token, std::string call, time_point deadline) override {
        auto body = call_of(token, call);
        body["detach"] = true;
        const auto answer = co_await post_again("/exec", std::move(body), 202, deadline);
        if (!answer) co_return answer.error();
        co_return id_in(*answer, "function_id");
    }

    task<void> close(uuid4 id, time_point deadline) override {
        json::object body;
        body["function_id"] = id.text();
        const auto answer = co_await post_again("/close", std::move(body), 204, deadline);
        if (!answer) co_return answer.error();
        co_return result<void>{};
    }

    task<void> open(uuid4 token, std::string call, output_sink sink, time_point deadline) override {
        return read(call_of(token, call), std::move(sink), deadline);
    }
    task<void> attach(uuid4 id, output_sink sink, time_point deadline) override {
        return read(json::object{{"function_id", id.text()}}, std::move(sink), deadline);
    }

  private:
    /// What is known of a stream of outputs.
    struct progress {
        std::uint64_t messages = 0;  ///< that were told to the sink
        bool numbered = false;
        bool ended = false;
        bool input_taken = false;  ///< what is gone from there cannot be sent again
        result<void> outcome;
    };

    json::object call_of(const uuid4& token, const std::string& call) const {
        json::object out{{"token", token.text()}, {"call", call}, {"request_id", uuid4::generate().text()}};
        if (options_.code_sha256) out["code_sha256"] = *options_.code_sha256;
        return out;
    }

    bool may_try_again(const error& e, time_point deadline) const {
        if (never_arrived(e) || e.code == net::errc::closed) return true;
        if (!options_.moved || clock::now() >= deadline) return false;
        for (const auto code : {net::errc::onion_not_found, net::errc::onion_invalid, net::errc::timed_out})
            if (e.code == code) return true;
        return false;
    }

    void take_another_circuit() {
        road_.isolation.password = uuid4::generate().str();
        http_ = web::http_client{road_};
    }
    /// Another connection, to where the server is now.
    asio::awaitable<void> reconnect(time_point deadline) {
        take_another_circuit();
        if (!options_.moved) co_return;
        auto now = co_await options_.moved(deadline);
        if (!now) co_return;  // then where it was; that failure is the one that is told
        road_ = std::move(*now);
        http_ = web::http_client{road_};
    }

    task<std::string> post_again(std::string path, json::object body, int expected, time_point deadline) {
        const auto text = json::serialize(body);
        for (int left = attempts;;) {
            auto answer = co_await http_.post_json(path, text, deadline);
            if (answer && answer->head.status == expected) co_return std::move(answer->body);
            if (answer) co_return refusal_of(answer->head.status, answer->body);
            if (--left == 0 || !may_try_again(answer.error(), deadline)) co_return answer.error();
            co_await reconnect(deadline);
        }
    }

    task<void> read(json::object what, output_sink sink, time_point deadline) {
        progress p;
        for (int left = attempts;;) {
            if (p.numbered) what["after"] = p.messages;
            const auto before = p.messages;
            result<void> done;
            if (sink.input)
                done = co_await talk(json::serialize(what), sink, p, deadline);
            else
                done = co_await stream(what, sink, p, deadline);
            if (done || !may_try_again(done.error(), deadline)) co_return done;
            if (p.messages > before) left = attempts;
            if (--left == 0 || p.input_taken) co_return done;
            co_await reconnect(deadline);
        }
    }

    task<void> stream(json::object what, output_sink& sink, progress& p, time_point deadline) {
        what["mode"] = "stream";
        const std::vector<http::field> fields{{"Content-Type", "application/json"}};
        auto head = co_await http_.start(http::method::post, "/open", fields, json::serialize(what), deadline);
        if (!head) co_return head.error();
        std::string rest;
        for (;;) {
            const auto piece = co_await http_.next();
            if (!piece) co_return piece.error();
            if (piece->empty()) break;
            rest += *piece;
            if (rest.size() > line_limit) co_return error{errc::malformed, "a line of the answer is too long"};
            if (head->status != 200) continue;
            std::size_t start = 0;
            for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', start)) {
                if (auto line = take_line(std::string_view{rest}.substr(start, end - start), sink, p); !line)
                    co_return line.error();
                start = end + 1;
            }
            rest.erase(0, start);
        }
        if (head->status != 200) co_return refusal_of(head->status, rest);
        if (p.outcome && !p.ended) co_return error{errc::malformed, "the stream ended before the function"};
        co_return p.outcome;
    }

    /// An output, or words of the gateway's.
    static result<void> take_line(std::string_view text, output_sink& sink, progress& p) {
        const auto v = parse(text);
        const auto* o = object_of(v);
        if (o == nullptr) return error{errc::malformed, "a line of the stream is no JSON object"};
        if (o->contains("data")) sink.data(member(v, "data"), true);
        if (o->contains("data_base64")) {
            const auto bytes = base64_decode(member(v, "data_base64"));
            if (!bytes) return error{errc::malformed, "an output is no base64"};
            sink.data(as_text(*bytes), true);
        }
        if (o->contains("data") || o->contains("data_base64")) ++p.messages;
        return take_words(v, sink, p);
    }

    static result<void> take_words(const json::value& v, output_sink& sink, progress& p) {
        const auto* o = object_of(v);
        if (o == nullptr) return error{errc::malformed, "words of the gateway are no JSON object"};
        if (o->contains("status"))
            return refusal_of(static_cast<int>(o->at("status").to_number<double>()), json::serialize(v));
        if (const auto id = uuid4::parse(member(v, "function_id"))) {
            boost::system::error_code none;
            const auto* after = o->if_contains("after");
            p.messages = after != nullptr ? after->to_number<std::uint64_t>(none) : 0;
            p.numbered = after != nullptr && !none;
            if (sink.started) sink.started(*id);
        }
        if (o->contains("ended")) p.ended = true;
        if (o->contains("error")) {
            ++p.messages;
            const auto words = member(v, "error");
            sink.failed(words);
            p.outcome = error{errc::function_failed, {}, words};
        }
        return {};
    }

    /// By WebSocket, input and output at once.
    task<void> talk(std::string first, output_sink& sink, progress& p, time_point deadline) {
        auto w = co_await web::websocket::connect(road_, "/session", deadline);
        if (!w && w.error().code == web::errc::refused)
            co_return error{errc::refused, "a session", member(parse(w.error().peer), "detail")};
        if (!w) co_return w.error();
        p.input_taken = true;
        w->expires_at(deadline);
        if (auto sent = co_await w->send(http::websocket::opcode::text, first); !sent) co_return sent.error();
        auto done = co_await (listen(*w, sink, p) || send_inputs(*w, sink));
        if (done.index() == 1) co_return std::get<1>(std::move(done));
        co_return std::get<0>(std::move(done));
    }

    static task<void> listen(web::websocket& w, output_sink& sink, progress& p) {
        std::string words;
        for (;;) {
            const auto piece = co_await w.next();
            if (!piece && piece.error().code == net::errc::closed && p.ended) co_return p.outcome;
            if (!piece && !piece.error().peer.empty()) co_return error{errc::refused, {}, piece.error().peer};
            if (!piece) co_return piece.error();
            if (!piece->text) {
                sink.data(piece->bytes, piece->last);
                if (piece->last) ++p.messages;
                continue;
            }
            words += piece->bytes;
            if (words.size() > line_limit) co_return error{errc::malformed, "words of the gateway are too long"};
            if (!piece->last) continue;
            w.expires_at(time_point::max());
            if (auto taken = take_words(parse(std::exchange(words, {})), sink, p); !taken) co_return taken.error();
        }
    }

    /// Never returns but with an error: the function may go on when the input has ended.
    static task<void> send_inputs(web::websocket& w, output_sink& sink) {
        for (;;) {
            const auto message = co_await sink.input();
            if (!message) break;
            if (auto sent = co_await w.send(http::websocket::opcode::binary, *message); !sent) break;
        }
        net::condition never{co_await asio::this_coro::executor};
        co_await never.wait();
        co_return result<void>{};
    }

    web::road road_;
    gateway_options options_;
    web::http_client http_;
};

}  // namespace

std::unique_ptr<functions> through_gateway(web::road road, gateway_options o) {
    return std::make_unique<gateway_functions>(std::move(road), std::move(o));
}

}  // namespace bento::client
