#include "request.hpp"

#include <bento/base/encoding.hpp>
#include <bento/wire/call.hpp>
#include <boost/json.hpp>

namespace bento::gateway {

namespace json = boost::json;

namespace {

/// Nesting of a body: it has none, but for values that a later version may know.
constexpr std::size_t max_depth = 8;
constexpr double max_seconds = 86'400;
constexpr std::size_t sha256_size = 32;

checked<json::object> parse_object(std::string_view body) {
    json::parse_options options;
    options.max_depth = max_depth;
    boost::system::error_code failed;
    auto v = json::parse(body, failed, {}, options);
    if (failed || !v.is_object()) return refusal{400, "the body is no JSON object in UTF-8"};
    return std::move(v.as_object());
}

refusal wrong(std::string_view name, std::string_view what) {
    return {422, "the member \"" + std::string{name} + "\" " + std::string{what}};
}

/// Reads one object member by member; the first that is wrong is kept.
class members {
  public:
    explicit members(const json::object& in) : in_{in} {}

    bool has(std::string_view name) const { return in_.contains(name); }
    bool failed() const { return failed_.has_value(); }
    const refusal& why() const { return *failed_; }
    void refuse(refusal r) {
        if (!failed_) failed_ = std::move(r);
    }

    std::optional<std::string> text(std::string_view name) {
        const auto* v = in_.if_contains(name);
        if (v == nullptr) return {};
        if (v->is_string()) return std::string{v->get_string()};
        refuse(wrong(name, "is no string"));
        return {};
    }
    /// One that must be there, under its own name or the thesis'.
    std::string needed_text(std::string_view name, std::string_view thesis_name = {}) {
        const auto key = thesis_name.empty() || in_.contains(name) ? name : thesis_name;
        auto out = text(key);
        if (!out) refuse(wrong(name, "is missing"));
        return out.value_or("");
    }
    std::optional<uuid4> id(std::string_view name, std::string_view thesis_name = {}) {
        const auto key = thesis_name.empty() || in_.contains(name) ? name : thesis_name;
        const auto value = text(key);
        if (!value) return {};
        const auto parsed = uuid4::parse(*value);
        if (parsed) return *parsed;
        refuse({422, "the member \"" + std::string{name} + "\": " + parsed.error().detail});
        return {};
    }
    std::optional<uuid4> needed_id(std::string_view name, std::string_view thesis_name = {}) {
        auto out = id(name, thesis_name);
        if (!out) refuse(wrong(name, "is missing"));
        return out;
    }
    bool flag(std::string_view name) {
        const auto* v = in_.if_contains(name);
        if (v == nullptr) return false;
        if (v->is_bool()) return v->get_bool();
        refuse(wrong(name, "is neither true nor false"));
        return false;
    }
    std::optional<std::uint64_t> whole_number(std::string_view name, std::uint64_t least) {
        const auto* v = in_.if_contains(name);
        if (v == nullptr) return {};
        boost::system::error_code not_whole;
        const auto n = v->to_number<std::uint64_t>(not_whole);
        if (!not_whole && n >= least) return n;
        refuse(wrong(name, least == 0 ? "is no whole number" : "is no whole number above 0"));
        return {};
    }
    std::optional<double> seconds(std::string_view name) {
        const auto* v = in_.if_contains(name);
        if (v == nullptr) return {};
        if (v->is_number() && v->to_number<double>() > 0 && v->to_number<double>() <= max_seconds)
            return v->to_number<double>();
        refuse(wrong(name, "is no number from 0 to 86400"));
        return {};
    }

  private:
    const json::object& in_;
    std::optional<refusal> failed_;
};

std::string_view name_of(custom_route::type t) {
    switch (t) {
        case custom_route::type::text:
            return "string";
        case custom_route::type::whole_number:
            return "whole number";
        case custom_route::type::number:
            return "number";
        case custom_route::type::boolean:
            return "true or false";
        case custom_route::type::any:
            break;
    }
    return "value";
}

bool is_of(const json::value& v, custom_route::type t) {
    switch (t) {
        case custom_route::type::text:
            return v.is_string();
        case custom_route::type::whole_number:
            return v.is_int64() || v.is_uint64();
        case custom_route::type::number:
            return v.is_number();
        case custom_route::type::boolean:
            return v.is_bool();
        case custom_route::type::any:
            break;
    }
    return true;
}

void read_function(members& m, call_request& out, call_rules rules) {
    if (rules.running && m.has("function_id")) {
        if (m.has("token")) m.refuse({422, "\"token\" and \"function_id\" exclude each other"});
        out.function_id = m.id("function_id");
        return;
    }
    out.token = m.needed_id("token", "0");
    out.call = m.needed_text("call", "1");
    if (m.failed() || !rules.literal) return;
    if (const auto parsed = wire::parse_call(out.call); !parsed)
        m.refuse({422, "the member \"call\" is not name(literals...): " + parsed.error().detail});
}

void read_mode(members& m, call_request& out) {
    const auto mode = m.text("mode");
    if (!mode || *mode == "first") return;
    if (*mode == "all")
        out.mode = call_request::collect::all;
    else if (*mode == "stream")
        out.mode = call_request::collect::stream;
    else
        m.refuse(wrong("mode", R"(is none of "first", "all" and "stream")"));
}

}  // namespace

checked<store_request> parse_store(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return object.error();
    members m{*object};
    store_request out;
    out.name = m.needed_text("name", "0");
    out.code = m.needed_text("code", "1");
    out.credential = m.text("credential");
    if (m.failed()) return m.why();
    return out;
}

checked<call_request> parse_call_request(std::string_view body, call_rules rules) {
    const auto object = parse_object(body);
    if (!object) return object.error();
    members m{*object};
    call_request out;
    read_function(m, out, rules);
    read_mode(m, out);
    out.detach = m.flag("detach");
    out.seconds = m.seconds("seconds");
    out.messages = m.whole_number("messages", 1);
    out.after = m.whole_number("after", 0);
    out.request_id = m.id("request_id");
    out.code_sha256 = m.text("code_sha256");
    if (out.code_sha256) {
        const auto digest = hex_decode(*out.code_sha256);
        if (!digest || digest->size() != sha256_size) m.refuse(wrong("code_sha256", "is not 64 hexadecimal digits"));
    }
    if (m.failed()) return m.why();
    return out;
}

checked<input_request> parse_input(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return object.error();
    members m{*object};
    const auto id = m.needed_id("function_id");
    auto data = m.text("data");
    const auto encoded = m.text("data_base64");
    if (data.has_value() == encoded.has_value()) m.refuse({422, "one of \"data\" and \"data_base64\" is needed"});
    if (encoded) {
        const auto decoded = base64_decode(*encoded);
        if (!decoded)
            m.refuse(wrong("data_base64", "is no base64"));
        else
            data = std::string{as_text(*decoded)};
    }
    if (m.failed()) return m.why();
    return input_request{*id, std::move(*data)};
}

checked<uuid4> parse_function_id(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return object.error();
    members m{*object};
    const auto id = m.needed_id("function_id");
    if (m.failed()) return m.why();
    return *id;
}

checked<owner_request> parse_owner(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return object.error();
    members m{*object};
    const auto token = m.needed_id("token");
    const auto owner = m.needed_id("owner_token");
    if (m.failed()) return m.why();
    return owner_request{*token, *owner};
}

checked<call_request> custom_call(const custom_route& route, std::string_view body) {
    const auto object = parse_object(body.empty() ? "{}" : body);
    if (!object) return object.error();
    json::object keywords;
    for (const auto& [name, argument] : route.arguments) {
        const auto* value = object->if_contains(name);
        if (value == nullptr && argument.needed) return wrong(name, "is missing");
        if (value == nullptr) continue;
        if (!is_of(*value, argument.is)) return wrong(name, "is no " + std::string{name_of(argument.is)});
        keywords[name] = *value;
    }
    for (const auto& [name, value] : *object)
        if (!route.arguments.contains(std::string{name})) return wrong(name, "is no argument of this path");
    call_request out;
    out.token = route.token;
    out.call = route.call;
    if (route.call.find('(') == std::string::npos) {
        auto call = wire::make_call(route.call, {}, keywords);
        if (!call) return refusal{422, call.error().detail};
        out.call = std::move(*call);
    }
    out.seconds = route.collect_seconds;
    out.messages = route.collect_messages;
    if (out.seconds || out.messages) out.mode = call_request::collect::all;
    return out;
}

}  // namespace bento::gateway
