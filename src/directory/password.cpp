#include <crypt.h>
#include <sodium.h>
#include <stdlib.h>

#include <bento/base/secret.hpp>
#include <bento/directory/password.hpp>
#include <memory>
#include <stdexcept>

namespace bento::directory {
namespace {

constexpr unsigned long long argon2id_passes = 2;
constexpr std::size_t argon2id_memory = std::size_t{19} << 20;
constexpr std::string_view argon2id_prefix = "$argon2id$";

/// crypt_ra's working memory, wiped: it has held the password.
struct crypt_memory {
    crypt_memory() = default;
    crypt_memory(const crypt_memory&) = delete;
    crypt_memory& operator=(const crypt_memory&) = delete;
    ~crypt_memory() {
        if (data == nullptr) return;
        ::explicit_bzero(data, static_cast<std::size_t>(size));
        ::free(data);
    }
    void* data = nullptr;
    int size = 0;
};

/// Empty where the library refuses the setting.
std::string crypt_with(std::string_view password, const std::string& setting) {
    crypt_memory memory;
    std::string phrase{password};
    const char* out = ::crypt_ra(phrase.c_str(), setting.c_str(), &memory.data, &memory.size);
    std::string hash{out != nullptr && *out != '*' ? out : ""};
    wipe(phrase);
    return hash;
}

}  // namespace

std::string_view password_mistake(std::string_view password) {
    if (password.empty()) return "it is empty";
    if (password.size() > max_password) return "it has more than 72 bytes, of which bcrypt would read 72";
    if (password.find('\0') != std::string_view::npos) return "it holds a NUL, at which bcrypt would stop";
    return {};
}

std::string hash_password(std::string_view password, const hash_policy& policy) {
    if (policy.scheme == hash_scheme::argon2id) {
        std::string out(crypto_pwhash_STRBYTES, '\0');
        if (crypto_pwhash_str(out.data(), password.data(), password.size(), argon2id_passes, argon2id_memory) != 0)
            throw std::runtime_error{"no memory to hash a password"};
        out.resize(out.find('\0'));
        return out;
    }
    const std::unique_ptr<char, decltype(&::free)> setting{::crypt_gensalt_ra("$2b$", policy.bcrypt_cost, nullptr, 0),
                                                           &::free};
    auto out = setting ? crypt_with(password, setting.get()) : std::string{};
    if (out.empty()) throw std::runtime_error{"libcrypt cannot make a bcrypt hash"};
    return out;
}

bool verify_password(std::string_view password, const std::string& hash) {
    if (hash.starts_with(argon2id_prefix))
        return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
    if (!hash.starts_with("$2")) return false;
    const auto again = crypt_with(password, hash);
    return !again.empty() && again.size() == hash.size() && secret::same(as_byte_view(again), as_byte_view(hash));
}

}  // namespace bento::directory
