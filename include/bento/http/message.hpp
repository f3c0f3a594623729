// Heads of HTTP/1.1 messages (RFC 9110, RFC 9112), as both sides see them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bento::http {

enum class method { get, head, post, put, delete_, options, patch, connect, trace, other };
std::string_view to_text(method m);

struct field {
    std::string_view name;
    std::string_view value;
};

/// Case-insensitive, as field names and most tokens are.
bool same_text(std::string_view a, std::string_view b);
/// The first field of this name.
std::optional<std::string_view> find(const std::vector<field>& fields, std::string_view name);

/// Views into the connection, good until the response to it is complete.
struct request_head {
    http::method method = http::method::other;
    std::string_view method_text;
    std::string_view path;   ///< as it was sent, not decoded; `*` for OPTIONS of the whole server
    std::string_view query;  ///< without `?`; empty where there is none
    unsigned minor = 1;      ///< of HTTP/1.x
    std::vector<field> fields;
    std::string_view host;
    std::optional<std::uint64_t> content_length;  ///< unset with chunked coding, and without a body
    bool has_body = false;
    bool expects_continue = false;
};

/// `application/json`, parameters allowed, or no type at all.
bool is_json_or_untyped(const std::vector<field>& fields);

/// RFC 9110 section 15; "Unknown" for a code it does not know.
std::string_view reason_phrase(int status);

}  // namespace bento::http
