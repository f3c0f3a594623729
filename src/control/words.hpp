// Reading the words of an event or a listing.
#pragma once

#include <algorithm>
#include <array>
#include <bento/control/quote.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace bento::control {

inline std::string_view take_word(std::string_view& text) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

/// The whole text as a number, or nothing.
template <class Number>
std::optional<Number> number(std::string_view text) {
    Number out = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, out);
    if (read.ec != std::errc{} || read.ptr != end) return {};
    return out;
}

/// Calls `each` with what stands between the separators; not at all for an empty text.
void split(std::string_view text, char separator, auto&& each) {
    while (!text.empty()) {
        const auto part = text.substr(0, text.find(separator));
        each(part);
        text.remove_prefix(std::min(part.size() + 1, text.size()));
    }
}

template <class Value>
struct named {
    std::string_view name;
    Value value;
};

template <class Value, std::size_t Size>
Value look_up(const std::array<named<Value>, Size>& table, std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(), [name](const auto& n) { return n.name == name; });
    return found == table.end() ? Value::unknown : found->value;
}

/// Gives each keyword to `assign(keyword, value)`; what that does not want (it returns false) goes to `out.rest`.
template <class Event>
void sort(std::string_view text, Event& out, auto&& assign) {
    for (auto& a : parse_arguments(text))
        if (a.keyword.empty() || !assign(a.keyword, a.value)) out.rest.push_back(std::move(a));
}

/// Moves the value of each keyword that the event knows to its member; the others go to `rest`.
template <class Event, std::size_t Size>
void sort(std::string_view text, const std::array<std::pair<std::string_view, std::string Event::*>, Size>& members,
          Event& out) {
    sort(text, out, [&](std::string_view keyword, std::string& value) {
        const auto found =
            std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == keyword; });
        if (found != members.end()) out.*(found->second) = std::move(value);
        return found != members.end();
    });
}

}  // namespace bento::control
