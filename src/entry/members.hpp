// Reading the members of a JSON object, each mistake with the member's name; and the bytes that are signed.
#pragma once

#include <algorithm>
#include <bento/base/encoding.hpp>
#include <bento/entry/errc.hpp>
#include <bento/onion/key.hpp>
#include <boost/json.hpp>
#include <string>

namespace bento::entry {

class members {
  public:
    explicit members(const boost::json::object& o) : object_{o} {}

    error wrong(std::string_view name, std::string_view expected) const {
        return {errc::malformed, "\"" + std::string{name} + "\": " + std::string{expected}};
    }
    bool has(std::string_view name) const { return object_.contains(name); }
    result<std::string> text(std::string_view name) const {
        const auto* v = object_.if_contains(name);
        if (v == nullptr) return wrong(name, "missing");
        if (!v->is_string()) return wrong(name, "expected a string");
        return std::string{v->get_string()};
    }
    result<uuid4> token() const {
        const auto value = text("token");
        if (!value) return value.error();
        auto out = uuid4::parse(*value);
        if (!out) return wrong("token", out.error().detail);
        return out;
    }
    result<std::uint64_t> number(std::string_view name) const {
        const auto* v = object_.if_contains(name);
        boost::system::error_code failed = make_error_code(errc::malformed);
        const auto n = v != nullptr ? v->to_number<std::uint64_t>(failed) : 0;
        // What SQL and JSON readers keep without loss.
        if (failed || n >= std::uint64_t{1} << 53) return wrong(name, "expected a number from 0 to 2^53 - 1");
        return n;
    }
    result<bool> boolean(std::string_view name) const {
        const auto* v = object_.if_contains(name);
        if (v == nullptr || !v->is_bool()) return wrong(name, "expected true or false");
        return v->get_bool();
    }
    template <std::size_t Size>
    result<std::array<std::uint8_t, Size>> hex(std::string_view name) const {
        const auto value = text(name);
        if (!value) return value.error();
        const auto raw = hex_decode(*value);
        if (!raw || raw->size() != Size)
            return wrong(name, "expected " + std::to_string(2 * Size) + " hexadecimal digits");
        return sized<Size>(*raw);
    }
    result<onion::signature> signature(std::string_view name) const {
        const auto value = text(name);
        if (!value) return value.error();
        const auto raw = base64_decode(*value);
        if (!raw || raw->size() != 64) return wrong(name, "expected 64 bytes in base64");
        return sized<64>(*raw);
    }

  private:
    template <std::size_t Size>
    static std::array<std::uint8_t, Size> sized(const bytes& raw) {
        std::array<std::uint8_t, Size> out{};
        std::copy(raw.begin(), raw.end(), out.begin());
        return out;
    }
    const boost::json::object& object_;
};

/// Appends a member with its length before it.
inline void append(std::string& out, std::string_view member) {
    const auto n = static_cast<std::uint32_t>(member.size());
    for (const int shift : {24, 16, 8, 0})
        out += static_cast<char>(n >> shift);
    out += member;
}
inline std::string big_endian(std::uint64_t n) {
    std::string out;
    for (int shift = 56; shift >= 0; shift -= 8)
        out += static_cast<char>(n >> shift);
    return out;
}

}  // namespace bento::entry
