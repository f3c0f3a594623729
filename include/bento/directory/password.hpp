// Passwords of a directory's accounts, as hashes that say how they were made (thesis section 3.3.3).
#pragma once

#include <bento/base/error.hpp>
#include <string>
#include <string_view>

namespace bento::directory {

enum class hash_scheme {
    bcrypt,    ///< `$2b$`, by libxcrypt
    argon2id,  ///< 19 MiB, two passes (OWASP's least), by libsodium
};

struct hash_policy {
    hash_scheme scheme = hash_scheme::bcrypt;
    unsigned bcrypt_cost = 12;
};

/// bcrypt reads 72 bytes and stops at a NUL: two passwords that differ behind would be one. Such are refused, for both
/// schemes.
inline constexpr std::size_t max_password = 72;
/// Nothing where it may be used; otherwise what is wrong with it.
std::string_view password_mistake(std::string_view password);

/// With a salt of its own. Takes a tenth of a second and more: not for the thread that answers look-ups. Throws
/// std::runtime_error where the library cannot.
std::string hash_password(std::string_view password, const hash_policy& policy);
/// By what the hash says of itself; false for a hash of another kind. In constant time for one scheme and cost.
bool verify_password(std::string_view password, const std::string& hash);

}  // namespace bento::directory
