#include <bento/base/encoding.hpp>

#include "test.hpp"

using namespace bento;

namespace {
std::string text(const std::optional<bytes>& decoded) { return decoded ? std::string{as_text(*decoded)} : "(nothing)"; }
}  // namespace

TEST_CASE("RFC 4648 vectors go both ways") {
    struct vector {
        std::string_view plain, hex, base32, base64;
    };
    const auto v =
        GENERATE(vector{"", "", "", ""}, vector{"f", "66", "my", "Zg=="}, vector{"fo", "666f", "mzxq", "Zm8="},
                 vector{"foo", "666f6f", "mzxw6", "Zm9v"}, vector{"foob", "666f6f62", "mzxw6yq", "Zm9vYg=="},
                 vector{"fooba", "666f6f6261", "mzxw6ytb", "Zm9vYmE="},
                 vector{"foobar", "666f6f626172", "mzxw6ytboi", "Zm9vYmFy"});
    CHECK(hex_encode(as_byte_view(v.plain)) == v.hex);
    CHECK(base32_encode(as_byte_view(v.plain)) == v.base32);
    CHECK(base64_encode(as_byte_view(v.plain)) == v.base64);
    CHECK(text(hex_decode(v.hex)) == v.plain);
    CHECK(text(base32_decode(v.base32)) == v.plain);
    CHECK(text(base64_decode(v.base64)) == v.plain);
}

TEST_CASE("decoders take either case where case means nothing, and base64 without padding") {
    CHECK(text(hex_decode("666F6f")) == "foo");
    CHECK(text(base32_decode("MZXW6")) == "foo");
    CHECK(text(base64_decode("Zm9vYg")) == "foob");
}

TEST_CASE("decoders refuse what no encoder writes") {
    CHECK_FALSE(hex_decode("6"));
    CHECK_FALSE(hex_decode("6g"));
    CHECK_FALSE(hex_decode("66 6f"));
    CHECK_FALSE(base32_decode("m"));
    CHECK_FALSE(base32_decode("mz1q"));
    CHECK_FALSE(base32_decode("mz"));  // bits set that belong to no byte
    CHECK_FALSE(base64_decode("Z"));
    CHECK_FALSE(base64_decode("Zh=="));
    CHECK_FALSE(base64_decode("Zg==="));
    CHECK_FALSE(base64_decode("Zg=A"));
    CHECK_FALSE(base64_decode("Zm 9v"));
}
