#include <bento/base/encoding.hpp>
#include <bento/client/functions.hpp>
#include <boost/json.hpp>

namespace bento::client {

namespace json = boost::json;

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
    switch (status) {
        case 404:
            return {type == "unknown-token" ? errc::unknown_token : errc::refused, {}, detail};
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

/// With one more member, where it is named.
std::string call_body(const uuid4& token, const std::string& call, std::string_view name = {}, json::value value = {}) {
    json::object o{{"token", token.text()}, {"call", call}};
    if (!name.empty()) o[name] = std::move(value);
    return json::serialize(o);
}

result<uuid4> id_in(std::string_view body, std::string_view name) {
    auto id = uuid4::parse(member(parse(body), name));
    if (!id) return error{errc::not_a_gateway, "no " + std::string{name} + " in the answer"};
    return id;
}

class gateway_functions final : public functions {
  public:
    explicit gateway_functions(web::road road) : http_{std::move(road)} {}

    task<uuid4> store(std::string name, std::string code, time_point deadline) override {
        auto body = json::serialize(json::object{{"name", name}, {"code", code}});
        auto answer = co_await http_.post_json("/store", std::move(body), deadline);
        if (!answer) co_return answer.error();
        if (answer->head.status != 200) co_return refusal_of(answer->head.status, answer->body);
        co_return id_in(answer->body, "token");
    }

    task<void> exec(uuid4 token, std::string call, time_point deadline) override {
        auto answer = co_await http_.post_json("/exec", call_body(token, call), deadline);
        if (!answer) co_return answer.error();
        if (answer->head.status != 200) co_return refusal_of(answer->head.status, answer->body);
        co_return result<void>{};
    }

    task<uuid4> detach(uuid4 token, std::string call, time_point deadline) override {
        auto body = call_body(token, call, "detach", true);
        auto answer = co_await http_.post_json("/exec", std::move(body), deadline);
        if (!answer) co_return answer.error();
        if (answer->head.status != 202) co_return refusal_of(answer->head.status, answer->body);
        co_return id_in(answer->body, "function_id");
    }

    task<void> open(uuid4 token, std::string call, output_sink sink, time_point deadline) override {
        const std::vector<http::field> fields{{"Content-Type", "application/json"}};
        auto body = call_body(token, call, "mode", "stream");
        auto head = co_await http_.start(http::method::post, "/open", fields, std::move(body), deadline);
        if (!head) co_return head.error();
        std::string rest;
        result<void> outcome;
        bool ended = false;
        for (;;) {
            const auto piece = co_await http_.next();
            if (!piece) co_return piece.error();
            if (piece->empty()) break;
            rest += *piece;
            if (rest.size() > line_limit) co_return error{errc::malformed, "a line of the answer is too long"};
            if (head->status != 200) continue;
            std::size_t start = 0;
            for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', start)) {
                auto line = take_line(std::string_view{rest}.substr(start, end - start), sink, ended);
                if (!line && line.error().code != errc::function_failed) co_return line.error();
                if (!line) outcome = line;
                start = end + 1;
            }
            rest.erase(0, start);
        }
        if (head->status != 200) co_return refusal_of(head->status, rest);
        if (outcome && !ended) co_return error{errc::malformed, "the stream ended before the function"};
        co_return outcome;
    }

  private:
    static result<void> take_line(std::string_view text, output_sink& sink, bool& ended) {
        const auto v = parse(text);
        const auto* o = object_of(v);
        if (o == nullptr) return error{errc::malformed, "a line of the stream is no JSON object"};
        if (o->contains("data")) sink.data(member(v, "data"), true);
        if (o->contains("data_base64")) {
            const auto bytes = base64_decode(member(v, "data_base64"));
            if (!bytes) return error{errc::malformed, "an output is no base64"};
            sink.data(as_text(*bytes), true);
        }
        if (o->contains("ended")) ended = true;
        if (o->contains("error")) {
            const auto words = member(v, "error");
            sink.failed(words);
            return error{errc::function_failed, {}, words};
        }
        return {};
    }

    web::http_client http_;
};

class server_functions final : public functions {
  public:
    explicit server_functions(endpoint server) : server_{std::move(server)} {}

    task<uuid4> store(std::string name, std::string code, time_point deadline) override {
        auto c = co_await bento_connection::connect(server_, deadline);
        if (!c) co_return c.error();
        co_return co_await c->store(name, code);
    }
    task<uuid4> detach(uuid4 token, std::string call, time_point deadline) override {
        auto c = co_await bento_connection::connect(server_, deadline);
        if (!c) co_return c.error();
        co_return co_await c->execute(call, token);
    }
    task<void> exec(uuid4 token, std::string call, time_point deadline) override {
        output_sink nowhere{[](std::string_view, bool) {}, [](std::string_view) {}};
        co_return co_await open(token, std::move(call), std::move(nowhere), deadline);
    }
    task<void> open(uuid4 token, std::string call, output_sink sink, time_point deadline) override {
        auto c = co_await bento_connection::connect(server_, deadline);
        if (!c) co_return c.error();
        const auto id = co_await c->execute(call, token);
        if (!id) co_return id.error();
        if (auto opened = co_await c->open(*id); !opened) co_return opened.error();
        result<void> outcome;
        for (;;) {
            auto event = co_await c->next();
            if (!event) co_return event.error();
            if (const auto* data = std::get_if<wire::client::output_data>(&*event))
                sink.data(data->data, false);
            else if (std::holds_alternative<wire::client::output_end>(*event))
                sink.data({}, true);
            else if (const auto* failed = std::get_if<wire::client::function_error>(&*event)) {
                sink.failed(failed->text);
                outcome = error{errc::function_failed, {}, failed->text};
            } else if (std::holds_alternative<wire::client::function_dead>(*event)) {
                co_return outcome;
            }
        }
    }

  private:
    endpoint server_;
};

}  // namespace

std::unique_ptr<functions> through_gateway(web::road road) {
    return std::make_unique<gateway_functions>(std::move(road));
}
std::unique_ptr<functions> at_server(endpoint server) { return std::make_unique<server_functions>(std::move(server)); }

}  // namespace bento::client
