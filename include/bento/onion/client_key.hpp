// X25519 keys of an onion service's clients (rend-spec-v3 section 2.5.1.2): with client authorisation, only who has the
// private key of one that the service names can read the descriptor.
//
// The same key has four spellings: the service's side names the public key in base32, tor's client directory and the
// control port's ADD take the private one, in base32 and in base64.
#pragma once

#include <bento/onion/address.hpp>

namespace bento::onion {

class client_key {
  public:
    static constexpr std::size_t size = 32;

    static client_key generate(const random_source& random = system_random());
    /// errc::bad_key where it has not 32 bytes, or is the zero of all of them.
    static result<client_key> from_private(byte_view key);
    /// A line of tor's ClientOnionAuthDir (`ADDRESS:descriptor:x25519:BASE32`), with or without its address, or the
    /// base32 alone. errc::bad_key.
    static result<client_key> from_text(std::string_view text);

    /// 52 characters of base32: what onion_service::client_auth and ADD_ONION's ClientAuthV3 take.
    std::string public_base32() const;
    /// `descriptor:x25519:BASE32`: a file NAME.auth in the service's authorized_clients, and `[onion] client_auth`.
    std::string service_line() const;
    /// `ADDRESS:descriptor:x25519:BASE32`: a file NAME.auth_private in the client's ClientOnionAuthDir. A secret.
    secret client_line(const address& service) const;
    /// What ONION_CLIENT_AUTH_ADD takes. A secret.
    secret private_base64() const;

  private:
    explicit client_key(secret key) : key_{std::move(key)} {}
    secret key_;
};

}  // namespace bento::onion
