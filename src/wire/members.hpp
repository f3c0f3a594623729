// The string members of a request's JSON body, and nothing else of it.
//
// The body is scanned, not built: sixteen MiB of brackets would become hundreds of MiB of values. Members nobody asked
// for are ignored at any value (the reference does so); of a member given twice the last counts, as in Python's json.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace bento::wire {

struct member {
    bool is_text = false;  ///< false: it is absent, or of another type
    std::string text;
};

/// Nothing if `body` is no JSON object in UTF-8. Nested deeper than 32 is none.
std::optional<std::array<member, 2>> find_members(std::string_view body, std::array<std::string_view, 2> names);

}  // namespace bento::wire
