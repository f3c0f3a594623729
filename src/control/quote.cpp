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

}  // namespace

std::optional<std::string> unquote(std::string_view& text) {
    if (!text.starts_with('"')) return {};
    std::string out;
    std::size_t at = 1;
    while (at < text.size() && text[at] != '"') {
        if (text[at] != '\\') {
            out += text[at++];
            continue;
        }
        if (++at == text.size()) return {};
        const char c = text[at];
        if (is_octal(c)) {
            unsigned value = 0;
            for (int digits = 0; digits < 3 && at < text.size() && is_octal(text[at]); ++digits)
                value = value * 8 + static_cast<unsigned>(text[at++] - '0');
            if (value > 0xff) return {};
            out += static_cast<char>(static_cast<unsigned char>(value));
            continue;
        }
        out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        ++at;
    }
    if (at == text.size()) return {};
    text.remove_prefix(at + 1);
    return out;
}

std::optional<std::string> unquote_or_word(std::string_view& text) {
    if (text.starts_with('"')) return unquote(text);
    const auto end = std::min(text.find(' '), text.size());
    std::string out{text.substr(0, end)};
    text.remove_prefix(end);
    return out;
}

result<void> must_be_one_line(std::string_view value, std::string_view what) {
    if (value.find_first_of(std::string_view{"\0\r\n", 3}) != std::string_view::npos)
        return error{errc::invalid_argument, std::string{what} + " holds a line end or NUL"};
    return {};
}

result<std::string> quote_config(std::string_view value) {
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
        const auto equals = text.find('=');
        argument a;
        if (equals < end && is_keyword(text.substr(0, equals))) {
            auto value = text.substr(equals + 1);
            if (auto read = unquote_or_word(value)) {
                a.keyword = text.substr(0, equals);
                a.value = std::move(*read);
                text = value;
                out.push_back(std::move(a));
                continue;
            }
        } else if (text.front() == '"') {
            auto value = text;
            if (auto read = unquote(value)) {
                a.value = std::move(*read);
                text = value;
                out.push_back(std::move(a));
                continue;
            }
        }
        a.value = text.substr(0, end);
        text.remove_prefix(end);
        out.push_back(std::move(a));
    }
    return out;
}

std::string_view find(const std::vector<argument>& in, std::string_view keyword) {
    for (const auto& a : in)
        if (a.keyword == keyword) return a.value;
    return {};
}

}  // namespace bento::control
