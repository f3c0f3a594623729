#include <sodium.h>

#include <algorithm>
#include <bento/base/encoding.hpp>
#include <bento/onion/client_key.hpp>

namespace bento::onion {

client_key client_key::generate(const random_source& random) {
    secret key{size};
    random(key.writable());
    return client_key{std::move(key)};
}

result<client_key> client_key::from_private(byte_view key) {
    if (key.size() != size) return error{errc::bad_key, "a client's key has 32 bytes"};
    if (std::all_of(key.begin(), key.end(), [](std::uint8_t b) { return b == 0; }))
        return error{errc::bad_key, "a client's key is not zero"};
    return client_key{secret{key}};
}

result<client_key> client_key::from_text(std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
        const auto kind = text.substr(0, colon);
        if (kind != "x25519" && !kind.ends_with("descriptor:x25519"))
            return error{errc::bad_key, "a client's key is of the kind descriptor:x25519"};
        text.remove_prefix(colon + 1);
    }
    auto decoded = base32_decode(text);
    if (!decoded) return error{errc::bad_key, "a client's key is 52 characters of base32"};
    auto out = from_private(*decoded);
    sodium_memzero(decoded->data(), decoded->size());
    return out;
}

std::string client_key::public_base32() const {
    std::array<std::uint8_t, size> out{};
    // X25519 clamps the scalar by itself, and the base point has no small order: this cannot fail.
    if (crypto_scalarmult_base(out.data(), key_.view().data()) != 0)
        throw std::logic_error{"X25519 of the base point failed"};
    return base32_encode(out);
}

std::string client_key::service_line() const { return "descriptor:x25519:" + public_base32(); }

secret client_key::client_line(const address& service) const {
    auto base32 = base32_encode(key_.view());
    auto line = service.service_id() + ":descriptor:x25519:" + base32;
    secret out{line};
    wipe(base32);
    wipe(line);
    return out;
}

secret client_key::private_base64() const {
    auto base64 = base64_encode(key_.view());
    secret out{base64};
    wipe(base64);
    return out;
}

}  // namespace bento::onion
