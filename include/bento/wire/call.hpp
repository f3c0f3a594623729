// The call grammar: `name(literals...)`, a subset of Python's expressions (Python reference, chapters 2 and 6) that
// evaluates nothing but one function and constants. And the way back: calls built from JSON values.
//
//   call      = name "(" [argument *("," argument) [","]] ")"
//   argument  = literal | name "=" literal                   positional ones first
//   literal   = string+ | [sign] number | "None" | "True" | "False" | "(" literal ")"
//             | tuple | list | dict | set
//
// Strings have every prefix but f, and every escape but \N{...} (its names are a table of Python's); numbers are
// integers, floats and imaginaries. Spaces, tabs, form feeds and newlines may stand between tokens inside the brackets.
// What Python takes and this does not: comments, backslash continuation, whole expressions, unpacking.
//
// Refused as names are Python's keywords and, unless asked for, the functions every Python program starts with: `exec`
// and `__import__` are names too, and would make any token a shell. A name that the stored code itself imports or
// assigns can still be called; only a sandbox contains a function's own code.
#pragma once

#include <bento/wire/errc.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <span>
#include <string>
#include <string_view>

namespace bento::wire {

struct call_expression {
    std::string name;
    std::size_t positional = 0;
    std::size_t keywords = 0;
};

/// Whether the names of is_builtin() may be called: only where the caller knows that the stored code defines them.
enum class builtins { refused, allowed };

/// errc::bad_call with "byte N: expected ..." (N counts from 0), errc::too_large over max_call_size.
result<call_expression> parse_call(std::string_view text, builtins names = builtins::refused);

/// A name of this grammar: letters, digits and `_`, no digit first, no keyword. Outside ASCII those letters are taken
/// that Python's normalisation (NFKC) keeps outside ASCII, so that no other spelling of an ASCII name exists.
bool is_call_name(std::string_view text);
/// Functions and types of Python's `builtins` and `site`, every `__name__`, and the names of the driver that a function
/// runs in (`api`, `_execute`, ...). Exceptions are not among them: calling one does nothing.
bool is_builtin(std::string_view name);

/// The value as a Python literal in printable ASCII: null is None, an object a dict. errc::bad_value for a number that
/// is none (NaN), errc::not_utf8, errc::too_large over max_call_size or deeper than a call can hold.
result<std::string> python_literal(const boost::json::value& value);
/// `name(positional..., key=value...)`, which parse_call accepts with builtins::allowed. errc::bad_call where the name
/// or a key is no name; errors of python_literal.
result<std::string> make_call(std::string_view name, std::span<const boost::json::value> positional,
                              const boost::json::object& keywords = {});

}  // namespace bento::wire
