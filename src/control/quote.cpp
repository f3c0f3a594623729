#include <algorithm>
#include <bento/control/quote.hpp>

namespace bento::control {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_keyword(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

/// The byte that one to three octal digits mean; what would be over 255 ends a digit earlier.
char take_octal(std::string_view& text) {
    unsigned value = 0;
    for (int digits = 0; digits < 3 && !text.empty() && is_octal(text.front()) && value < 040; ++digits) {
        value = value * 8 + static_cast<unsigned>(text.front() - '0');
        text.remove_prefix(1);
    }
    return static_cast<char>(static_cast<unsigned char>(value));
}

char unescaped(char c) {
    switch (c) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        default:
            return c;
    }
}

}  // namespace

std::optional<std::string> unquote(std::string_view& text) {
    if (!text.starts_with('"')) return {};
    auto rest = text.substr(1);
    std::string out;
    for (;;) {
        const auto plain = rest.find_first_of("\"\\");
        if (plain == std::string_view::npos) return {};
        out += rest.substr(0, plain);
        const bool ends = rest[plain] == '"';
        rest.remove_prefix(plain + 1);
        if (ends) break;
        if (rest.empty()) return {};
        if (is_octal(rest.front())) {
            out += take_octal(rest);
        } else {
            out += unescaped(rest.front());
            rest.remove_prefix(1);
        }
    }
    text = rest;
    return out;
}

std::optional<std::string> unquote_or_word(std::string_view& text) {
    if (text.starts_with('"')) return unquote(text);
    const auto end = std::min(text.find(' '), text.size());
    std::string out{text.substr(0, end)};
    text.remove_prefix(end);
    return out;
}

std::string config_value(std::string_view text) {
    auto rest = text;
    auto quoted = unquote(rest);
    return quoted && rest.empty() ? std::move(*quoted) : std::string{text};
}

result<void> must_be_one_line(std::string_view value, std::string_view what) {
    if (value.find_first_of(std::string_view{"\0\r\n", 3}) != std::string_view::npos)
        return error{errc::invalid_argument, std::string{what} + " holds a line end or NUL"};
    return {};
}

result<std::string> quote(std::string_view value) {
    if (auto fine = must_be_one_line(value, "the value"); !fine) return fine.error();
    std::string out = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::vector<argument> parse_arguments(std::string_view text) {
    std::vector<argument> out;
    while (!text.empty()) {
        if (text.front() == ' ') {
            text.remove_prefix(1);
            continue;
        }
        const auto end = std::min(text.find(' '), text.size());
        const auto equals = text.substr(0, end).find('=');
        std::string_view keyword;
        auto value = text;
        if (equals != std::string_view::npos && is_keyword(text.substr(0, equals))) {
            keyword = text.substr(0, equals);
            value = text.substr(equals + 1);
        }
        if (auto read = unquote_or_word(value)) {
            out.push_back({std::string{keyword}, std::move(*read)});
            text = value;
        } else {
            out.push_back({{}, std::string{text.substr(0, end)}});
            text.remove_prefix(end);
        }
    }
    return out;
}

std::string_view find(const std::vector<argument>& in, std::string_view keyword) {
    for (const auto& a : in)
        if (a.keyword == keyword) return a.value;
    return {};
}

}  // namespace bento::control
