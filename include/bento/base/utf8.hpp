// UTF-8 (RFC 3629), strictly: no overlong form, no surrogate, nothing above U+10FFFF.
#pragma once

#include <optional>
#include <string_view>

namespace bento {

struct code_point {
    char32_t value;
    std::size_t size;  ///< bytes, 1 to 4
};

/// The first code point of `text`; nothing if the text is empty or does not begin with one.
std::optional<code_point> first_code_point(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace bento
