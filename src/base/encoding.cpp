#include <array>
#include <bento/base/encoding.hpp>

namespace bento {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base32_digits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

using reverse_table = std::array<std::int8_t, 256>;

constexpr reverse_table make_reverse(std::string_view digits, bool either_case) {
    reverse_table table{};
    for (auto& entry : table)
        entry = -1;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const char c = digits[i];
        table[static_cast<unsigned char>(c)] = static_cast<std::int8_t>(i);
        if (either_case && c >= 'a' && c <= 'z')
            table[static_cast<unsigned char>(c - 'a' + 'A')] = static_cast<std::int8_t>(i);
    }
    return table;
}

constexpr auto hex_values = make_reverse(hex_digits, true);
constexpr auto base32_values = make_reverse(base32_digits, true);
constexpr auto base64_values = make_reverse(base64_digits, false);

/// Groups of `bits` bits, most significant first: what the three encodings have in common.
template <unsigned bits>
std::string encode(byte_view data, std::string_view digits) {
    std::string out;
    out.reserve((data.size() * 8 + bits - 1) / bits);
    unsigned pending = 0, count = 0;
    for (const auto byte : data) {
        pending = (pending << 8) | byte;
        count += 8;
        while (count >= bits) {
            count -= bits;
            out += digits[(pending >> count) & ((1u << bits) - 1)];
        }
        pending &= (1u << count) - 1;
    }
    if (count > 0) out += digits[(pending << (bits - count)) & ((1u << bits) - 1)];
    return out;
}

template <unsigned bits>
std::optional<bytes> decode(std::string_view text, const reverse_table& values) {
    bytes out;
    out.reserve(text.size() * bits / 8);
    unsigned pending = 0, count = 0;
    for (const char c : text) {
        const auto value = values[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        pending = (pending << bits) | static_cast<unsigned>(value);
        count += bits;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<std::uint8_t>(pending >> count));
            pending &= (1u << count) - 1;
        }
    }
    if (count >= bits || pending != 0) return std::nullopt;  // a digit too many, or bits that no encoder sets
    return out;
}

}  // namespace

std::string hex_encode(byte_view data) { return encode<4>(data, hex_digits); }
std::optional<bytes> hex_decode(std::string_view text) { return decode<4>(text, hex_values); }

std::string base32_encode(byte_view data) { return encode<5>(data, base32_digits); }
std::optional<bytes> base32_decode(std::string_view text) { return decode<5>(text, base32_values); }

std::string base64_encode(byte_view data) {
    auto out = encode<6>(data, base64_digits);
    while (out.size() % 4 != 0)
        out += '=';
    return out;
}

std::optional<bytes> base64_decode(std::string_view text) {
    if (text.size() % 4 == 0)
        for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i)
            text.remove_suffix(1);
    return decode<6>(text, base64_values);
}

}  // namespace bento
