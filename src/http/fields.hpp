// Header and trailer sections (RFC 9112 section 5), for both sides.
#pragma once

#include <bento/http/message.hpp>
#include <span>

namespace bento::http {

bool is_token(std::string_view text);
/// Splits `name: value`; nothing where it is no field line. Views into `line`.
std::optional<field> parse_field(std::string_view line);
/// True where a comma-separated list of tokens holds this one.
bool has_token(std::string_view list, std::string_view token);
/// 1*DIGIT that fits; `+`, `-`, `_`, spaces and 0x are no digits.
std::optional<std::uint64_t> parse_length(std::string_view text);
/// What is said of the length of a body.
struct framing {
    bool chunked = false;
    std::optional<std::uint64_t> length;
    int refused = 0;       ///< 0, 400 or 501
    std::string_view why;  ///< static
};
framing framing_of(const std::vector<field>& fields, unsigned minor);
/// No control character but HTAB.
bool is_field_value(std::string_view text);
/// What a response begins with; std::logic_error for a field that would break it.
void append_status_and_fields(std::string& out, int status, std::span<const field> fields);
void append_content_length(std::string& out, std::uint64_t length);

}  // namespace bento::http
