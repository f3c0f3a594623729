// Hexadecimal, base32 and base64 (RFC 4648), as tor writes and reads them. Decoders are strict: one spelling of each
// value.
#pragma once

#include <bento/base/bytes.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bento {

/// Lower-case hexadecimal.
std::string hex_encode(byte_view data);
/// Either case; nothing if the length is odd or a character is no digit.
std::optional<bytes> hex_decode(std::string_view text);

/// Lower-case, without padding: onion addresses and client authorisation keys.
std::string base32_encode(byte_view data);
/// Either case, without padding; nothing if a character is foreign, the length impossible or unused bits are set.
std::optional<bytes> base32_decode(std::string_view text);

/// The standard alphabet, padded.
std::string base64_encode(byte_view data);
/// The standard alphabet, padded or not; nothing if a character is foreign, the length impossible or unused bits are
/// set.
std::optional<bytes> base64_decode(std::string_view text);

}  // namespace bento
