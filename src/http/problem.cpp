#include <fmt/format.h>

#include <bento/http/message.hpp>
#include <bento/http/problem.hpp>

namespace bento::http {
namespace {

/// The size of the well-formed sequence at the front (Unicode, table 3-7); 0 where there is none.
std::size_t sequence_size(std::string_view text) {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto within = [&](std::size_t i, unsigned low, unsigned high) { return at(i) >= low && at(i) <= high; };
    const auto tail = [&](std::size_t i) { return within(i, 0x80, 0xbf); };
    const auto first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = first == 0xed ? 0x9f : 0xbf;
        return within(1, low, high) && tail(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const unsigned low = first == 0xf0 ? 0x90 : 0x80;
        const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
        return within(1, low, high) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto size = sequence_size(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

std::string json_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const auto size = sequence_size(text);
        const auto c = static_cast<unsigned char>(text.front());
        if (size == 0)
            out += "\xef\xbf\xbd";
        else if (c == '"' || c == '\\')
            out += {'\\', text.front()};
        else if (c == '\n')
            out += "\\n";
        else if (c < 0x20 || c == 0x7f)
            out += fmt::format("\\u{:04x}", c);
        else
            out += text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return out + '"';
}

std::string problem(std::string_view type, int status, std::string_view detail) {
    auto out = fmt::format(R"({{"type":{},"title":{},"status":{})", json_string(type),
                           json_string(reason_phrase(status)), status);
    if (!detail.empty()) out += ",\"detail\":" + json_string(detail);
    return out + "}\n";
}

}  // namespace bento::http
