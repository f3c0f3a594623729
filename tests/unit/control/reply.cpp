#include <bento/control/reply.hpp>

#include "transcript.hpp"

using namespace bento;
using test::framed;

namespace {

const std::string malformed = "error a line begins with no status code: tor's answer is not of the control protocol";

}  // namespace

TEST_CASE("a single line, several lines, data") {
    CHECK(framed("250 OK\r\n") == "250|OK;\nidle");
    CHECK(framed("250-version=0.4.9.11\r\n250 OK\r\n") == "250|version=0.4.9.11;250|OK;\nidle");
    CHECK(framed("250 \r\n") == "250|;\nidle");
    CHECK(framed("250-a\r\n250") == "partial");
    CHECK(framed("250 OK\r") == "partial");
    CHECK(framed("") == "idle");
}

TEST_CASE("data: one leading dot is stuffing, a dot alone ends it, every line gets its LF") {
    CHECK(framed("250+config-text=\r\nSocksPort 0\r\n..dotted\r\n...\r\n250 no status\r\n\r\n.\r\n250 OK\r\n") ==
          "250|config-text=|SocksPort 0\n.dotted\n..\n250 no status\n\n;250|OK;\nidle");
    CHECK(framed("250+key=\r\n.\r\n250 OK\r\n250 OK\r\n") == "250|key=|;250|OK;\n250|OK;\nidle");
    CHECK(framed("250+a=\r\n1\r\n.\r\n250+b=\r\n2\r\n.\r\n250-c=3\r\n250 OK\r\n") ==
          "250|a=|1\n;250|b=|2\n;250|c=3;250|OK;\nidle");
    CHECK(framed("250+a=\r\n. \r\n.\n\r\n.\r\n250 OK\r\n") == "250|a=| \n\n\n;250|OK;\nidle");
    CHECK(framed("250+a=\r\nno end") == "partial");
}

TEST_CASE("a bare line feed or carriage return belongs to the line") {
    CHECK(framed("513 Unacceptable option value: Nickname 'a\nb', ...\r\n") ==
          "513|Unacceptable option value: Nickname 'a\nb', ...;\nidle");
    CHECK(framed("250 a\rb\r\r\n") == "250|a\rb\r;\nidle");
    CHECK(framed("250 OK\n250 OK\r\n") == "250|OK\n250 OK;\nidle");
}

TEST_CASE("status codes may differ inside one reply, but no event stands in an answer") {
    const std::string mixed = "error an event inside an answer: tor's answer is not of the control protocol";
    CHECK(framed("512-syntax error\r\n250 a=b\r\n") == "512|syntax error;250|a=b;\nidle");
    CHECK(framed("250-a\r\n650 BW 1 2\r\n") == mixed);
    CHECK(framed("650-CONF_CHANGED\r\n250 OK\r\n") == mixed);
}

TEST_CASE("which replies are good, and which are events") {
    CHECK(test::reply_of("250-a=b\r\n251 OK\r\n").ok());
    CHECK_FALSE(test::reply_of("512-a\r\n250 b\r\n").ok());
    CHECK_FALSE(test::reply_of("250-a\r\n551 b\r\n").ok());
    CHECK(test::reply_of("650-CONF_CHANGED\r\n650 OK\r\n").is_event());
    CHECK_FALSE(test::reply_of("551 Not found in cache\r\n").is_event());
    CHECK(test::reply_of("250-a=b\r\n251 OK\r\n").status() == 251);
}

TEST_CASE("a forged line after a value with a line end is fatal") {
    // SETCONF Nickname="a\r\n250 OK\r\nb", answered by a real tor: three lines, two of them in whole.
    CHECK(framed(test::captured("splitting")) ==
          "250|OK;\n513|Unacceptable option value: Nickname 'a;\n250|OK;\n" + malformed);
}

TEST_CASE("what is no reply is fatal, at its first wrong byte") {
    for (const auto* bytes : {"25 OK\r\n", "2500 OK\r\n", "abc OK\r\n", "\r\n", "250=OK\r\n", "099 x\r\n", "250\r\n",
                              " 250 OK\r\n", "HTT\r\n", "x", "2x", "25x", "250x", "\n"})
        CHECK(framed(bytes) == malformed);
    CHECK(framed("250 OK\r\n\r\n") == "250|OK;\n" + malformed);
    CHECK(framed("250-a\r\n.\r\n") == malformed);
}

TEST_CASE("another protocol's port is told") {
    CHECK(framed(test::captured("http")) == "error this is not a control port");
    CHECK(framed("HTTP/") == "error this is not a control port");
    CHECK(framed("HTTP") == "partial");
    // Once tor has spoken, it is nothing but malformed.
    CHECK(framed("250 OK\r\nHTTP/1.0 501 x\r\n") == "250|OK;\n" + malformed);
}

TEST_CASE("the first error is the last word") {
    control::framer f;
    std::string_view bytes = "250 OK\r\nnonsense\r\n";
    CHECK(test::told(f.next(bytes).value().value()) == "250|OK;");
    CHECK_FALSE(f.next(bytes));
    bytes = "250 OK\r\n";
    const auto again = f.next(bytes);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == control::errc::malformed_reply);
}

TEST_CASE("a reply is taken alone, and what follows it is left") {
    control::framer f;
    std::string_view bytes = "250-a\r\n250 b\r\n650 c\r\n25";
    CHECK(test::told(f.next(bytes).value().value()) == "250|a;250|b;");
    CHECK(bytes == "650 c\r\n25");
    CHECK(test::told(f.next(bytes).value().value()) == "650|c;");
    CHECK(bytes == "25");
    CHECK(f.idle());
    CHECK_FALSE(f.next(bytes).value());
    CHECK(bytes.empty());
    CHECK_FALSE(f.idle());
}

TEST_CASE("a line has a limit, without its line end") {
    control::limits l;
    l.line = 10;
    CHECK(framed("250 234567\r\n250 23456\r\r\n", l) == "250|234567;\n250|23456\r;\nidle");
    CHECK(framed("250 2345678\r\n", l) == "error a line of tor's answer is too long");
    CHECK(framed("250 2345678", l) == "error a line of tor's answer is too long");
    CHECK(framed("250 23456\r\r", l) == "partial");
    CHECK(framed("250+k=\r\n12345678901\r\n.\r\n", l) == "error a line of tor's answer is too long");
}

TEST_CASE("data has a limit, and a whole reply too") {
    control::limits l;
    l.data = 7;
    CHECK(framed("250+k=\r\n123\r\n\r\n1\r\n.\r\n250 OK\r\n", l) == "250|k=|123\n\n1\n;250|OK;\nidle");
    CHECK(framed("250+k=\r\n123\r\n\r\n12\r\n.\r\n", l) == "error the data in tor's answer is too long");
    // Each data block has the whole limit.
    CHECK(framed("250+k=\r\n12345\r\n.\r\n250+l=\r\n12345\r\n.\r\n250 OK\r\n", l) ==
          "250|k=|12345\n;250|l=|12345\n;250|OK;\nidle");

    l = {};
    l.reply = 3 * sizeof(control::reply_line) + 3 * 5;
    CHECK(framed("250-1\r\n250-2\r\n250 3\r\n250-1\r\n250-2\r\n250 3\r\n", l) ==
          "250|1;250|2;250|3;\n250|1;250|2;250|3;\nidle");
    CHECK(framed("250-1\r\n250-2\r\n250 34\r\n", l) == "error tor's answer is too long");
    CHECK(framed("250+1\r\n" + std::string(400, 'x') + "\r\n.\r\n250 OK\r\n", l) == "error tor's answer is too long");
}

TEST_CASE("every capture is the same replies however it is cut") {
    for (const auto* name : {"authentication", "configuration", "onion", "events"}) {
        const auto all = framed(test::captured(name));
        INFO(name);
        CHECK(all.substr(all.rfind('\n') + 1) == "idle");
    }
}
