#include <bento/http/server_connection.hpp>

#include "test.hpp"

using namespace bento;
using http::server_connection;

namespace {

/// Feeds the pieces to a connection that answers every request with its target, and tells all that is seen.
std::string told(const std::vector<std::string_view>& pieces, std::uint64_t limit = 100, bool eof = false) {
    server_connection c;
    std::string out;
    std::string target;
    std::string body;
    const auto drain = [&] {
        for (;;) {
            const auto e = c.next();
            if (std::holds_alternative<server_connection::need_data>(e)) return true;
            if (const auto* r = std::get_if<server_connection::request>(&e)) {
                target = std::string{r->head->method_text} + " " + std::string{r->head->path};
                if (!r->head->query.empty()) target += "?" + std::string{r->head->query};
                body.clear();
                c.limit_body(limit);
            } else if (const auto* b = std::get_if<server_connection::body>(&e)) {
                body += b->data;
            } else if (std::holds_alternative<server_connection::request_end>(e)) {
                out += target + (body.empty() ? "" : " <" + body + ">") + "\n";
                c.respond(200, {}, "ok");
            } else if (const auto* refused = std::get_if<server_connection::refused>(&e)) {
                out += std::to_string(refused->status) + " " + std::string{refused->why};
                c.respond(refused->status, {}, "");
            } else {
                out += "closed";
                return false;
            }
            if (c.must_close()) return false;
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

/// The same, however the bytes arrive.
std::string requests(std::string_view bytes, std::uint64_t limit = 100, bool eof = false) {
    const auto expected = told({bytes}, limit, eof);
    if (bytes.size() < 3000)
        for (std::size_t cut = 1; cut < bytes.size(); ++cut)
            CHECK(told({bytes.substr(0, cut), bytes.substr(cut)}, limit, eof) == expected);
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        single.push_back(bytes.substr(i, 1));
    CHECK(told(single, limit, eof) == expected);
    return expected;
}

std::string get(std::string_view fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n"; }
std::string post(std::string_view rest) { return "POST /p HTTP/1.1\r\nHost: a\r\n" + std::string{rest}; }

/// What one request is answered with.
std::string answer(std::string_view request, auto&& respond) {
    server_connection c;
    c.feed(request);
    for (;;) {
        const auto e = c.next();
        if (std::holds_alternative<server_connection::request_end>(e)) break;
        REQUIRE_FALSE(std::holds_alternative<server_connection::need_data>(e));
    }
    respond(c);
    return std::string{c.output()} + (c.must_close() ? "|close" : "|keep");
}

}  // namespace

TEST_CASE("requests one after the other, with and without a body") {
    CHECK(requests("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n") == "GET /a?b=c\n");
    CHECK(requests(post("Content-Length: 3\r\n\r\nabc") + get("")) == "POST /p <abc>\nGET /\n");
    CHECK(requests(post("Content-Length: 0\r\n\r\n") + get("")) == "POST /p\nGET /\n");
    CHECK(
        requests(post("Transfer-Encoding: Chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nT: v\r\n\r\n") +
                 get("")) == "POST /p <abc0123456789>\nGET /\n");
    CHECK(requests("\r\n\r\n" + get("")) == "GET /\n");
    CHECK(requests("\r\n\r\n\r\n\r\n\r\n" + get("")) == "400 too many empty lines");
}

TEST_CASE("a thousand pipelined requests are answered in order") {
    std::string bytes, expected;
    for (int i = 0; i < 1000; ++i) {
        bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
        expected += "GET /" + std::to_string(i) + "\n";
    }
    CHECK(told({bytes}) == expected);
}

TEST_CASE("lines end with CRLF") {
    CHECK(requests("GET / HTTP/1.1\nHost: a\n\n") == "400 a line that does not end with CRLF");
    CHECK(requests("GET / HTTP/1.1\r\nHost: a\n\r\n") == "400 a line that does not end with CRLF");
    CHECK(requests("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n") == "400 a malformed field");
    CHECK(requests(std::string{"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 35}) == "400 a malformed field");
}

TEST_CASE("the request line") {
    for (const auto* line : {"GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET /\tHTTP/1.1", "GET /", "GET",
                             "G(T / HTTP/1.1", "GET / http/1.1", "GET / HTTP/1.10", "GET a HTTP/1.1", "GET * HTTP/1.1",
                             "GET /\x80 HTTP/1.1", "GET /a#b HTTP/1.1", "GET ftp://a/ HTTP/1.1"}) {
        INFO(line);
        CHECK(requests(std::string{line} + "\r\nHost: a\r\n\r\n").starts_with("400 "));
    }
    CHECK(requests("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == "505 only HTTP/1.1 is spoken here");
    CHECK(requests("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n") == "501 this method is not known here");
    CHECK(requests("GET http://b/c?d HTTP/1.1\r\nHost: a\r\n\r\n") == "GET /c?d\n");
    CHECK(requests("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n") == "GET /\n");
    CHECK(requests("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") == "OPTIONS *\n");
}

TEST_CASE("fields") {
    CHECK(requests(get("X : y\r\n")) == "400 a malformed field");
    CHECK(requests(get("X: y\r\n folded\r\n")) == "400 a malformed field");
    CHECK(requests(get(": y\r\n")) == "400 a malformed field");
    CHECK(requests(get("no colon\r\n")) == "400 a malformed field");
    CHECK(requests(get("X:\t y \t\r\n")) == "GET /\n");
    CHECK(requests("GET / HTTP/1.1\r\n\r\n") == "400 exactly one Host is needed");
    CHECK(requests(get("Host: b\r\n")) == "400 exactly one Host is needed");
    for (const auto* host :
         {"a/b", "", "a b", "a@b", "a,b", "a:b", "a:", "a:123456", ":80", "[::1", "[]", "[a]b", "a%00"}) {
        INFO(host);
        const auto expected = std::string_view{host} == "a:" ? "GET /\n" : "400 a malformed Host";
        CHECK(requests("GET / HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n") == expected);
    }
    for (const auto* host : {"a-b.onion", "a:80", "[::1]", "[::1]:80", "127.0.0.1:65535"})
        CHECK(requests("GET / HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n") == "GET /\n");
    CHECK(requests(" X: y\r\n" + get("")).starts_with("400 "));
    CHECK(requests("GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n") == "400 a malformed field");
    CHECK(requests(get("X\x80: y\r\n")) == "400 a malformed field");
    CHECK(requests(get("X: \x80\xff\r\n")) == "GET /\n");
    CHECK(requests(get("X: \x7f\r\n")) == "400 a malformed field");
    CHECK(requests("GET / HTTP/1.0\r\n\r\n") == "GET /\n");
    CHECK(requests(get("Expect: x\r\n")) == "417 no expectation but 100-continue is met");
}

TEST_CASE("a body has one length") {
    CHECK(requests(post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")) ==
          "400 both Transfer-Encoding and Content-Length");
    CHECK(requests(post("Content-Length: 1\r\nContent-Length: 1\r\n\r\n")) == "400 more than one Content-Length");
    CHECK(requests(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")) ==
          "400 more than one Transfer-Encoding");
    CHECK(requests(post("Transfer-Encoding: gzip\r\n\r\n")).starts_with("501 "));
    CHECK(requests(post("Transfer-Encoding: chunked, gzip\r\n\r\n")) == "400 a malformed Transfer-Encoding");
    CHECK(requests("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "400 Transfer-Encoding is not of HTTP/1.0");
    for (const auto* length : {"+1", "-1", "1_0", "0x1", "1, 1", "", "1 ", "99999999999999999999"}) {
        INFO(length);
        const auto got = requests(post("Content-Length: " + std::string{length} + "\r\n\r\nx"));
        CHECK(got == (std::string_view{length} == "1 " ? "POST /p <x>\n" : "400 a malformed Content-Length"));
    }
    CHECK(requests(post("Content-Length: 0000000000000000000000001\r\n\r\nx")) == "POST /p <x>\n");
}

TEST_CASE("chunks are exact") {
    for (const auto* chunks : {"0x3\r\nabc\r\n", "+3\r\nabc\r\n", " 3\r\nabc\r\n", "3 \r\nabc\r\n", "\r\nabc\r\n",
                               "3\nabc\r\n", "3\r\nabcX\r\n", "3\r\nabc\n", "g\r\n", "00000000000000003\r\nabc\r\n",
                               "3;\x01\r\nabc\r\n", "0\r\nbad trailer\r\n", "0\r\nX : y\r\n"}) {
        INFO(chunks);
        CHECK(requests(post("Transfer-Encoding: chunked\r\n\r\n" + std::string{chunks})) == "400 a malformed chunk");
    }
    CHECK(requests(post("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n")) == "413 the body is too large");
    CHECK(requests(post("Transfer-Encoding: chunked\r\n\r\n1;" + std::string(17000, 'x') + "\r\na\r\n")) ==
          "400 a malformed chunk");
}

TEST_CASE("limits") {
    CHECK(requests("GET /" + std::string(8170, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("GET /aaa"));
    CHECK(requests("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n") ==
          "414 the request line is too long");
    CHECK(requests("GET /" + std::string(9000, 'a')) == "414 the request line is too long");
    CHECK(requests(get("X: " + std::string(16384, 'a') + "\r\n")) == "431 the head is too large");
    std::string many;
    for (int i = 0; i < 99; ++i)
        many += "X: y\r\n";
    CHECK(requests(get(many)) == "GET /\n");
    CHECK(requests(get(many + "X: y\r\n")) == "431 too many fields");
    CHECK(requests(post("Content-Length: 101\r\n\r\n")) == "413 the body is too large");
    CHECK(requests(post("Content-Length: 100\r\n\r\n" + std::string(100, 'b'))) ==
          "POST /p <" + std::string(100, 'b') + ">\n");
    CHECK(requests(post("Transfer-Encoding: chunked\r\n\r\n40\r\n" + std::string(64, 'b') + "\r\n25\r\n")) ==
          "413 the body is too large");
}

TEST_CASE("a client that goes away is told from one that has finished") {
    CHECK(requests(post("Content-Length: 3\r\n\r\nab"), 100, true) == "closed");
    CHECK(requests("GET / HT", 100, true) == "closed");
    server_connection c;
    c.feed(get(""));
    c.feed_eof();
    CHECK(std::holds_alternative<server_connection::request>(c.next()));
    CHECK(std::holds_alternative<server_connection::request_end>(c.next()));
    c.respond(200, {}, "still answered");
    CHECK(c.must_close());
    CHECK_FALSE(c.wants_lingering());
}

TEST_CASE("responses: length, chunks, HEAD, no content") {
    const std::vector<http::field> type{{"Content-Type", "text/plain"}};
    CHECK(answer(get(""), [&](auto& c) { c.respond(200, type, "hi"); }) ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi|keep");
    CHECK(answer("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", [&](auto& c) { c.respond(200, {}, "hi"); }) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n|keep");
    CHECK(answer(get(""), [&](auto& c) { c.respond(204, {}, ""); }) == "HTTP/1.1 204 No Content\r\n\r\n|keep");
    const auto pieces = [&](auto& c) {
        c.begin(200, {});
        c.send("hello");
        c.send("");
        c.send(std::string(17, 'x'));
        c.finish();
    };
    CHECK(
        answer(get(""), pieces) ==
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n11\r\nxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n|keep");
    CHECK(answer("GET / HTTP/1.0\r\n\r\n", pieces) ==
          "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhelloxxxxxxxxxxxxxxxxx|close");
    CHECK(answer(get("Connection: foo, Close\r\n"), [&](auto& c) { c.respond(200, {}, ""); }) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n|close");
    CHECK_THROWS_AS(answer(get(""),
                           [](auto& c) {
                               c.respond(200, std::vector<http::field>{{"A", "b\r\nC: d"}}, "");
                           }),
                    std::logic_error);
}

TEST_CASE("a prepared response is sent from where it lies, and as one made for the request would be") {
    const std::vector<http::field> type{{"Content-Type", "text/plain"}};
    const http::prepared_response page{200, type, "hi"};
    for (const auto& request :
         {get(""), get("Connection: close\r\n"), std::string{"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"},
          std::string{"GET / HTTP/1.0\r\n\r\n"}, get("") + get("")}) {
        CAPTURE(request);
        CHECK(answer(request, [&](auto& c) { c.respond(page); }) ==
              answer(request, [&](auto& c) { c.respond(200, type, "hi"); }));
    }
    CHECK_THROWS_AS((http::prepared_response{200, std::vector<http::field>{{"A", "b\r\nC: d"}}, ""}), std::logic_error);

    server_connection c;
    const auto ask = [&] {
        c.feed(get(""));
        CHECK(std::holds_alternative<server_connection::request>(c.next()));
        CHECK(std::holds_alternative<server_connection::request_end>(c.next()));
    };
    ask();
    c.respond(page);
    CHECK(c.output().data() == page.whole()->data());
    // What comes behind it stands behind the rest of it.
    c.consume_output(10);
    ask();
    c.respond(200, type, "second");
    ask();
    c.respond(page);
    CHECK(c.output() == page.whole()->substr(10) +
                            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecond" +
                            *page.whole());
    c.consume_output(c.output().size());
    CHECK(c.output().empty());
    // The bytes outlive who prepared them.
    ask();
    c.respond(http::prepared_response{200, type, "short-lived"});
    CHECK(c.output().ends_with("short-lived"));
}

TEST_CASE("a head that is the last one again is a request like it, and nothing else is") {
    const auto plain = get("Accept: a\r\n");
    CHECK(requests(plain + plain + plain) == "GET /\nGET /\nGET /\n");
    CHECK(requests(plain + get("Accept: b\r\n") + plain) == "GET /\nGET /\nGET /\n");
    CHECK(requests(plain + "\r\n" + plain) == "GET /\nGET /\n");
    CHECK(requests(plain + plain.substr(0, plain.size() - 2) + "A b: c\r\n\r\n") == "GET /\n400 a malformed field");
    // With a body, each has its own.
    const auto with_body = post("Content-Length: 3\r\n\r\n");
    CHECK(requests(with_body + "one" + with_body + "two") == "POST /p <one>\nPOST /p <two>\n");
    const auto chunked = post("Transfer-Encoding: chunked\r\n\r\n");
    CHECK(requests(chunked + "1\r\na\r\n0\r\n\r\n" + chunked + "1\r\nb\r\n0\r\n\r\n") == "POST /p <a>\nPOST /p <b>\n");
    const auto last = get("Connection: close\r\n");
    CHECK(requests(last + last) == "GET /\n");
}

TEST_CASE("a response before the end of the body ends the connection, lingering") {
    server_connection c;
    c.feed(post("Content-Length: 50\r\n\r\nabc"));
    CHECK(std::holds_alternative<server_connection::request>(c.next()));
    c.respond(404, {}, "");
    CHECK(std::string_view{c.output()}.find("Connection: close") != std::string_view::npos);
    CHECK(c.must_close());
    CHECK(c.wants_lingering());
}

TEST_CASE("100-continue is said once the server wants the body, and only where it is waited for") {
    server_connection c;
    c.feed(post("Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    const auto e = c.next();
    REQUIRE(std::holds_alternative<server_connection::request>(e));
    CHECK(std::get<server_connection::request>(e).head->expects_continue);
    c.send_continue();
    CHECK(c.output() == "HTTP/1.1 100 Continue\r\n\r\n");
    c.consume_output(c.output().size());
    c.feed("abc");
    CHECK(std::holds_alternative<server_connection::body>(c.next()));
    c.send_continue();
    CHECK(c.output().empty());
}

TEST_CASE("reading stops while a response is made and enough is waiting") {
    server_connection c;
    c.feed(get(""));
    c.next();
    CHECK(std::holds_alternative<server_connection::request_end>(c.next()));
    CHECK(c.wants_input());
    c.feed(std::string(70'000, 'x'));
    CHECK_FALSE(c.wants_input());
    CHECK(std::holds_alternative<server_connection::need_data>(c.next()));
}

TEST_CASE("another protocol takes the connection over, with the bytes that have come") {
    server_connection c;
    c.feed(get("Upgrade: x\r\nConnection: upgrade\r\n") + "not HTTP");
    CHECK(std::holds_alternative<server_connection::request>(c.next()));
    CHECK(std::holds_alternative<server_connection::request_end>(c.next()));
    c.switch_protocols(std::vector<http::field>{{"Upgrade", "x"}, {"Connection", "Upgrade"}});
    CHECK(c.output() == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
    CHECK(c.take_rest() == "not HTTP");
    CHECK(c.must_close());
    CHECK_FALSE(c.wants_lingering());
}

TEST_CASE("an idle connection is told from one within a request") {
    server_connection c;
    CHECK(c.idle());
    c.feed("G");
    c.next();
    CHECK_FALSE(c.idle());
}
