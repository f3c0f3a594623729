// Errors for programs: application/problem+json (RFC 9457).
#pragma once

#include <bento/base/utf8.hpp>
#include <string>
#include <string_view>

namespace bento::http {

using bento::is_utf8;

/// A JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// `type` is a word that programs can rely on, such as `function-error`; `detail` is for a person and may be empty.
/// `members` is JSON that follows, such as `"function_id":"..."`.
std::string problem(std::string_view type, int status, std::string_view detail, std::string_view members = {});
inline constexpr std::string_view problem_type = "application/problem+json";

}  // namespace bento::http
