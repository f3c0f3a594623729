// The call grammar beside Python's own verdicts. tests/data/wire/calls.jsonl holds one expression a line with what
// Python 3.11 says of it (compile(), and whether the tree is a call of a name with literals):
//
//   accept    both take it
//   reject    neither does
//   stricter  Python takes it; call.hpp says why the grammar does not
//   builtin   both take it as a call; refused for its name
#include <bento/wire/call.hpp>
#include <bento/wire/limits.hpp>
#include <boost/json/parse.hpp>
#include <fstream>

#include "test.hpp"

using namespace bento;
using namespace std::string_literals;
namespace json = boost::json;

namespace {

struct expression {
    std::string verdict;
    std::string call;
};

std::vector<expression> expressions() {
    std::ifstream file{BENTO_TEST_DATA "/wire/calls.jsonl"};
    std::vector<expression> out;
    for (std::string line; std::getline(file, line);) {
        const auto object = json::parse(line).as_object();
        out.push_back({object.at("verdict").as_string().c_str(), std::string{object.at("call").as_string()}});
    }
    return out;
}

std::string why(std::string_view call) {
    const auto parsed = wire::parse_call(call);
    return parsed ? "accepted" : parsed.error().detail;
}

result<std::string> made(std::string_view name, std::vector<json::value> positional,
                         const json::object& keywords = {}) {
    return wire::make_call(name, positional, keywords);
}

}  // namespace

TEST_CASE("the same verdict as Python's on every expression in the data") {
    const auto all = expressions();
    REQUIRE(all.size() > 500);
    for (const auto& [verdict, call] : all) {
        INFO(verdict << ": " << call.substr(0, 200));
        const bool accepted = wire::parse_call(call).has_value();
        CHECK(accepted == (verdict == "accept"));
        if (verdict == "builtin") {
            CHECK(wire::parse_call(call, wire::builtins::allowed));
            CHECK(why(call).ends_with("expected a function of the stored code, not one of Python's own"));
        }
    }
}

TEST_CASE("no accepted expression is accepted cut short, and none reads past its end") {
    for (const auto& [verdict, call] : expressions()) {
        if (call.size() > 1000) continue;
        for (std::size_t n = 0; n < call.size(); ++n) {
            // At an address of its own, so that the address sanitizer sees a read past the end.
            const std::vector<char> part{call.begin(), call.begin() + static_cast<std::ptrdiff_t>(n)};
            const auto parsed = wire::parse_call({part.data(), n});
            if (!parsed || verdict != "accept") continue;
            INFO(call.substr(0, n));
            CHECK(call.find_first_not_of(" \t\r\n", n) == std::string::npos);
        }
    }
}

TEST_CASE("name and arguments are told") {
    const auto call = wire::parse_call(" browse ( 'http://a/', (1, 2), pad = 64, deep={'a': [1, 2]}, ) \n").value();
    CHECK(call.name == "browse");
    CHECK(call.positional == 2);
    CHECK(call.keywords == 2);
    CHECK(wire::parse_call("hello()").value().positional == 0);
}

TEST_CASE("an error says where, and what was expected there") {
    CHECK(why("") == "byte 0: expected the name of a function");
    CHECK(why("f") == "byte 1: expected '('");
    CHECK(why("f(") == "byte 2: expected a literal");
    CHECK(why("f(1") == "byte 3: expected ',' or ')'");
    CHECK(why("f(1 2)") == "byte 4: expected ',' or ')'");
    CHECK(why("f(x)") == "byte 2: expected a literal, not a name");
    CHECK(why("f(g(1))") == "byte 2: expected a literal, not a name");
    CHECK(why("f([1, 2)") == "byte 7: expected ',' or ']'");
    CHECK(why("f({1:2, 3})") == "byte 9: expected ':'");
    CHECK(why("f({1, 2:3})") == "byte 7: expected ',' or '}'");
    CHECK(why("f('ab") == "byte 2: expected the end of this string");
    CHECK(why("f('a\n')") == "byte 4: expected the end of the string before the end of the line");
    CHECK(why("f('\\x4')") == "byte 6: expected 2 hexadecimal digits");
    CHECK(why("f('\\N{BULLET}')") == "byte 3: expected \\u or \\U instead of a character's name");
    CHECK(why("f(f'{1}')") == "byte 2: expected no f-string: it evaluates what it holds");
    CHECK(why("f(ur'')") == "byte 2: expected one of the prefixes r, b, u, rb, br");
    CHECK(why("f('a' b'b')") == "byte 6: expected strings and bytes apart");
    CHECK(why("f(b'\xc3\xa9')") == "byte 4: expected ASCII in bytes");
    CHECK(why("f('\xff')") == "byte 3: expected UTF-8");
    CHECK(why("f(007)") == "byte 2: expected a decimal number without leading zeros");
    CHECK(why("f(1__0)") == "byte 4: expected a digit after '_'");
    CHECK(why("f(1a)") == "byte 3: expected the end of the number");
    CHECK(why("f(-x)") == "byte 3: expected a number after its sign");
    CHECK(why("f(1 # no\n)") == "byte 4: expected no comment");
    CHECK(why("f(a=1, 2)") == "byte 7: expected a named argument after a named argument");
    CHECK(why("f(a=1, b=2, a=3)") == "byte 12: expected each named argument once");
    CHECK(why("f(None=1)") == "byte 2: expected the name of an argument");
    CHECK(why("f(1) or 2") == "byte 5: expected the end of the call after ')'");
    CHECK(why("if(1)") == "byte 0: expected the name of a function, not a word of Python's grammar");
    CHECK(why("__import__('os')") == "byte 0: expected a function of the stored code, not one of Python's own");
}

TEST_CASE("limits on size and depth") {
    const auto padded = [](std::size_t size) { return "f('" + std::string(size - 5, 'x') + "')"; };
    CHECK(wire::parse_call(padded(wire::max_call_size)));
    CHECK(wire::parse_call(padded(wire::max_call_size + 1)).error().code == wire::errc::too_large);
    CHECK(wire::parse_call("f(" + std::string(63, '[') + std::string(63, ']') + ")"));
    CHECK(why("f(" + std::string(64, '[') + std::string(64, ']') + ")") ==
          "byte 65: expected no more than 64 brackets within each other");
    CHECK_FALSE(wire::parse_call("f(" + std::string(1'000'000, '(')));
}

TEST_CASE("Python's own names cannot be reached by another spelling") {
    CHECK(wire::is_builtin("exec"));
    CHECK(wire::is_builtin("__import__"));
    CHECK(wire::is_builtin("_execute"));
    CHECK_FALSE(wire::is_builtin("browse"));
    // Python normalises names (NFKC): full-width, mathematical and superscript letters are ASCII to it.
    for (const auto& name : {"\xef\xbd\x85xec"s, "\xf0\x9d\x90\x9exec"s, "e\xcb\xa3"s + "ec", "\xe1\xb5\x89xec"s,
                             "\xe2\x84\xaf"s + "xec", "\xef\xbb\xbf"s + "exec", "exec\xe2\x80\x8b"s, "exec\xcc\x81"s}) {
        INFO(name);
        CHECK_FALSE(wire::is_call_name(name));
        CHECK_FALSE(wire::parse_call(name + "('1')"));
    }
}

TEST_CASE("JSON values as Python literals") {
    const auto literal = [](std::string_view text) { return wire::python_literal(json::parse(text)).value(); };
    CHECK(literal("null") == "None");
    CHECK(literal("[true, false]") == "[True, False]");
    CHECK(literal("-9223372036854775808") == "-9223372036854775808");
    CHECK(literal("18446744073709551615") == "18446744073709551615");
    CHECK(literal("1.0") == "1.0");
    CHECK(literal("-0.0") == "-0.0");
    CHECK(literal("1e100") == "1e+100");
    CHECK(literal("0.1") == "0.1");
    CHECK(literal(R"("it's \\ \"x\"")") == R"('it\'s \\ "x"')");
    CHECK(literal(R"("\n\u0000\u007f\u00e9\u20ac\ud834\udd1e")") == R"('\x0a\x00\x7f\xe9\u20ac\U0001d11e')");
    CHECK(literal(R"({"a": {"b": []}, "'": null})") == R"({'a': {'b': []}, '\'': None})");
    CHECK(literal("{}") == "{}");
    CHECK(wire::python_literal(std::numeric_limits<double>::infinity()).value() == "1e999");
    CHECK(wire::python_literal(-std::numeric_limits<double>::infinity()).value() == "-1e999");
    CHECK(wire::python_literal(std::numeric_limits<double>::quiet_NaN()).error().code == wire::errc::bad_value);
    CHECK(wire::python_literal(json::value("\xff")).error().code == wire::errc::not_utf8);
}

TEST_CASE("calls are made of a name and values, and parse") {
    CHECK(made("hello", {}).value() == "hello()");
    CHECK(made("proxy", {"127.0.0.1", 80}).value() == "proxy('127.0.0.1', 80)");
    CHECK(made("browse", {"http://a/"}, {{"pad", 64}, {"deep", nullptr}}).value() ==
          "browse('http://a/', pad=64, deep=None)");
    CHECK(made("", {}).error().code == wire::errc::bad_call);
    CHECK(made("f()", {}).error().code == wire::errc::bad_call);
    CHECK(made("lambda", {}).error().code == wire::errc::bad_call);
    CHECK(made("f", {}, {{"a b", 1}}).error().code == wire::errc::bad_call);
    CHECK(made("f", {}, {{"None", 1}}).error().code == wire::errc::bad_call);
}

TEST_CASE("no text can leave its literal: every byte value and pair of them stays one argument") {
    for (char32_t first = 0; first < 0x180; ++first) {
        const auto add = [](std::string& out, char32_t c) {
            if (c < 0x80) {
                out += static_cast<char>(c);
            } else {
                out += static_cast<char>(0xc0 | c >> 6);
                out += static_cast<char>(0x80 | (c & 0x3f));
            }
        };
        for (const char32_t second : {U'\'', U'"', U'\\', U'\n', U'\r', U'\0', U'x', U'{', U')'}) {
            std::string text;
            add(text, first);
            add(text, second);
            const auto call = made("f", {json::value(text), json::object{{text, text}}}, {{"k", text}}).value();
            INFO(call);
            const auto parsed = wire::parse_call(call);
            REQUIRE(parsed);
            REQUIRE(parsed->positional == 2);
            REQUIRE(parsed->keywords == 1);
        }
    }
}

TEST_CASE("values too deep or too large for a call are refused") {
    json::value deep;
    for (int i = 0; i < 63; ++i)
        deep = json::array{deep};
    const auto call = made("f", {deep}).value();
    CHECK(wire::parse_call(call));
    CHECK(made("f", {json::value(json::array{deep})}).error().code == wire::errc::too_large);
    CHECK(made("f", {json::value(std::string(wire::max_call_size, 'x'))}).error().code == wire::errc::too_large);
    CHECK(made("f", {json::value(json::array(wire::max_call_size, 1))}).error().code == wire::errc::too_large);
}
