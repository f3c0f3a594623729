#include "request.hpp"

#include <bento/wire/call.hpp>
#include <boost/json.hpp>

namespace bento::gateway {

namespace json = boost::json;

namespace {

/// Nesting of a body: it has none, but for values that a later version may know.
constexpr std::size_t max_depth = 8;

checked<json::object> parse_object(std::string_view body) {
    json::parse_options options;
    options.max_depth = max_depth;
    boost::system::error_code failed;
    auto v = json::parse(body, failed, {}, options);
    if (failed || !v.is_object()) return refusal{400, "the body is no JSON object in UTF-8"};
    return std::move(v.as_object());
}

const json::value* find(const json::object& in, std::string_view name, std::string_view thesis_name = {}) {
    const auto* v = in.if_contains(name);
    return v == nullptr && !thesis_name.empty() ? in.if_contains(thesis_name) : v;
}

checked<std::string> text(const json::object& in, std::string_view name, std::string_view thesis_name) {
    const auto* v = find(in, name, thesis_name);
    if (v == nullptr) return refusal{422, "the member \"" + std::string{name} + "\" is missing"};
    if (!v->is_string()) return refusal{422, "the member \"" + std::string{name} + "\" is no string"};
    return std::string{v->get_string()};
}

}  // namespace

checked<store_request> parse_store(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return object.error();
    auto name = text(*object, "name", "0");
    if (!name) return name.error();
    auto code = text(*object, "code", "1");
    if (!code) return code.error();
    return store_request{std::move(*name), std::move(*code)};
}

checked<call_request> parse_call_request(std::string_view body, bool literal) {
    const auto object = parse_object(body);
    if (!object) return object.error();
    const auto token_text = text(*object, "token", "0");
    if (!token_text) return token_text.error();
    const auto token = uuid4::parse(*token_text);
    if (!token) return refusal{422, "the member \"token\": " + token.error().detail};
    auto call = text(*object, "call", "1");
    if (!call) return call.error();
    if (literal)
        if (const auto parsed = wire::parse_call(*call); !parsed)
            return refusal{422, "the member \"call\" is not name(literals...): " + parsed.error().detail};
    call_request out{*token, std::move(*call)};
    if (const auto* mode = find(*object, "mode")) {
        if (*mode == "first")
            out.mode = call_request::collect::first;
        else if (*mode == "all")
            out.mode = call_request::collect::all;
        else if (*mode == "stream")
            out.mode = call_request::collect::stream;
        else
            return refusal{422, "the member \"mode\" is none of \"first\", \"all\" and \"stream\""};
    }
    if (const auto* detach = find(*object, "detach")) {
        if (!detach->is_bool()) return refusal{422, "the member \"detach\" is neither true nor false"};
        out.detach = detach->get_bool();
    }
    if (const auto* seconds = find(*object, "seconds")) {
        if (!seconds->is_number() || seconds->to_number<double>() <= 0 || seconds->to_number<double>() > 86'400)
            return refusal{422, "the member \"seconds\" is no number from 0 to 86400"};
        out.seconds = seconds->to_number<double>();
    }
    if (const auto* messages = find(*object, "messages")) {
        boost::system::error_code failed;
        const auto n = messages->to_number<std::uint64_t>(failed);
        if (failed || n == 0) return refusal{422, "the member \"messages\" is no whole number above 0"};
        out.messages = n;
    }
    return out;
}

}  // namespace bento::gateway
