#include <sodium.h>

#include <bento/base/secret.hpp>

namespace bento {

secret& secret::operator=(secret&& other) noexcept {
    if (this != &other) {
        wipe();
        data_ = std::move(other.data_);
        other.data_.clear();
    }
    return *this;
}

bool secret::same(byte_view a, byte_view b) {
    return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

void secret::wipe() noexcept {
    if (!data_.empty()) sodium_memzero(data_.data(), data_.size());
}

void wipe(std::string& text) noexcept {
    if (text.capacity() > 0) sodium_memzero(text.data(), text.size());
    text.clear();
}

}  // namespace bento
