#include <algorithm>
#include <bento/base/utf8.hpp>
#include <bento/wire/call.hpp>
#include <bento/wire/limits.hpp>
#include <vector>

#include "names.hpp"

namespace bento::wire {
namespace {

bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool is_hexadecimal(char c) { return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_binary(char c) { return c == '0' || c == '1'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Recursive descent; every function returns false after the first error, which it has noted.
class parser {
  public:
    explicit parser(std::string_view text) : text_{text} {}

    bool call(call_expression& out, builtins names);
    error failure() const { return {errc::bad_call, "byte " + std::to_string(failed_at_) + ": expected " + expected_}; }

  private:
    bool at_end() const { return at_ == text_.size(); }
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    std::string_view rest() const { return text_.substr(at_); }
    bool take(char c);
    bool fail(std::string expected) { return fail_at(at_, std::move(expected)); }
    bool fail_at(std::size_t at, std::string expected);
    bool space();

    bool arguments(call_expression& out);
    bool literal();
    bool bracketed();
    bool items_until(char close);
    bool braces();
    bool number();
    bool radix(bool (*digit)(char), const char* expected);
    bool digits(std::size_t& count);
    bool word();
    bool strings();
    bool string(std::size_t prefix, bool& is_bytes);
    bool escape(bool is_bytes);
    bool hexadecimal(std::size_t count, char32_t& value);
    /// The length of a string prefix here, if one and a quote follow; otherwise npos.
    std::size_t string_prefix() const;

    std::string_view text_;
    std::size_t at_ = 0;
    unsigned depth_ = 0;
    std::size_t failed_at_ = 0;
    std::string expected_;
};

bool parser::take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
}

bool parser::fail_at(std::size_t at, std::string expected) {
    failed_at_ = at;
    expected_ = std::move(expected);
    return false;
}

/// Between tokens, inside brackets.
bool parser::space() {
    while (!at_end() && std::string_view{" \t\n\r\f"}.find(text_[at_]) != std::string_view::npos)
        ++at_;
    if (peek() == '#') return fail("no comment");
    return true;
}

bool parser::call(call_expression& out, builtins names) {
    // eval() strips these, and no more: a newline first makes an indentation error of what follows.
    while (peek() == ' ' || peek() == '\t')
        ++at_;
    const auto begin = at_;
    at_ += name_length(rest());
    out.name = text_.substr(begin, at_ - begin);
    if (out.name.empty()) return fail("the name of a function");
    if (is_keyword(out.name)) return fail_at(begin, "the name of a function, not a word of Python's grammar");
    if (names == builtins::refused && is_builtin(out.name))
        return fail_at(begin, "a function of the stored code, not one of Python's own");
    while (peek() == ' ' || peek() == '\t')
        ++at_;
    if (!take('(')) return fail("'('");
    depth_ = 1;
    if (!arguments(out)) return false;
    while (peek() == ' ' || peek() == '\t')
        ++at_;
    while (peek() == '\n' || peek() == '\r')
        ++at_;
    if (!at_end()) return fail("the end of the call after ')'");
    return true;
}

bool parser::arguments(call_expression& out) {
    std::vector<std::string_view> keys;
    for (;;) {
        if (!space()) return false;
        if (take(')')) break;
        const auto begin = at_;
        const auto length = string_prefix() == std::string_view::npos ? name_length(rest()) : 0;
        const auto name = rest().substr(0, length);
        at_ += length;
        if (!space()) return false;
        if (length > 0 && peek() == '=') {
            if (is_keyword(name) || name == "__debug__") return fail_at(begin, "the name of an argument");
            keys.push_back(name);
            ++at_;
            if (!space() || !literal()) return false;
            ++out.keywords;
        } else {
            at_ = begin;
            if (out.keywords > 0) return fail("a named argument after a named argument");
            if (!literal()) return false;
            ++out.positional;
        }
        if (!space()) return false;
        if (take(',')) continue;
        if (!take(')')) return fail("',' or ')'");
        break;
    }
    // Stable: of two equal names the later one is pointed at.
    std::stable_sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end())
        return fail_at(static_cast<std::size_t>(twice[1].data() - text_.data()), "each named argument once");
    return true;
}

bool parser::literal() {
    const auto c = peek();
    if (c == '(' || c == '[' || c == '{') {
        if (depth_ == max_call_depth)
            return fail("no more than " + std::to_string(max_call_depth) + " brackets within each other");
        ++depth_;
        const auto good = c == '{' ? braces() : bracketed();
        --depth_;
        return good;
    }
    if (string_prefix() != std::string_view::npos) return strings();
    if (c == '+' || c == '-') {
        ++at_;
        if (!space()) return false;
        if (!is_decimal(peek()) && peek() != '.') return fail("a number after its sign");
        return number();
    }
    if (is_decimal(c) || (c == '.' && is_decimal(peek(1)))) return number();
    return word();
}

bool parser::bracketed() {
    const bool is_list = text_[at_++] == '[';
    // `()` is an empty tuple, `(1)` is 1, `(1,)` a tuple of one: all of them are literals.
    return items_until(is_list ? ']' : ')');
}

bool parser::items_until(char close) {
    for (;;) {
        if (!space()) return false;
        if (take(close)) return true;
        if (!literal() || !space()) return false;
        if (take(',')) continue;
        if (take(close)) return true;
        return fail(std::string{"',' or '"} + close + "'");
    }
}

bool parser::braces() {
    ++at_;
    if (!space()) return false;
    if (take('}')) return true;
    if (!literal() || !space()) return false;
    const bool is_dict = peek() == ':';
    for (;;) {
        if (is_dict) {
            if (!take(':')) return fail("':'");
            if (!space() || !literal() || !space()) return false;
        }
        const bool comma = take(',');
        if (!space()) return false;
        if (take('}')) return true;
        if (!comma) return fail("',' or '}'");
        if (!literal() || !space()) return false;
    }
}

/// Digits with single underscores between them.
bool parser::digits(std::size_t& count) {
    if (!is_decimal(peek())) return fail("a digit");
    for (;;) {
        while (is_decimal(peek())) {
            ++at_;
            ++count;
        }
        if (peek() != '_') return true;
        ++at_;
        if (!is_decimal(peek())) return fail("a digit after '_'");
    }
}

bool parser::radix(bool (*digit)(char), const char* expected) {
    at_ += 2;
    do {
        if (peek() == '_') ++at_;
        if (!digit(peek())) return fail(expected);
        while (digit(peek()))
            ++at_;
    } while (peek() == '_');
    return true;
}

bool parser::number() {
    const auto begin = at_;
    bool is_integer = true;
    std::size_t count = 0;
    if (peek() == '0' && lower(peek(1)) == 'x') {
        if (!radix(is_hexadecimal, "a hexadecimal digit")) return false;
    } else if (peek() == '0' && lower(peek(1)) == 'o') {
        if (!radix(is_octal, "an octal digit")) return false;
    } else if (peek() == '0' && lower(peek(1)) == 'b') {
        if (!radix(is_binary, "a binary digit")) return false;
    } else {
        std::size_t other = 0;
        if (peek() != '.' && !digits(count)) return false;
        const auto integer_end = at_;
        if (take('.')) {
            is_integer = false;
            if (at_ == begin + 1 || is_decimal(peek()))
                if (!digits(other)) return false;
        }
        if (lower(peek()) == 'e') {
            is_integer = false;
            ++at_;
            if (peek() == '+' || peek() == '-') ++at_;
            if (!digits(other)) return false;
        }
        if (lower(peek()) == 'j') {
            is_integer = false;
            ++at_;
        }
        const auto whole = text_.substr(begin, integer_end - begin);
        if (is_integer && whole.front() == '0' && whole.find_first_not_of("0_") != std::string_view::npos)
            return fail_at(begin, "a decimal number without leading zeros");
        if (is_integer && count > max_int_digits)
            return fail_at(begin, "at most " + std::to_string(max_int_digits) + " digits");
    }
    if (name_length(rest()) > 0 || is_decimal(peek()) || peek() == '.') return fail("the end of the number");
    return true;
}

bool parser::word() {
    const auto begin = at_;
    const auto name = rest().substr(0, name_length(rest()));
    if (name != "None" && name != "True" && name != "False")
        return fail_at(begin, name.empty() ? "a literal" : "a literal, not a name");
    at_ += name.size();
    return true;
}

std::size_t parser::string_prefix() const {
    std::size_t n = 0;
    while (n < 3 && is_call_name(rest().substr(n, 1)))
        ++n;
    const auto quote = peek(n);
    if (n == 3 || (quote != '\'' && quote != '"')) return std::string_view::npos;
    return n;
}

/// One string or several side by side, which Python joins.
bool parser::strings() {
    bool first = true, all_bytes = false;
    for (;;) {
        const auto begin = at_;
        bool is_bytes = false;
        if (!string(string_prefix(), is_bytes)) return false;
        if (!first && is_bytes != all_bytes) return fail_at(begin, "strings and bytes apart");
        all_bytes = is_bytes;
        first = false;
        if (!space()) return false;
        if (string_prefix() == std::string_view::npos) return true;
    }
}

bool parser::string(std::size_t prefix, bool& is_bytes) {
    bool raw = false, unicode = false;
    for (std::size_t i = 0; i < prefix; ++i) {
        const auto c = lower(peek(i));
        bool& seen = c == 'b' ? is_bytes : c == 'r' ? raw : unicode;
        if ((c != 'b' && c != 'r' && c != 'u') || seen)
            return fail(c == 'f' ? "no f-string: it evaluates what it holds" : "one of the prefixes r, b, u, rb, br");
        seen = true;
    }
    if (unicode && prefix > 1) return fail("one of the prefixes r, b, u, rb, br");
    const auto begin = at_;
    at_ += prefix;
    const auto quote = peek();
    const bool triple = peek(1) == quote && peek(2) == quote;
    at_ += triple ? 3 : 1;
    for (;;) {
        if (at_end()) return fail_at(begin, "the end of this string");
        const auto c = peek();
        if (c == quote && (!triple || (peek(1) == quote && peek(2) == quote))) {
            at_ += triple ? 3 : 1;
            return true;
        }
        if (c == '\0') return fail("no NUL");
        if ((c == '\n' || c == '\r') && !triple) return fail("the end of the string before the end of the line");
        if (c == '\\') {
            if (raw) {
                // Both stay in the string, and the second neither ends it nor ends the line.
                ++at_;
                if (at_end()) return fail_at(begin, "the end of this string");
                if (peek() == '\r' && peek(1) == '\n') ++at_;
                if (static_cast<unsigned char>(peek()) < 0x80) {
                    if (peek() == '\0') return fail("no NUL");
                    ++at_;
                }
            } else if (!escape(is_bytes)) {
                return false;
            }
            continue;
        }
        const auto next = first_code_point(rest());
        if (!next) return fail("UTF-8");
        if (is_bytes && next->size > 1) return fail("ASCII in bytes");
        at_ += next->size;
    }
}

bool parser::escape(bool is_bytes) {
    const auto begin = at_++;
    const auto c = peek();
    if (c == '\r' && peek(1) == '\n') ++at_;
    char32_t value = 0;
    if (c == 'x') {
        ++at_;
        return hexadecimal(2, value);
    }
    if (!is_bytes && (c == 'u' || c == 'U')) {
        ++at_;
        if (!hexadecimal(c == 'u' ? 4 : 8, value)) return false;
        return value <= 0x10ffff || fail_at(begin, "a code point up to \\U0010ffff");
    }
    if (!is_bytes && c == 'N') return fail_at(begin, "\\u or \\U instead of a character's name");
    // Octal escapes have one to three digits, and a digit more is an ordinary character; so is what follows a backslash
    // that begins no escape (Python warns, and keeps both).
    if (c != '\0' && static_cast<unsigned char>(c) < 0x80) ++at_;
    return true;
}

bool parser::hexadecimal(std::size_t count, char32_t& value) {
    for (std::size_t i = 0; i < count; ++i, ++at_) {
        const auto c = lower(peek());
        if (!is_hexadecimal(c)) return fail(std::to_string(count) + " hexadecimal digits");
        value = value << 4 | static_cast<char32_t>(is_decimal(c) ? c - '0' : c - 'a' + 10);
    }
    return true;
}

}  // namespace

result<call_expression> parse_call(std::string_view text, builtins names) {
    if (text.size() > max_call_size) return error{errc::too_large, "the call"};
    parser parse{text};
    call_expression out;
    if (!parse.call(out, names)) return parse.failure();
    return out;
}

}  // namespace bento::wire
