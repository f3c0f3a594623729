// Views of bytes. Text protocols pass std::string_view, keys and digests pass byte_view; neither owns anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace bento {

using bytes = std::vector<std::uint8_t>;
using byte_view = std::span<const std::uint8_t>;

inline byte_view as_byte_view(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(byte_view data) { return {reinterpret_cast<const char*>(data.data()), data.size()}; }

}  // namespace bento
