#include <bento/base/utf8.hpp>

namespace bento {

std::optional<code_point> first_code_point(std::string_view text) {
    if (text.empty()) return {};
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return code_point{lead, 1};
    std::size_t size = 0;
    char32_t value = 0, least = 0;
    if ((lead & 0xe0) == 0xc0) {
        size = 2, value = lead & 0x1fU, least = 0x80;
    } else if ((lead & 0xf0) == 0xe0) {
        size = 3, value = lead & 0x0fU, least = 0x800;
    } else if ((lead & 0xf8) == 0xf0) {
        size = 4, value = lead & 0x07U, least = 0x10000;
    } else {
        return {};
    }
    if (text.size() < size) return {};
    for (std::size_t i = 1; i < size; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return {};
        value = value << 6 | (next & 0x3fU);
    }
    if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
    return code_point{value, size};
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto next = first_code_point(text);
        if (!next) return false;
        text.remove_prefix(next->size);
    }
    return true;
}

}  // namespace bento
