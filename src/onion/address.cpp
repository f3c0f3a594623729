#include <nettle/sha3.h>
#include <sodium.h>

#include <bento/base/encoding.hpp>
#include <bento/onion/address.hpp>
#include <cstring>

namespace bento::onion {
namespace {

constexpr std::uint8_t version = 3;
constexpr std::string_view suffix = ".onion";

std::array<std::uint8_t, 2> checksum(const public_key& key) {
    sha3_256_ctx state;
    sha3_256_init(&state);
    constexpr std::string_view label = ".onion checksum";
    sha3_256_update(&state, label.size(), as_byte_view(label).data());
    sha3_256_update(&state, key.size(), key.data());
    sha3_256_update(&state, 1, &version);
    std::array<std::uint8_t, 2> out{};
    sha3_256_digest(&state, out.size(), out.data());
    return out;
}

}  // namespace

address address::of(const public_key& key) {
    const auto sum = checksum(key);
    std::array<std::uint8_t, 35> raw{};
    std::memcpy(raw.data(), key.data(), 32);
    std::memcpy(raw.data() + 32, sum.data(), 2);
    raw[34] = version;
    return address{base32_encode(raw)};
}

result<address> address::parse(std::string_view text) {
    const auto wrong = [](const char* why) { return error{errc::bad_address, why}; };
    std::string id{text};
    for (auto& c : id)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (id.ends_with(suffix)) id.resize(id.size() - suffix.size());
    if (id.size() == 16) return wrong("16 characters are a version 2 address, which tor no longer reaches");
    if (id.size() != service_id_size) return wrong("an address has 56 characters before .onion");
    const auto raw = base32_decode(id);
    if (!raw) return wrong("an address is written in a-z and 2-7");
    if (raw->at(34) != version) return wrong("the version is not 3: the address is mistyped or cut");
    public_key key{};
    std::memcpy(key.data(), raw->data(), key.size());
    const auto sum = checksum(key);
    if (raw->at(32) != sum[0] || raw->at(33) != sum[1]) return wrong("the checksum is wrong: the address is mistyped");
    // A point of small order, or with a torsion part, would give one service several addresses (rend-spec-v3
    // section 1.9).
    if (crypto_core_ed25519_is_valid_point(key.data()) != 1)
        return wrong("the public key is not of the prime-order group");
    return address{std::move(id)};
}

public_key address::key() const {
    const auto raw = base32_decode(service_id_);
    public_key out{};
    std::memcpy(out.data(), raw->data(), out.size());
    return out;
}

}  // namespace bento::onion
