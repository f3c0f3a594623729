#include <bento/http/server_connection.hpp>
#include <bento/http/websocket.hpp>

#include "test.hpp"

using namespace bento;
using namespace std::string_literals;
namespace ws = http::websocket;

namespace {

constexpr ws::mask key{0x37, 0xfa, 0x21, 0x3d};

/// A frame by its first byte and payload, masked as a client's.
std::string framed(unsigned first, std::string_view payload, bool masked = true) {
    std::string out;
    ws::append_frame(out, ws::opcode::text, true, payload, masked ? std::optional{key} : std::nullopt);
    out[0] = static_cast<char>(first);
    return out;
}

/// What a receiver tells: texts in quotes, binaries in brackets, ping(), pong, closed and broken with their codes.
std::string told_of(const std::vector<std::string_view>& pieces, ws::receiver::from sender, std::uint64_t limit) {
    ws::receiver r{sender, limit};
    std::string out, message;
    for (const auto piece : pieces) {
        r.feed(piece);
        for (;;) {
            const auto e = r.next();
            if (std::holds_alternative<ws::receiver::need_data>(e)) break;
            if (const auto* d = std::get_if<ws::receiver::data>(&e)) {
                message += d->bytes;
                if (!d->last) continue;
                out += d->text ? "\"" + message + "\"" : "[" + message + "]";
                message.clear();
            } else if (const auto* p = std::get_if<ws::receiver::ping>(&e)) {
                out += "ping(" + std::string{p->payload} + ")";
            } else if (std::holds_alternative<ws::receiver::pong>(e)) {
                out += "pong";
            } else if (const auto* c = std::get_if<ws::receiver::closed>(&e)) {
                out += "closed " + std::to_string(static_cast<int>(c->code)) + " " + std::string{c->reason};
            } else if (const auto* b = std::get_if<ws::receiver::broken>(&e)) {
                out += "broken " + std::to_string(static_cast<int>(b->code)) + " " + std::string{b->why};
            }
        }
    }
    return out;
}

/// The same, however the bytes arrive.
std::string told(std::string_view bytes, ws::receiver::from sender = ws::receiver::from::client,
                 std::uint64_t limit = 100'000) {
    const auto expected = told_of({bytes}, sender, limit);
    if (bytes.size() < 2000)
        for (std::size_t cut = 1; cut < bytes.size(); ++cut)
            CHECK(told_of({bytes.substr(0, cut), bytes.substr(cut)}, sender, limit) == expected);
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        single.push_back(bytes.substr(i, 1));
    CHECK(told_of(single, sender, limit) == expected);
    return expected;
}

std::string handshake(std::string_view fields, std::string_view line = "GET /session HTTP/1.1") {
    http::server_connection c;
    c.feed(std::string{line} + "\r\nHost: a.onion\r\n" + std::string{fields} + "\r\n");
    const auto e = c.next();
    const auto* r = std::get_if<http::server_connection::request>(&e);
    REQUIRE(r != nullptr);
    const auto wrong = ws::check_handshake(*r->head);
    return wrong ? std::to_string(wrong->status) + " " + std::string{wrong->why} : "ok";
}
const std::string good_key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string good = "Upgrade: h2c, WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n";

}  // namespace

TEST_CASE("the examples of RFC 6455") {
    CHECK(ws::accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(told("\x81\x05\x48\x65\x6c\x6c\x6f", ws::receiver::from::server) == "\"Hello\"");
    CHECK(told("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") == "\"Hello\"");
    CHECK(told("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"s, ws::receiver::from::server) == "\"Hello\"");
    CHECK(told("\x89\x05\x48\x65\x6c\x6c\x6f"s, ws::receiver::from::server) == "ping(Hello)");
    std::string out;
    ws::append_frame(out, ws::opcode::text, true, "Hello", key);
    CHECK(out == "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

TEST_CASE("lengths of every size, both ways") {
    for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U}) {
        const std::string data(size, 'x');
        std::string theirs, ours;
        ws::append_frame(theirs, ws::opcode::binary, true, data, key);
        ws::append_frame(ours, ws::opcode::binary, true, data);
        CHECK(told(theirs) == "[" + data + "]");
        CHECK(told(ours, ws::receiver::from::server) == "[" + data + "]");
        CHECK(ours.size() == size + (size < 126 ? 2 : size < 65536 ? 4 : 10));
    }
}

TEST_CASE("messages in pieces, with control frames between them") {
    CHECK(told(framed(0x01, "ab") + framed(0x89, "?") + framed(0x00, "") + framed(0x80, "c") + framed(0x8a, "")) ==
          "ping(?)\"abc\"pong");
    CHECK(told(framed(0x82, "") + framed(0x81, "")) == "[]\"\"");
    // A character may be cut by a frame, not by a message's end.
    CHECK(told(framed(0x01, "\xe2\x82") + framed(0x80, "\xac")) == "\"\u20ac\"");
    CHECK(told(framed(0x81, "\xe2\x82")) == "broken 1007 a text that is not UTF-8");
    CHECK(told(framed(0x81, "\xed\xa0\x80")) == "broken 1007 a text that is not UTF-8");
    CHECK(told(framed(0x01, "\xf4") + framed(0x80, "\x90\x80\x80")) == "broken 1007 a text that is not UTF-8");
    CHECK(told(framed(0x82, "\xff\xfe")) == "[\xff\xfe]");
}

TEST_CASE("what breaks the protocol") {
    CHECK(told(framed(0x81, "x", false)) == "broken 1002 a frame without a mask");
    CHECK(told(framed(0x81, "x"), ws::receiver::from::server) == "broken 1002 a masked frame of a server");
    CHECK(told(framed(0xc1, "x")) == "broken 1002 a reserved bit is set");
    CHECK(told(framed(0x83, "x")) == "broken 1002 an unknown kind of frame");
    CHECK(told(framed(0x8b, "x")) == "broken 1002 an unknown kind of frame");
    CHECK(told(framed(0x80, "x")) == "broken 1002 a frame that is not in turn");
    CHECK(told(framed(0x01, "x") + framed(0x81, "y")) == "broken 1002 a frame that is not in turn");
    CHECK(told(framed(0x09, "x")) == "broken 1002 a control frame in pieces");
    CHECK(told(framed(0x89, std::string(126, 'x'))) == "broken 1002 a control frame is too long");
    CHECK(told("\x82\xfe\x00\x7d\x00\x00\x00\x00"s) == "broken 1002 a length that is not minimal");
    CHECK(told("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00"s) ==
          "broken 1002 a length that is not minimal");
    CHECK(told("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"s) ==
          "broken 1002 a length that is not minimal");
    // After the end nothing counts.
    CHECK(told(framed(0x83, "x") + framed(0x81, "y")) == "broken 1002 an unknown kind of frame");
}

TEST_CASE("a message over the limit is told at its header") {
    const auto client = ws::receiver::from::client;
    CHECK(told(framed(0x82, "12345"), client, 5) == "[12345]");
    CHECK(told(framed(0x82, "123456").substr(0, 6), client, 5) == "broken 1009 the message is too large");
    CHECK(told(framed(0x02, "123") + framed(0x80, "456"), client, 5) == "broken 1009 the message is too large");
    CHECK(told(framed(0x82, "123") + framed(0x82, "456"), client, 5) == "[123][456]");
}

TEST_CASE("the end") {
    CHECK(told(framed(0x88, "")) == "closed 1005 ");
    CHECK(told(framed(0x88,
                      "\x03\xe8"
                      "bye") +
               framed(0x81, "late")) == "closed 1000 bye");
    CHECK(told(framed(0x88, ws::close_payload(ws::close_code::policy, "no"))) == "closed 1008 no");
    CHECK(told(framed(0x88, "\x03")) == "broken 1002 a malformed code of a close");
    for (const auto* code : {"\x03\xe7", "\x03\xec", "\x03\xed", "\x03\xee", "\x03\xf7", "\x0b\xb7", "\x13\x88"})
        CHECK(told(framed(0x88, code)) == "broken 1002 a malformed code of a close");
    CHECK(told(framed(0x88, "\x0b\xb8")) == "closed 3000 ");
    CHECK(told(framed(0x88, "\x03\xe8\xff")) == "broken 1007 a reason that is not UTF-8");
    // A reason is cut between characters.
    std::string accents;
    for (int i = 0; i < 100; ++i)
        accents += "\u00e9";
    CHECK(ws::close_payload(ws::close_code::internal, accents).size() == 124);
    CHECK(ws::close_payload(ws::close_code::no_status).empty());
}

TEST_CASE("the handshake") {
    CHECK(handshake(good + good_key) == "ok");
    CHECK(handshake(good + good_key + "Origin: http://a.onion\r\n") == "ok");
    CHECK(handshake(good + good_key + "Origin: http://b.onion\r\n") ==
          "403 a page of another origin may not speak here");
    CHECK(handshake(good + good_key + "Origin: null\r\n").starts_with("403 "));
    CHECK(handshake("") == "426 this path speaks WebSocket");
    CHECK(handshake(good + good_key, "GET /session HTTP/1.0") == "400 WebSocket begins with HTTP/1.1");
    CHECK(handshake("Upgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Version: 13\r\n" + good_key) ==
          "400 Connection does not name Upgrade");
    CHECK(handshake("Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 12\r\n" + good_key) ==
          "426 version 13 of WebSocket is spoken here");
    CHECK(handshake("Upgrade: websocket\r\nConnection: upgrade\r\n" + good_key).starts_with("426 "));
    CHECK(handshake(good) == "400 a malformed Sec-WebSocket-Key");
    CHECK(handshake(good + good_key + good_key) == "400 a malformed Sec-WebSocket-Key");
    CHECK(handshake(good + "Sec-WebSocket-Key: AAAA\r\n") == "400 a malformed Sec-WebSocket-Key");
    CHECK(handshake(good + good_key + "Content-Length: 1\r\n") == "400 a body before WebSocket");
}
