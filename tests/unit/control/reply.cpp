#include <bento/control/reply.hpp>

#include "test.hpp"

using namespace bento;
using control::framer;

namespace {

/// Everything that can be seen of a run: the replies, then the error.
std::string told(framer& f, const std::vector<std::string_view>& pieces) {
    std::string out;
    for (const auto piece : pieces) {
        const auto fed = f.feed(piece);
        while (auto r = f.next()) {
            for (const auto& l : r->lines)
                out += std::to_string(l.status) + "|" + l.text + (l.data ? "|" + *l.data : "") + ";";
            out += "\n";
        }
        if (!fed) return out + "error " + fed.error().message();
    }
    return out + (f.idle() ? "idle" : "partial");
}

std::string whole(std::string_view bytes, control::limits l = {}) {
    framer f{l};
    return told(f, {bytes});
}

/// The same bytes, however they arrive, are the same replies.
std::string checked(std::string_view bytes, control::limits l = {}) {
    const auto expected = whole(bytes, l);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        framer f{l};
        CHECK(told(f, {bytes.substr(0, cut), bytes.substr(cut)}) == expected);
    }
    framer f{l};
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        single.push_back(bytes.substr(i, 1));
    CHECK(told(f, single) == expected);
    return expected;
}

}  // namespace

TEST_CASE("a single line, several lines, data") {
    CHECK(checked("250 OK\r\n") == "250|OK;\nidle");
    CHECK(checked("250-version=0.4.9.11\r\n250 OK\r\n") == "250|version=0.4.9.11;250|OK;\nidle");
    CHECK(checked("250+config-text=\r\nSocksPort 0\r\n..dotted\r\n.\r\n250 OK\r\n") ==
          "250|config-text=|SocksPort 0\n.dotted\n;250|OK;\nidle");
    CHECK(checked("250+key=\r\n.\r\n250 OK\r\n250 OK\r\n") == "250|key=|;250|OK;\n250|OK;\nidle");
    CHECK(checked("250 \r\n") == "250|;\nidle");
}

TEST_CASE("a bare line feed or carriage return belongs to the line") {
    CHECK(checked("513 Unacceptable option value: Nickname 'a\nb', ...\r\n") ==
          "513|Unacceptable option value: Nickname 'a\nb', ...;\nidle");
    CHECK(checked("250 a\rb\r\r\n") == "250|a\rb\r;\nidle");
}

TEST_CASE("status codes may differ inside one reply, but no event stands in an answer") {
    CHECK(checked("512-syntax error\r\n250 a=b\r\n") == "512|syntax error;250|a=b;\nidle");
    CHECK(checked("250-a\r\n650 BW 1 2\r\n") == "error tor's answer is not of the control protocol");
}

TEST_CASE("a forged line after a value with a line end is fatal") {
    CHECK(checked("513 Unacceptable option value: Nickname 'a\r\n250 OK\r\nb', ...\r\n250 OK\r\n") ==
          "513|Unacceptable option value: Nickname 'a;\n250|OK;\nerror tor's answer is not of the control protocol");
}

TEST_CASE("what is no reply is fatal") {
    for (const auto* bytes : {"25 OK\r\n", "2500 OK\r\n", "abc OK\r\n", "\r\n", "250=OK\r\n", "099 x\r\n", "250\r\n"})
        CHECK(checked(bytes) == "error tor's answer is not of the control protocol");
    CHECK(checked("HTTP/1.0 501 Tor is not an HTTP Proxy\r\n") == "error this is not a control port");
    CHECK(whole("HTTP/1.0 501 and no line end") == "error this is not a control port");
}

TEST_CASE("each limit has its own error") {
    control::limits l;
    l.line = 10;
    CHECK(whole("250 234567\r\n", l) == "250|234567;\nidle");
    CHECK(whole("250 2345678\r\n", l) == "error a line: tor's answer is too long");
    CHECK(whole("250 2345678", l) == "error a line: tor's answer is too long");
    l = {};
    l.data = 5;
    CHECK(checked("250+k=\r\n1234\r\n.\r\n250 OK\r\n", l) == "250|k=|1234\n;250|OK;\nidle");
    CHECK(checked("250+k=\r\n1234\r\n56\r\n.\r\n", l) == "error a data block: tor's answer is too long");
    l = {};
    l.reply = 20;
    CHECK(checked("250-12345\r\n250-12345\r\n", l) == "error a reply: tor's answer is too long");
}
