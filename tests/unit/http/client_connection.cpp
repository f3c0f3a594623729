#include <bento/http/client_connection.hpp>

#include "test.hpp"

using namespace bento;
using http::client_connection;

namespace {

std::string told(const std::vector<std::string_view>& pieces, http::method m, bool eof) {
    client_connection c;
    c.expect_response(m);
    std::string out, body;
    const auto drain = [&] {
        for (;;) {
            const auto e = c.next();
            if (std::holds_alternative<client_connection::need_data>(e)) return true;
            if (const auto* h = std::get_if<http::response_head>(&e))
                out += std::to_string(h->status) + " " + std::string{h->find("content-type")} + "\n";
            else if (const auto* b = std::get_if<client_connection::body>(&e))
                body += b->data;
            else if (std::holds_alternative<client_connection::response_end>(e)) {
                out += body + (c.reusable() ? "|keep" : "|close");
                return false;
            } else if (std::holds_alternative<client_connection::cut>(e)) {
                out += "cut";
                return false;
            } else {
                out += "broken: " + std::string{std::get<client_connection::broken>(e).why};
                return false;
            }
        }
    };
    for (const auto piece : pieces) {
        c.feed(piece);
        if (!drain()) return out;
    }
    if (eof) {
        c.feed_eof();
        drain();
    }
    return out;
}

std::string response(std::string_view bytes, http::method m = http::method::get, bool eof = true) {
    const auto expected = told({bytes}, m, eof);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut)
        CHECK(told({bytes.substr(0, cut), bytes.substr(cut)}, m, eof) == expected);
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        single.push_back(bytes.substr(i, 1));
    CHECK(told(single, m, eof) == expected);
    return expected;
}

}  // namespace

TEST_CASE("a request in one piece") {
    const std::vector<http::field> fields{{"Content-Type", "application/json"}};
    CHECK(http::encode_request(http::method::post, "a.onion", "/open", fields, "{}") ==
          "POST /open HTTP/1.1\r\nHost: a.onion\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    CHECK(http::encode_request(http::method::get, "a.onion", "/", {}, "") == "GET / HTTP/1.1\r\nHost: a.onion\r\n\r\n");
    CHECK_THROWS_AS(http::encode_request(http::method::get, "a\r\nX: y", "/", {}, ""), std::logic_error);
}

TEST_CASE("bodies by length, by chunks, until the end, and none") {
    CHECK(response("HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: 2\r\n\r\nhi") == "200 x\nhi|keep");
    CHECK(response("HTTP/1.1 200\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") == "200 \n|close");
    CHECK(response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n") == "200 \nhi|keep");
    CHECK(response("HTTP/1.1 200 OK\r\n\r\nuntil the end") == "200 \nuntil the end|close");
    CHECK(response("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi") == "200 \nhi|close");
    CHECK(response("HTTP/1.1 204 No Content\r\n\r\n") == "204 \n|keep");
    CHECK(response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", http::method::head) == "200 \n|keep");
    CHECK(response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") ==
          "404 \n|keep");
}

TEST_CASE("a response that ends too early is cut, and what is none is broken") {
    CHECK(response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi") == "200 \ncut");
    CHECK(response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n") == "200 \ncut");
    CHECK(response("HTTP/1.1 20") == "cut");
    CHECK(response("SSH-2.0-OpenSSH\r\n") == "broken: what answers is no HTTP/1.1");
    CHECK(response("HTTP/2 200\r\n") == "broken: what answers is no HTTP/1.1");
    CHECK(response("HTTP/1.1 099 x\r\n") == "broken: what answers is no HTTP/1.1");
    CHECK(response("HTTP/1.1 200 OK\nContent-Length: 0\n\n") == "broken: a line that does not end with CRLF");
    CHECK(response("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "broken: both Transfer-Encoding and Content-Length");
    CHECK(response("HTTP/1.1 101 Switching Protocols\r\n\r\n") ==
          "broken: a switch of protocols that was not asked for");
}

TEST_CASE("endless heads and interim responses are bounded") {
    CHECK(told({"HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'a')}, http::method::get, false) ==
          "broken: the response's head is too large");
    std::string interim;
    for (int i = 0; i < 20; ++i)
        interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
    CHECK(told({interim}, http::method::get, false) == "broken: too many interim responses");
}

TEST_CASE("a connection is used again, and not after bytes that nobody asked for") {
    client_connection c;
    for (int i = 0; i < 3; ++i) {
        CHECK(c.reusable());
        c.expect_response(http::method::get);
        c.feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        CHECK(std::holds_alternative<http::response_head>(c.next()));
        CHECK(std::holds_alternative<client_connection::body>(c.next()));
        CHECK(std::holds_alternative<client_connection::response_end>(c.next()));
    }
    c.feed("HTTP/1.1 200");
    CHECK_FALSE(c.reusable());
}

TEST_CASE("another protocol is taken only where it was asked for") {
    CHECK(response("HTTP/1.1 101 Switching Protocols\r\n\r\nrest") ==
          "broken: a switch of protocols that was not asked for");
    for (const bool bytewise : {false, true}) {
        client_connection c;
        c.expect_switch();
        const std::string bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n";
        if (bytewise)
            for (const char b : bytes) {
                CHECK(std::holds_alternative<client_connection::need_data>(c.next()));
                c.feed({&b, 1});
            }
        else
            c.feed(bytes + "rest");
        const auto e = c.next();
        REQUIRE(std::holds_alternative<http::response_head>(e));
        CHECK(std::get<http::response_head>(e).status == 101);
        CHECK(c.take_rest() == (bytewise ? "" : "rest"));
        CHECK_FALSE(c.reusable());
    }
    client_connection c;
    c.expect_switch();
    c.feed("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n");
    const auto refused = c.next();
    REQUIRE(std::holds_alternative<http::response_head>(refused));
    CHECK(std::holds_alternative<client_connection::response_end>(c.next()));
    CHECK(c.reusable());
}
