#include <sodium.h>
#include <sys/stat.h>

#include <bento/base/encoding.hpp>
#include <bento/base/file.hpp>
#include <bento/onion/address.hpp>

#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using namespace bento::onion;

namespace {

std::array<std::uint8_t, 32> counting_seed() {
    std::array<std::uint8_t, 32> seed{};
    for (std::size_t i = 0; i < seed.size(); ++i)
        seed[i] = static_cast<std::uint8_t>(i);
    return seed;
}

// What tor 0.4.9.11 answered for the seed 00 01 .. 1f.
constexpr auto tor_blob = "OJTupJxYCu+BaTV2K+BJVZ1tFEDe3hLmoSXxhB//jm+p1xhio+V0a1cb49GHsAQQRvUuvYUMfL1f3o7jhHO2SQ==";
constexpr auto tor_address = "aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead";

}  // namespace

TEST_CASE("a seed gives the blob and the address that tor gives") {
    const auto key = secret_key::from_seed(counting_seed());
    CHECK(key.add_onion_argument().text() == std::string{"ED25519-V3:"} + tor_blob);
    CHECK(address::of(key.public_key()).service_id() == tor_address);
}

TEST_CASE("generated keys differ, and their public key is libsodium's for the same seed") {
    const auto seed = counting_seed();
    const auto key =
        secret_key::generate([&](std::span<std::uint8_t> out) { std::copy(seed.begin(), seed.end(), out.begin()); });
    std::array<std::uint8_t, 32> pk{};
    std::array<std::uint8_t, 64> sk{};
    crypto_sign_seed_keypair(pk.data(), sk.data(), seed.data());
    CHECK(key.public_key() == pk);
    CHECK(secret_key::generate().public_key() != secret_key::generate().public_key());
}

TEST_CASE("signatures by the expanded key are those of RFC 8032") {
    // RFC 8032 section 7.1, test 3.
    const auto seed = hex_decode("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7").value();
    const auto key = secret_key::from_seed(byte_view{seed}.first<32>());
    const auto message = hex_decode("af82").value();
    const auto made = key.sign(as_text(message));
    CHECK(hex_encode(made) ==
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
          "d28dc027beceea1ec40a");
    CHECK(verify(key.public_key(), as_text(message), made));
    CHECK_FALSE(verify(key.public_key(), "other", made));
    CHECK_FALSE(verify(secret_key::generate().public_key(), as_text(message), made));
}

TEST_CASE("tor's key file goes both ways and is private") {
    const test::temporary_directory folder;
    const auto path = folder.path() / "hs_ed25519_secret_key";
    const auto key = secret_key::generate();
    REQUIRE(key.save(path));
    const auto file = read_file(path, 96).value();
    CHECK(file.substr(0, 29) == "== ed25519v1-secret: type0 ==");
    CHECK(file.substr(29, 3) == std::string(3, '\0'));
    struct ::stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    CHECK(secret_key::load(path)->public_key() == key.public_key());
}

TEST_CASE("what is no key is refused") {
    const test::temporary_directory folder;
    const auto path = folder.path() / "key";
    REQUIRE(write_file(path, std::string(96, 'x')));
    CHECK(secret_key::load(path).error().code == errc::bad_key_file);
    REQUIRE(write_file(path, std::string(97, 'x')));
    CHECK(secret_key::load(path).error().code == errc::bad_key_file);
    const bytes unclamped(64, 0xff);
    CHECK(secret_key::from_expanded(unclamped).error().code == errc::bad_key);
    CHECK(secret_key::from_expanded(bytes(63)).error().code == errc::bad_key);
}

TEST_CASE("an address is read back, in either case, with or without .onion") {
    const std::string id = tor_address;
    CHECK(address::parse(id)->service_id() == id);
    CHECK(address::parse(id + ".onion")->host() == id + ".onion");
    CHECK(address::parse("AOQQPP7TZYIL4HLQ3UMOOS6ATFT6JVRQTOSQ2XY53SDGIESVGG4BQEAD.onion")->service_id() == id);
    CHECK(address::parse(id)->key() == secret_key::from_seed(counting_seed()).public_key());
}

TEST_CASE("a mistyped address is told from a right one, at every character") {
    const std::string id = tor_address;
    for (std::size_t i = 0; i < id.size(); ++i) {
        auto mistyped = id;
        mistyped[i] = mistyped[i] == 'x' ? 'y' : 'x';
        CHECK(address::parse(mistyped).error().code == errc::bad_address);
    }
    CHECK(address::parse(id.substr(1)).error().detail == "an address has 56 characters before .onion");
    CHECK(address::parse("expyuzz4wqqyqhjn").error().detail ==
          "16 characters are a version 2 address, which tor no longer reaches");
    CHECK(address::parse(std::string(56, '1')).error().detail == "an address is written in a-z and 2-7");
}

TEST_CASE("an address of a key outside the prime-order group is refused") {
    public_key neutral{};
    neutral[0] = 1;
    CHECK(address::parse(address::of(neutral).service_id()).error().detail ==
          "the public key is not of the prime-order group");
}
