#include <sodium.h>

#include <bento/base/random.hpp>
#include <stdexcept>

namespace bento {

const random_source& system_random() {
    static const random_source source = [] {
        if (sodium_init() < 0) throw std::runtime_error{"libsodium cannot be initialised"};
        return [](std::span<std::uint8_t> out) { randombytes_buf(out.data(), out.size()); };
    }();
    return source;
}

}  // namespace bento
