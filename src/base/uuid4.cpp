#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/uuid4.hpp>

namespace bento {
namespace {

constexpr bool is_hyphen_place(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }
constexpr bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

uuid4 uuid4::generate(const random_source& random) {
    std::array<std::uint8_t, 16> raw{};
    random(raw);
    raw[6] = static_cast<std::uint8_t>((raw[6] & 0x0f) | 0x40);
    raw[8] = static_cast<std::uint8_t>((raw[8] & 0x3f) | 0x80);
    const auto hex = hex_encode(raw);
    uuid4 out;
    std::size_t digit = 0;
    for (std::size_t i = 0; i < text_size; ++i)
        out.text_[i] = is_hyphen_place(i) ? '-' : hex[digit++];
    return out;
}

result<uuid4> uuid4::parse(std::string_view text) {
    const auto wrong = [](const char* why) { return error{base::errc::malformed, why}; };
    if (text.size() != text_size) return wrong("a uuid4 has 36 characters");
    for (std::size_t i = 0; i < text_size; ++i) {
        if (is_hyphen_place(i) ? text[i] != '-' : !is_lower_hex(text[i]))
            return wrong("a uuid4 is lower-case hexadecimal in groups of 8-4-4-4-12");
    }
    if (text[14] != '4') return wrong("a uuid4 has version 4");
    if (std::string_view{"89ab"}.find(text[19]) == std::string_view::npos) return wrong("a uuid4 has variant 10");
    uuid4 out;
    text.copy(out.text_.data(), text_size);
    return out;
}

}  // namespace bento
