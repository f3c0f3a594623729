#include <bento/base/encoding.hpp>
#include <bento/onion/client_key.hpp>

#include "test.hpp"

using namespace bento;
using onion::client_key;

TEST_CASE("four spellings of one key") {
    bytes raw(32);
    for (std::size_t i = 0; i < raw.size(); ++i)
        raw[i] = static_cast<std::uint8_t>(i + 1);
    const auto key = client_key::from_private(raw).value();
    const auto address = onion::address::parse("aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead").value();
    const auto line = key.client_line(address);
    CHECK(line.text() == address.service_id() + ":descriptor:x25519:" + base32_encode(raw));
    CHECK(key.private_base64().text() == base64_encode(raw));
    // X25519 of these bytes, computed by another program (RFC 7748 section 5).
    CHECK(key.public_base32() == "a6rxzpauecj4rn2v3qnrb2dmwqtdoswrnkufh3il37alfodndr6a");
    CHECK(key.service_line() == "descriptor:x25519:" + key.public_base32());
    for (const auto& text : {std::string{line.text()}, std::string{line.text()} + "\r\n",
                             "descriptor:x25519:" + base32_encode(raw), base32_encode(raw)}) {
        const auto read = client_key::from_text(text);
        REQUIRE(read);
        CHECK(read->public_base32() == key.public_base32());
    }
    for (const auto& text : {std::string{"x"}, "descriptor:x448:" + base32_encode(raw), base32_encode(bytes(32)),
                             base32_encode(bytes(31, 1)), std::string{}})
        CHECK(client_key::from_text(text).error().code == onion::errc::bad_key);
}

TEST_CASE("a generated key is the randomness it was given") {
    const auto key = client_key::generate([](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), 7); });
    CHECK(key.private_base64().text() == base64_encode(bytes(32, 7)));
}
