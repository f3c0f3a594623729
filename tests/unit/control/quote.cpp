#include <bento/control/quote.hpp>

#include "test.hpp"

using namespace bento;
using namespace std::literals;
namespace c = bento::control;

namespace {

/// `value|what is left`, or `nothing|all of it`.
std::string unquoted(std::string_view text) {
    const auto value = c::unquote(text);
    return (value ? *value : "nothing") + "|" + std::string{text};
}

std::string told(const std::vector<c::argument>& arguments) {
    std::string out;
    for (const auto& a : arguments)
        out += (a.keyword.empty() ? "" : a.keyword + ":") + "<" + a.value + ">";
    return out;
}

}  // namespace

TEST_CASE("what tor quotes is read as bytes") {
    CHECK(unquoted(R"("a b" rest)") == "a b| rest");
    CHECK(unquoted(R"("")") == "|");
    CHECK(unquoted(R"("\"\\\'\n\t\r")") == "\"\\'\n\t\r|");
    CHECK(unquoted(R"("/tmp/we\"ird \303\251/cookie")") == "/tmp/we\"ird \xc3\xa9/cookie|");
    CHECK(unquoted(R"("\0\00\000x")") == "\0\0\0x|"s);
    CHECK(unquoted(R"("\1234")") == "S4|");
    CHECK(unquoted(R"("\377")") == "\xff|");
    CHECK(unquoted(R"("\400\778")") ==
          "\x20"
          "0\x3f"
          "8|");
    CHECK(unquoted(R"("\8\q")") == "8q|");
}

TEST_CASE("quotes that do not end are no quotes") {
    for (const auto* text : {R"("a)", R"(")", R"("a\)", R"("a\")", "a\"b\"", ""})
        CHECK(unquoted(text) == "nothing|" + std::string{text});
}

TEST_CASE("what is quoted for tor is one line that means the same to both of its readers") {
    CHECK(c::quote("a \"b\" \\c").value() == R"("a \"b\" \\c")");
    CHECK(c::quote("").value() == R"("")");
    CHECK(c::quote("\xc3\xa9\t").value() == "\"\xc3\xa9\t\"");
    for (const auto value : {"a\rb"sv, "a\nb"sv, "a\0b"sv, "\r\n250 OK\r\n"sv}) {
        const auto refused = c::quote(value);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == c::errc::invalid_argument);
        CHECK(refused.error().detail == "the value holds a line end or NUL");
    }
}

TEST_CASE("the value of an option is raw, spaces and all, or quoted as a whole") {
    CHECK(c::config_value("a 'b' \"c") == "a 'b' \"c");
    CHECK(c::config_value(" x ") == " x ");
    CHECK(c::config_value(R"("a#b")") == "a#b");
    CHECK(c::config_value(R"("a" b)") == R"("a" b)");
    CHECK(c::config_value("") == "");
}

TEST_CASE("arguments: words, keywords, quoted values, whatever else as it came") {
    CHECK(told(c::parse_arguments(R"(NOTICE BOOTSTRAP PROGRESS=0 TAG=starting SUMMARY="Starting \"up\"")")) ==
          R"(<NOTICE><BOOTSTRAP>PROGRESS:<0>TAG:<starting>SUMMARY:<Starting "up">)");
    CHECK(told(c::parse_arguments("  a   b ")) == "<a><b>");
    CHECK(told(c::parse_arguments("K= L=\"\" M")) == "K:<>L:<><M>");
    CHECK(told(c::parse_arguments("K=a=b")) == "K:<a=b>");
    CHECK(told(c::parse_arguments("$FP=nick a.b=c =d")) == "<$FP=nick><a.b=c><=d>");
    CHECK(told(c::parse_arguments("K=\"no end L=1")) == "<K=\"no><end>L:<1>");
    CHECK(told(c::parse_arguments(R"("a b" "c)")) == R"(<a b><"c>)");
    CHECK(told(c::parse_arguments(R"(a "b =c" K=1)")) == R"(<a><b =c>K:<1>)");
    CHECK(c::parse_arguments("").empty());
}

TEST_CASE("a keyword's value is found, the first of several") {
    const auto arguments = c::parse_arguments("K a K=1 K=2");
    CHECK(c::find(arguments, "K") == "1");
    CHECK(c::find(arguments, "k").empty());
}
