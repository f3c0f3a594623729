#include <sodium.h>

#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/entry/owner.hpp>

#include "members.hpp"

namespace bento::entry {
namespace {

constexpr std::size_t fingerprint_bytes = 20;
constexpr std::size_t fingerprint_size = 32;
constexpr std::string_view claim_label{"bentoctl/claim/v1\0", 18};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view white = " \t\r\n";
    const auto first = text.find_first_not_of(white);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(white) - first + 1);
}

std::string claim_bytes(std::string_view directory, std::string_view account, std::string_view signed_bytes) {
    std::string out{claim_label};
    append(out, directory);
    append(out, account);
    append(out, as_text(sha256(signed_bytes)));
    return out;
}

}  // namespace

std::string fingerprint(const onion::public_key& owner) {
    const auto whole = sha256(as_text(owner));
    return base32_encode(byte_view{whole}.first(fingerprint_bytes));
}

result<share> share::parse(std::string_view text) {
    const auto hash = text.find('#');
    const auto token = uuid4::parse(text.substr(0, hash));
    if (!token) return error{errc::bad_share, token.error().detail};
    if (hash == std::string_view::npos) return share{*token, {}};
    const auto print = text.substr(hash + 1);
    const auto raw = base32_decode(print);
    if (print.size() != fingerprint_size || !raw)
        return error{errc::bad_share, "a fingerprint has 32 characters of a-z and 2-7"};
    return share{*token, base32_encode(*raw)};
}

std::string share::str() const { return token.str() + (fingerprint ? "#" + *fingerprint : std::string{}); }

result<owner_secret> owner_secret::from_text(std::string_view text) {
    const auto given = trimmed(text);
    if (given.size() < least)
        return error{errc::bad_secret, "at least 22 characters, such as 32 random bytes in base64"};
    secret key{32};
    constexpr std::string_view label = "bentoctl/owner-secret/v1";
    crypto_generichash(key.writable().data(), key.size(), as_byte_view(given).data(), given.size(),
                       as_byte_view(label).data(), label.size());
    return owner_secret{std::move(key)};
}

result<owner_secret> owner_secret::load(const std::filesystem::path& file) {
    const auto text = read_secret_file(file, most);
    if (!text) return text.error();
    auto out = from_text(text->text());
    if (!out) return error{out.error().code, file.string() + ": " + out.error().detail};
    return out;
}

result<owner_secret> owner_secret::load_or_make(const std::filesystem::path& file) {
    auto there = load(file);
    if (there || there.error().code != base::errc::not_found) return there;
    secret fresh{32};
    system_random()(fresh.writable());
    auto text = base64_encode(fresh.view()) + "\n";
    auto written = write_file(file, text);
    wipe(text);
    if (!written) return written.error();
    return load(file);
}

secret owner_secret::derive(std::string_view purpose, std::string_view subject) const {
    std::string input;
    append(input, purpose);
    append(input, subject);
    secret out{32};
    crypto_generichash(out.writable().data(), out.size(), as_byte_view(input).data(), input.size(), key_.view().data(),
                       key_.size());
    return out;
}

onion::secret_key owner_secret::key(const uuid4& token) const {
    const auto seed = derive("owner-key/v1", token.text());
    return onion::secret_key::from_seed(seed.view().first<32>());
}

secret owner_secret::password(std::string_view directory) const {
    auto text = base64_encode(derive("password/v1", directory).view());
    while (text.ends_with('='))
        text.pop_back();
    secret out{text};
    wipe(text);
    return out;
}

std::string owner_secret::account(std::string_view directory) const {
    return base32_encode(derive("account/v1", directory).view().first(fingerprint_bytes));
}

uuid4 owner_secret::owner_token(const uuid4& token) const {
    const auto bytes = derive("owner-token/v1", token.text());
    return uuid4::generate([&](std::span<std::uint8_t> into) {
        const auto from = bytes.view().first(into.size());
        std::copy(from.begin(), from.end(), into.begin());
    });
}

onion::signature sign_claim(const onion::secret_key& owner, std::string_view directory, std::string_view account,
                            std::string_view signed_bytes) {
    return owner.sign(claim_bytes(directory, account, signed_bytes));
}

bool verify_claim(const onion::public_key& owner, std::string_view directory, std::string_view account,
                  std::string_view signed_bytes, const onion::signature& claim) {
    return onion::verify(owner, claim_bytes(directory, account, signed_bytes), claim);
}

}  // namespace bento::entry
