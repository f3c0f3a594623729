// Ed25519 keys of v3 onion services (rend-spec-v3): generation, the expanded form that tor takes and stores,
// signatures.
//
// tor keeps a key expanded: 64 bytes, the clamped scalar and the prefix of SHA-512(seed) (RFC 8032 section 5.1.5). A
// seed cannot be recovered from it, so everything here works on the expanded form; libsodium's `seed || public key` is
// another thing and would give another address without any error.
#pragma once

#include <array>
#include <bento/base/error.hpp>
#include <bento/base/random.hpp>
#include <bento/base/secret.hpp>
#include <filesystem>

namespace bento::onion {

enum class errc {
    bad_address = 1,  ///< not the address of a v3 onion service
    bad_key,          ///< not an expanded Ed25519 secret key
    bad_key_file,     ///< not a hs_ed25519_secret_key file of tor's
};
std::string_view to_text(errc e);

using public_key = std::array<std::uint8_t, 32>;
using signature = std::array<std::uint8_t, 64>;

/// An expanded Ed25519 secret key. Wiped when destroyed.
class secret_key {
  public:
    static constexpr std::size_t size = 64;
    static constexpr std::size_t file_size = 96;

    static secret_key generate(const random_source& random = system_random());
    /// From a 32-byte seed (RFC 8032), as libsodium and most libraries store keys.
    static secret_key from_seed(std::span<const std::uint8_t, 32> seed);
    /// From 64 expanded bytes. errc::bad_key if the length is wrong, the scalar is not clamped or zero: tor would take
    /// it and answer under another address, or not at all.
    static result<secret_key> from_expanded(byte_view expanded);
    /// From the 96 bytes of tor's `hs_ed25519_secret_key`. errc::bad_key_file or bad_key.
    static result<secret_key> from_file_bytes(byte_view file);

    /// Reads and writes tor's key file; writing is atomic, durable and of mode 0600.
    static result<secret_key> load(const std::filesystem::path& path);
    result<void> save(const std::filesystem::path& path) const;

    byte_view expanded() const { return expanded_.view(); }
    /// The argument of ADD_ONION: `ED25519-V3:` and 88 characters of base64. A secret.
    secret add_onion_argument() const;
    secret file_bytes() const;
    onion::public_key public_key() const;
    /// An Ed25519 signature (RFC 8032 section 5.1.6) that any verifier accepts.
    onion::signature sign(std::string_view message) const;

    secret_key clone() const { return secret_key{expanded_.clone()}; }

  private:
    explicit secret_key(secret expanded) : expanded_{std::move(expanded)} {}
    secret expanded_;
};

bool verify(const public_key& key, std::string_view message, const signature& claimed);

}  // namespace bento::onion
BENTO_ERRC(onion);
