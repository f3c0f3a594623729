// Bytes that are wiped when they go: keys, passwords, cookies. They cannot be copied or printed by accident.
#pragma once

#include <bento/base/bytes.hpp>
#include <string>
#include <string_view>

namespace bento {

class secret {
  public:
    secret() = default;
    explicit secret(std::size_t size) : data_(size) {}
    explicit secret(byte_view from) : data_{from.begin(), from.end()} {}
    explicit secret(std::string_view from) : secret{as_byte_view(from)} {}
    secret(secret&& other) noexcept : data_{std::move(other.data_)} { other.data_.clear(); }
    secret& operator=(secret&& other) noexcept;
    secret(const secret&) = delete;
    secret& operator=(const secret&) = delete;
    ~secret() { wipe(); }

    /// A second copy, where one is truly needed.
    secret clone() const { return secret{view()}; }

    byte_view view() const { return data_; }
    std::string_view text() const { return as_text(data_); }
    std::span<std::uint8_t> writable() { return data_; }
    std::size_t size() const { return data_.size(); }
    bool empty() const { return data_.empty(); }

    /// Equal in constant time for equal sizes.
    friend bool operator==(const secret& a, const secret& b) { return same(a.view(), b.view()); }
    static bool same(byte_view a, byte_view b);

  private:
    void wipe() noexcept;
    bytes data_;
};

/// Overwrites text that held a secret and empties it.
void wipe(std::string& text) noexcept;

}  // namespace bento
