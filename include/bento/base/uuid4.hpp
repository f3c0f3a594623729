// A random UUID (RFC 9562, version 4): tokens, function ids and request ids.
#pragma once

#include <array>
#include <bento/base/error.hpp>
#include <bento/base/random.hpp>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace bento {

/// Always holds the one spelling that is accepted: 36 characters, lower case, version 4, variant 10.
class uuid4 {
  public:
    static constexpr std::size_t text_size = 36;

    static uuid4 generate(const random_source& random = system_random());
    /// base::errc::malformed, with what is wrong: length, hyphen, digit, version or variant. Upper case is refused,
    /// since two spellings of one token would be two keys in every table.
    static result<uuid4> parse(std::string_view text);

    std::string_view text() const { return {text_.data(), text_.size()}; }
    std::string str() const { return std::string{text()}; }

    auto operator<=>(const uuid4&) const = default;

  private:
    uuid4() = default;
    std::array<char, text_size> text_{};
};

}  // namespace bento

template <>
struct std::hash<bento::uuid4> {
    std::size_t operator()(const bento::uuid4& id) const noexcept { return std::hash<std::string_view>{}(id.text()); }
};
