#include "names.hpp"

#include <algorithm>
#include <array>
#include <bento/base/utf8.hpp>
#include <bento/wire/call.hpp>

namespace bento::wire {
namespace {

// Each table is sorted: they are searched by halves.
constexpr std::array<std::string_view, 35> keywords = {
    "False",  "None",     "True", "and",    "as",   "assert", "async",   "await",  "break", "class",  "continue", "def",
    "del",    "elif",     "else", "except", "for",  "from",   "finally", "global", "if",    "import", "in",       "is",
    "lambda", "nonlocal", "not",  "or",     "pass", "raise",  "return",  "try",    "while", "with",   "yield"};

// Python 3.9 to 3.13, and `site`, without exceptions and `__names__`; and what the reference's driver has at hand.
constexpr auto builtin_names = std::to_array<std::string_view>(
    {"_execute",   "_main",      "_write_error", "abs",      "aiter",        "all",       "anext",      "any",
     "api",        "ascii",      "base64",       "bentoapi", "bin",          "bool",      "breakpoint", "bytearray",
     "bytes",      "call",       "callable",     "chr",      "classmethod",  "code",      "compile",    "complex",
     "copyright",  "credits",    "delattr",      "dict",     "dir",          "divmod",    "enumerate",  "eval",
     "exec",       "exit",       "filter",       "float",    "format",       "frozenset", "getattr",    "globals",
     "hasattr",    "hash",       "help",         "hex",      "id",           "input",     "int",        "isinstance",
     "issubclass", "iter",       "json",         "len",      "license",      "list",      "locals",     "map",
     "max",        "memoryview", "min",          "next",     "object",       "oct",       "open",       "ord",
     "pow",        "print",      "property",     "quit",     "range",        "repr",      "reversed",   "round",
     "set",        "setattr",    "slice",        "sorted",   "staticmethod", "str",       "sum",        "super",
     "sys",        "tuple",      "type",         "vars",     "zip"});

/// Blocks of letters whose NFKC has no ASCII character. Left out of them: digraphs, ligatures, superscripts and
/// full-width forms, which Python reads as ASCII letters. Not every code point in them is a letter; Python then refuses
/// the name when it is called.
struct block {
    char32_t first, last;
};
constexpr auto blocks = std::to_array<block>({{0x00c0, 0x0131},
                                              {0x0134, 0x013e},
                                              {0x0141, 0x0148},
                                              {0x014a, 0x017e},
                                              {0x0180, 0x01c3},
                                              {0x01cd, 0x01f0},
                                              {0x01f4, 0x02af},
                                              {0x0370, 0x0379},
                                              {0x037b, 0x037d},
                                              {0x0386, 0x1cff},
                                              {0x1e00, 0x1e99},
                                              {0x1e9b, 0x1fbc},
                                              {0x3041, 0x3096},
                                              {0x30a1, 0x30fa},
                                              {0x3400, 0x9fff},
                                              {0xac00, 0xd7a3}});

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::size_t name_length(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size()) {
        if (is_letter(text[n]) || (n > 0 && is_digit(text[n]))) {
            ++n;
            continue;
        }
        const auto next = first_code_point(text.substr(n));
        if (!next || std::none_of(blocks.begin(), blocks.end(),
                                  [&](const block& b) { return next->value >= b.first && next->value <= b.last; }))
            break;
        n += next->size;
    }
    return n;
}

bool is_keyword(std::string_view name) { return std::find(keywords.begin(), keywords.end(), name) != keywords.end(); }

bool is_call_name(std::string_view text) { return is_name(text); }

bool is_builtin(std::string_view name) {
    return (name.starts_with("__") && name.ends_with("__")) ||
           std::binary_search(builtin_names.begin(), builtin_names.end(), name);
}

}  // namespace bento::wire
