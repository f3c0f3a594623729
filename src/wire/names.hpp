// Names in calls: where one ends, and which are Python's own.
#pragma once

#include <string_view>

namespace bento::wire {

/// The length of the longest beginning of `text` that has the form of a name; keywords included. 0 where none begins.
std::size_t name_length(std::string_view text);
bool is_keyword(std::string_view name);
/// Of the form of a name and not one of the words that Python reserves.
inline bool is_name(std::string_view text) {
    return !text.empty() && name_length(text) == text.size() && !is_keyword(text);
}

}  // namespace bento::wire
