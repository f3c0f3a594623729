#include <sodium.h>

#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/onion/key.hpp>
#include <cstring>

namespace bento::onion {
namespace {

/// 29 characters and three NUL bytes: tor's `tagged` key files begin with 32 such bytes.
constexpr char file_tag[] = "== ed25519v1-secret: type0 ==\0\0";
static_assert(sizeof(file_tag) == 32);

bool is_clamped(byte_view scalar) { return (scalar[0] & 7) == 0 && (scalar[31] & 0xc0) == 0x40; }

/// SHA-512 of up to three parts, reduced to a scalar modulo the group's order.
std::array<std::uint8_t, 32> hash_to_scalar(std::initializer_list<byte_view> parts) {
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    for (const auto part : parts)
        crypto_hash_sha512_update(&state, part.data(), part.size());
    std::array<std::uint8_t, 64> wide{};
    crypto_hash_sha512_final(&state, wide.data());
    std::array<std::uint8_t, 32> reduced{};
    crypto_core_ed25519_scalar_reduce(reduced.data(), wide.data());
    sodium_memzero(wide.data(), wide.size());
    sodium_memzero(&state, sizeof state);
    return reduced;
}

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::bad_address:
            return "not a v3 onion address";
        case errc::bad_key:
            return "not an expanded Ed25519 secret key";
        case errc::bad_key_file:
            return "not a hs_ed25519_secret_key file";
    }
    return "unknown error";
}

secret_key secret_key::generate(const random_source& random) {
    secret seed{32};
    random(seed.writable());
    return from_seed(seed.view().first<32>());
}

secret_key secret_key::from_seed(std::span<const std::uint8_t, 32> seed) {
    secret expanded{size};
    const auto out = expanded.writable();
    crypto_hash_sha512(out.data(), seed.data(), seed.size());
    out[0] &= 248;
    out[31] &= 127;
    out[31] |= 64;
    return secret_key{std::move(expanded)};
}

result<secret_key> secret_key::from_expanded(byte_view expanded) {
    if (expanded.size() != size) return error{errc::bad_key, "an expanded key has 64 bytes"};
    if (!is_clamped(expanded.first(32))) return error{errc::bad_key, "the scalar is not clamped"};
    return secret_key{secret{expanded}};
}

result<secret_key> secret_key::from_file_bytes(byte_view file) {
    if (file.size() != file_size) return error{errc::bad_key_file, "tor's key file has 96 bytes"};
    if (std::memcmp(file.data(), file_tag, sizeof file_tag) != 0)
        return error{errc::bad_key_file, "tor's header is missing"};
    return from_expanded(file.subspan(sizeof file_tag));
}

result<secret_key> secret_key::load(const std::filesystem::path& path) {
    auto file = read_secret_file(path, file_size);
    if (!file) {
        if (file.error().code == make_error_code(base::errc::too_long))
            return error{errc::bad_key_file, path.string() + ": tor's key file has 96 bytes"};
        return file.error();
    }
    auto key = from_file_bytes(file->view());
    if (!key) return error{key.error().code, path.string() + ": " + key.error().detail};
    return key;
}

result<void> secret_key::save(const std::filesystem::path& path) const {
    return write_file(path, file_bytes().text(), 0600);
}

secret secret_key::add_onion_argument() const {
    auto blob = base64_encode(expanded());
    auto argument = "ED25519-V3:" + blob;
    secret out{argument};
    wipe(blob);
    wipe(argument);
    return out;
}

secret secret_key::file_bytes() const {
    secret out{file_size};
    std::memcpy(out.writable().data(), file_tag, sizeof file_tag);
    std::memcpy(out.writable().data() + sizeof file_tag, expanded().data(), size);
    return out;
}

onion::public_key secret_key::public_key() const {
    onion::public_key out{};
    // Never zero: a clamped scalar has bit 254 set and is no multiple of the group's order.
    if (crypto_scalarmult_ed25519_base_noclamp(out.data(), expanded().data()) != 0)
        throw std::logic_error{"a clamped scalar gave the neutral element"};
    return out;
}

onion::signature secret_key::sign(std::string_view message) const {
    const auto key = public_key();
    const auto text = as_byte_view(message);
    auto nonce = hash_to_scalar({expanded().subspan(32), text});
    onion::signature out{};
    const std::span commitment{out.data(), 32};
    if (crypto_scalarmult_ed25519_base_noclamp(commitment.data(), nonce.data()) != 0)
        throw std::runtime_error{"the nonce of a signature is zero"};  // one in 2^252
    const auto challenge = hash_to_scalar({commitment, key, text});
    // S = nonce + challenge * scalar (mod L)
    secret product{32}, scalar{32};
    std::array<std::uint8_t, 64> wide{};
    std::memcpy(wide.data(), expanded().data(), 32);
    crypto_core_ed25519_scalar_reduce(scalar.writable().data(), wide.data());
    sodium_memzero(wide.data(), wide.size());
    crypto_core_ed25519_scalar_mul(product.writable().data(), challenge.data(), scalar.view().data());
    crypto_core_ed25519_scalar_add(out.data() + 32, product.view().data(), nonce.data());
    sodium_memzero(nonce.data(), nonce.size());
    return out;
}

bool verify(const public_key& key, std::string_view message, const signature& claimed) {
    return crypto_sign_verify_detached(claimed.data(), reinterpret_cast<const unsigned char*>(message.data()),
                                       message.size(), key.data()) == 0;
}

}  // namespace bento::onion
