#include <fmt/format.h>

#include <bento/http/message.hpp>
#include <bento/http/problem.hpp>

namespace bento::http {

std::string json_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const auto next = first_code_point(text);
        const auto c = static_cast<unsigned char>(text.front());
        if (!next)
            out += "\xef\xbf\xbd";
        else if (c == '"' || c == '\\')
            out += {'\\', text.front()};
        else if (c == '\n')
            out += "\\n";
        else if (c < 0x20 || c == 0x7f)
            out += fmt::format("\\u{:04x}", c);
        else
            out += text.substr(0, next->size);
        text.remove_prefix(next ? next->size : 1);
    }
    return out + '"';
}

std::string problem(std::string_view type, int status, std::string_view detail, std::string_view members) {
    auto out = fmt::format(R"({{"type":{},"title":{},"status":{})", json_string(type),
                           json_string(reason_phrase(status)), status);
    if (!detail.empty()) out += ",\"detail\":" + json_string(detail);
    if (!members.empty()) out.append(",").append(members);
    return out + "}\n";
}

}  // namespace bento::http
