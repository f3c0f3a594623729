// The quotings of the control protocol; there are three, and taking one for another is a classic mistake.
//
// What tor quotes (`\n \t \r \" \' \\` and `\ooo`) is read by unquote(). What it reads is a CString in SETCONF and a
// QuotedString in AUTHENTICATE, where "\n" is the letter n; quote() writes what means the same in both. ADD_ONION,
// HSFETCH and ONION_CLIENT_AUTH_ADD read no quoting at all.
#pragma once

#include <bento/control/errc.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bento::control {

/// Reads one quoted string from the front of `text`, which must begin with `"`, and moves `text` behind it. The result
/// is bytes, not always UTF-8: paths are in any encoding. Nothing, and `text` unmoved, where the quotes do not end.
std::optional<std::string> unquote(std::string_view& text);
/// A value that may be quoted, up to the next space otherwise.
std::optional<std::string> unquote_or_word(std::string_view& text);
/// The value of an option, as GETCONF and CONF_CHANGED give it: raw to the end of the line, spaces and all, or quoted
/// where it begins with a quote or holds what a line of torrc could not.
std::string config_value(std::string_view text);

/// `"value"` with `"` and `\` escaped, other bytes as they are: a CString and a QuotedString alike.
/// errc::invalid_argument for NUL, CR and LF: tor repeats them raw in its answer, where they would forge another.
result<std::string> quote(std::string_view value);
/// errc::invalid_argument where `value` holds NUL, CR or LF.
result<void> must_be_one_line(std::string_view value, std::string_view what);

/// One argument of an event or a reply.
struct argument {
    std::string keyword;  ///< empty for a positional argument
    std::string value;    ///< unquoted
    bool operator==(const argument&) const = default;
};
/// `word KEY=value KEY="quoted value" ...`. Whatever is malformed is carried as a positional argument: new versions of
/// tor may say what we do not know.
std::vector<argument> parse_arguments(std::string_view text);
/// The value of a keyword; empty where it is not there.
std::string_view find(const std::vector<argument>& in, std::string_view keyword);

}  // namespace bento::control
