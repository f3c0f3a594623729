// The owner secret of a server, and what is derived from it: a key for each token, so that tokens do not link; a
// password and an account for each directory, so that one directory cannot act at another.
#pragma once

#include <bento/base/secret.hpp>
#include <bento/base/uuid4.hpp>
#include <bento/entry/entry.hpp>
#include <filesystem>
#include <string>
#include <string_view>

namespace bento::entry {

/// How an owner's key is named in a share string: 32 characters of base32, 160 bits of SHA-256.
std::string fingerprint(const onion::public_key& owner);

/// `TOKEN`, or `TOKEN#FINGERPRINT`, which needs no trust at first use.
struct share {
    uuid4 token;
    std::optional<std::string> fingerprint;

    /// errc::bad_share, or what uuid4::parse says.
    static result<share> parse(std::string_view text);
    std::string str() const;
};

class owner_secret {
  public:
    /// The fewest characters of a secret that somebody made: 128 bits in base64.
    static constexpr std::size_t least = 22;
    static constexpr std::size_t most = 1024;

    /// The text of a file, without the white space around it. errc::bad_secret.
    static result<owner_secret> from_text(std::string_view text);
    static result<owner_secret> load(const std::filesystem::path& file);
    /// What is in the file, or 256 fresh random bits that are written to it, mode 0600.
    static result<owner_secret> load_or_make(const std::filesystem::path& file);

    /// Signs the entries of this token.
    onion::secret_key key(const uuid4& token) const;
    /// What guards re-registration at this directory (thesis section 3.3.2): 43 characters.
    secret password(std::string_view directory) const;
    /// Groups the tokens of one server at this directory.
    std::string account(std::string_view directory) const;
    /// What an author gets who stores a function, and shows to delete or publish it.
    uuid4 owner_token(const uuid4& token) const;

  private:
    explicit owner_secret(secret key) : key_{std::move(key)} {}
    secret derive(std::string_view purpose, std::string_view subject) const;
    secret key_;  // 32 bytes
};

/// Binds a registration to a directory and an account: without it a directory could register at another one, under an
/// account of its own, what was registered with it. Signed by the owner's key over the label `bentoctl/claim/v1\0`, the
/// directory's host, the account and the SHA-256 of the signed bytes.
onion::signature sign_claim(const onion::secret_key& owner, std::string_view directory, std::string_view account,
                            std::string_view signed_bytes);
bool verify_claim(const onion::public_key& owner, std::string_view directory, std::string_view account,
                  std::string_view signed_bytes, const onion::signature& claim);

}  // namespace bento::entry
