#include <array>
#include <bento/base/utf8.hpp>
#include <bento/wire/call.hpp>
#include <bento/wire/limits.hpp>
#include <charconv>
#include <cmath>

#include "names.hpp"

namespace bento::wire {
namespace {

namespace json = boost::json;

void append_hexadecimal(std::string& out, char32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        out += "0123456789abcdef"[(value >> shift) & 0xf];
}

/// In single quotes, everything but printable ASCII escaped: no byte of the text can end it or the line.
result<void> append_string(std::string& out, std::string_view text) {
    out += '\'';
    while (!text.empty()) {
        const auto next = first_code_point(text);
        if (!next) return errc::not_utf8;
        text.remove_prefix(next->size);
        const auto c = next->value;
        if (c == '\'' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c >= 0x20 && c < 0x7f) {
            out += static_cast<char>(c);
        } else if (c < 0x100) {
            out += "\\x";
            append_hexadecimal(out, c, 2);
        } else if (c < 0x10000) {
            out += "\\u";
            append_hexadecimal(out, c, 4);
        } else {
            out += "\\U";
            append_hexadecimal(out, c, 8);
        }
    }
    out += '\'';
    return {};
}

template <class Number>
void append_number(std::string& out, Number value) {
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), end);
}

/// The shortest decimal that reads back as the same double, marked as a float for Python.
result<void> append_double(std::string& out, double value) {
    if (std::isnan(value)) return error{errc::bad_value, "not a number"};
    if (std::isinf(value)) {
        out += value < 0 ? "-1e999" : "1e999";  // Python's float has no other literal for it
        return {};
    }
    const auto begin = out.size();
    append_number(out, value);
    if (out.find_first_of(".e", begin) == std::string::npos) out += ".0";
    return {};
}

result<void> append_literal(std::string& out, const json::value& value, unsigned depth) {
    if (out.size() > max_call_size) return error{errc::too_large, "the call"};
    if ((value.is_array() || value.is_object()) && depth == max_call_depth)
        return error{errc::too_large, "values within values"};
    switch (value.kind()) {
        case json::kind::null:
            out += "None";
            return {};
        case json::kind::bool_:
            out += value.get_bool() ? "True" : "False";
            return {};
        case json::kind::int64:
            append_number(out, value.get_int64());
            return {};
        case json::kind::uint64:
            append_number(out, value.get_uint64());
            return {};
        case json::kind::double_:
            return append_double(out, value.get_double());
        case json::kind::string:
            return append_string(out, value.get_string());
        case json::kind::array: {
            out += '[';
            std::string_view separator;
            for (const auto& item : value.get_array()) {
                out += separator;
                if (auto added = append_literal(out, item, depth + 1); !added) return added;
                separator = ", ";
            }
            out += ']';
            return {};
        }
        case json::kind::object: {
            out += '{';
            std::string_view separator;
            for (const auto& [key, item] : value.get_object()) {
                out += separator;
                if (auto added = append_string(out, key); !added) return added;
                out += ": ";
                if (auto added = append_literal(out, item, depth + 1); !added) return added;
                separator = ", ";
            }
            out += '}';
            return {};
        }
    }
    return errc::bad_value;
}

result<std::string> within_limit(std::string text) {
    if (text.size() > max_call_size) return error{errc::too_large, "the call"};
    return text;
}

}  // namespace

result<std::string> python_literal(const json::value& value) {
    std::string out;
    // The call's own bracket is the first.
    if (auto added = append_literal(out, value, 1); !added) return added.error();
    return within_limit(std::move(out));
}

result<std::string> make_call(std::string_view name, std::span<const json::value> positional,
                              const json::object& keywords) {
    if (!is_name(name)) return error{errc::bad_call, "expected the name of a function"};
    std::string out{name};
    out += '(';
    std::string_view separator;
    for (const auto& value : positional) {
        out += separator;
        if (auto added = append_literal(out, value, 1); !added) return added.error();
        separator = ", ";
    }
    for (const auto& [key, value] : keywords) {
        if (!is_name(key) || key == "__debug__") return error{errc::bad_call, "expected the name of an argument"};
        out += separator;
        out += key;
        out += '=';
        if (auto added = append_literal(out, value, 1); !added) return added.error();
        separator = ", ";
    }
    out += ')';
    return within_limit(std::move(out));
}

}  // namespace bento::wire
