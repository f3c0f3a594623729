#include <bento/web/websocket.hpp>

#include "gateway.hpp"

using namespace bento;
using namespace std::chrono_literals;
using test::hidden_server;
using test::member;
using test::with_server;
using op = http::websocket::opcode;

namespace {

asio::awaitable<web::websocket> session(const hidden_server& s, std::string first) {
    web::road r;
    r.host = "test.onion";
    r.direct = s.at;
    auto out = (co_await web::websocket::connect(std::move(r), "/session", test::soon())).value();
    out.expires_at(test::soon());
    (co_await out.send(op::text, first)).value();
    co_return out;
}

/// Texts in quotes, binaries in brackets; `closed` and why at the end.
asio::awaitable<std::string> message(web::websocket& from) {
    std::string out;
    for (;;) {
        const auto p = co_await from.next();
        if (!p) co_return "closed " + p.error().peer;
        out += p->bytes;
        if (p->last) co_return p->text ? "'" + out + "'" : "[" + out + "]";
    }
}

}  // namespace

TEST_CASE("FW1: a WebSocket carries input and output of one function, both ways") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        auto w = co_await session(s, s.call("echo()"));
        const auto started = co_await message(w);
        CHECK(started.starts_with("'{\"function_id\":\""));
        for (const auto* text : {"one", "two", ""}) {
            (co_await w.send(op::text, text)).value();
            const auto echo = co_await message(w);
            CHECK(echo == "[" + std::string{text} + "]");
        }
        (co_await w.send(op::binary, "\xff\xfe")).value();
        const auto bytes = co_await message(w);
        CHECK(bytes == "[\xff\xfe]");
        (co_await w.send(op::ping, "?")).value();
        (co_await w.send(op::text, "stop")).value();
        const auto ended = co_await message(w);
        CHECK(ended == "'{\"ended\":true}'");
        const auto closed = co_await message(w);
        CHECK(closed == "closed ");
    });
}

TEST_CASE("FW2: started over HTTP, continued by WebSocket, and again over HTTP") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        const auto started = co_await s.post("/exec", s.call("echo()", ",'detach':true"));
        const auto id = "'function_id':'" + member(started, "function_id") + "'";
        (void)co_await s.post("/input", s.json("{" + id + ",'data':'by HTTP'}"));
        {
            auto w = co_await session(s, s.json("{" + id + "}"));
            const auto head = co_await message(w);
            CHECK(head.ends_with("\"after\":0}'"));
            const auto first = co_await message(w);
            CHECK(first == "[by HTTP]");
            (co_await w.send(op::text, "by WebSocket")).value();
            const auto second = co_await message(w);
            CHECK(second == "[by WebSocket]");
        }
        (void)co_await s.post("/input", s.json("{" + id + ",'data':'stop'}"));
        const auto all = co_await s.post("/open", s.json("{" + id + ",'mode':'all','after':0}"));
        CHECK(all.ends_with(R"("outputs":["by HTTP","by WebSocket"],"ended":true})"));
    });
}

TEST_CASE("a session's large outputs come in pieces, its errors as words of ours") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        auto w = co_await session(s, s.call("big(3000000)"));
        (void)co_await message(w);
        const auto large = co_await message(w);
        CHECK(large.size() == 3'000'002);
        const auto done = co_await message(w);
        CHECK(done == "[done]");
        auto failing = co_await session(s, s.call("fail()"));
        (void)co_await message(failing);
        const auto before = co_await message(failing);
        CHECK(before == "[before]");
        const auto error = co_await message(failing);
        CHECK(error == "'{\"error\":\"no luck\"}'");
    });
}

TEST_CASE("a session that cannot begin says why") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        for (const auto& [first, type] :
             {std::pair{std::string{"{}"}, "invalid-request"},
              {s.call("__import__('os')"), "invalid-request"},
              {s.json("{'function_id':'7e620807-59fd-498d-94f9-1722672411ab'}"), "unknown-function"}}) {
            auto w = co_await session(s, first);
            const auto told = co_await message(w);
            CHECK(member(told.substr(0, told.size() - 1), "type") == type);
            const auto closed = co_await message(w);
            CHECK(closed == "closed refused");
        }
        const auto plain = co_await s.get("/session");
        CHECK(plain.starts_with("426 "));
        gateway::options off;
        off.session = false;
        s.front.configure(s.with(off));
        const auto disabled = co_await s.get("/session");
        CHECK(disabled.starts_with("404 "));
    });
}

TEST_CASE("a client that breaks the protocol is told and cut") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        auto peer = (co_await net::stream::connect(s.at, test::soon())).value();
        peer.expires_at(test::soon());
        (co_await peer.write("GET /session HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                             "\x81\x01x"))
            .value();
        std::string got;
        std::array<char, 1000> part;
        for (;;) {
            const auto n = co_await peer.read_some(part);
            if (!n) break;
            got.append(part.data(), *n);
        }
        CHECK(got.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
        CHECK(got.ends_with(std::string{"\x88\x18\x03\xea"} + "a frame without a mask"));
    });
}

TEST_CASE("a session that is taken over is told, its function goes on") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        auto w = co_await session(s, s.call("echo()"));
        const auto started = co_await message(w);
        const auto id = "'function_id':'" + member(started.substr(0, started.size() - 1), "function_id") + "'";
        auto second = co_await session(s, s.json("{" + id + "}"));
        const auto told = co_await message(w);
        CHECK(told == "closed another connection reads this function now");
        (void)co_await message(second);
        (co_await second.send(op::text, "on")).value();
        const auto echo = co_await message(second);
        CHECK(echo == "[on]");
    });
}
