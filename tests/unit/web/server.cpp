#include <bento/net/condition.hpp>
#include <bento/web/http_client.hpp>
#include <bento/web/server.hpp>

#include "run.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

time_point soon() { return clock::now() + 5s; }

std::vector<web::route> routes() {
    std::vector<web::route> out;
    out.push_back({http::method::get, "/", [](web::exchange& to) { return to.content(200, "text/plain", "page"); }});
    out.push_back(
        {http::method::get, "/below/*", [](web::exchange& to) { return to.content(200, "text/plain", to.rest()); }});
    const auto echo = [](web::exchange& to) -> task<void> {
        const auto body = std::move(to.body());
        to.begin(200, "text/plain");
        if (auto sent = co_await to.send(body); !sent) co_return sent.error();
        co_return co_await to.finish();
    };
    out.push_back({http::method::post, "/echo", echo, 10, true});
    const auto breaks = [](web::exchange& to) -> task<void> {
        const auto begins = to.rest() == "within";
        if (begins) {
            to.begin(200, "text/plain", 5);
            if (auto sent = co_await to.send("hi"); !sent) co_return sent.error();
        }
        to.abort();
        co_return result<void>{};
    };
    out.push_back({http::method::get, "/breaks/*", breaks});
    return out;
}

/// A server on loopback and a client of it.
struct pair {
    explicit pair(const asio::any_io_executor& executor) {
        auto on = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
        at = on.where();
        server.serve(std::move(on));
    }
    web::http_client client() const {
        web::road r;
        r.host = "test";
        r.direct = at;
        return web::http_client{std::move(r)};
    }
    endpoint at;
    web::server server{{}, routes()};
};

/// `status body`.
asio::awaitable<std::string> ask(web::http_client& c, http::method m, std::string path, std::string type,
                                 std::string body) {
    std::vector<http::field> fields;
    if (!type.empty()) fields.push_back({"Content-Type", type});
    auto answer = (co_await c.request(m, std::move(path), fields, std::move(body), soon())).value();
    co_return std::to_string(answer.head.status) + " " + answer.body;
}

}  // namespace

TEST_CASE("requests find their routes, over one connection") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        pair p{executor};
        auto c = p.client();
        using http::method;
        const auto page = co_await ask(c, method::get, "/", "", "");
        CHECK(page == "200 page");
        const auto below = co_await ask(c, method::get, "/below/a/b", "", "");
        CHECK(below == "200 a/b");
        const auto echo = co_await ask(c, method::post, "/echo", "application/json", "0123456789");
        CHECK(echo == "200 0123456789");
        const auto missing = co_await ask(c, method::get, "/nothing", "", "");
        CHECK(missing.starts_with("404 {\"type\":\"not-found\""));
        const auto wrong_method = co_await ask(c, method::get, "/echo", "", "");
        CHECK(wrong_method.starts_with("405 {\"type\":\"method-not-allowed\""));
        const auto wrong_type = co_await ask(c, method::post, "/echo", "text/plain", "x");
        CHECK(wrong_type.starts_with("415 {\"type\":\"media-type\""));
        const auto after = co_await ask(c, method::get, "/", "", "");
        CHECK(after == "200 page");
        const auto too_large = co_await ask(c, method::post, "/echo", "", "0123456789a");
        CHECK(too_large.starts_with("413 {\"type\":\"malformed-request\""));
    });
}

TEST_CASE("a page has a form for a person and one for a program, the same for everybody") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto on = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
        web::road r;
        r.host = "test";
        r.direct = on.where();
        const http::field html[] = {{"Content-Type", "text/html"}};
        std::vector<web::route> both;
        both.push_back(web::page_route("/", {200, html, "<p>hello"}, R"({"hello":1})"));
        both.push_back(web::data_route("/data", "[2]"));
        web::server server{{}, std::move(both)};
        server.serve(std::move(on));
        web::http_client client{std::move(r)};
        const auto told = [&](std::string path, std::string accept) -> asio::awaitable<std::string> {
            std::vector<http::field> fields;
            if (!accept.empty()) fields.push_back({"Accept", accept});
            auto answer = (co_await client.request(http::method::get, std::move(path), fields, {}, soon())).value();
            std::string type;
            for (const auto& [name, value] : answer.head.fields)
                if (name == "Content-Type") type = value;
            co_return type + " " + answer.body;
        };
        for (const std::string accept : {"", "text/html,*/*", "text/html"}) {
            const auto page = co_await told("/", accept);
            CHECK(page == "text/html <p>hello");
        }
        const auto data = co_await told("/", "application/json");
        CHECK(data == "application/json {\"hello\":1}");
        const auto only_data = co_await told("/data", "text/html");
        CHECK(only_data == "application/json [2]");
    });
}

TEST_CASE("a server that goes before its answer, or within it, is a connection that was closed") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        pair p{executor};
        auto c = p.client();
        const std::vector<http::field> none;
        for (const auto* when : {"before", "within"}) {
            const auto answer = co_await c.request(http::method::get, std::string{"/breaks/"} + when, none, "", soon());
            CHECK(answer.error().code == net::errc::closed);
        }
        const auto next = co_await ask(c, http::method::get, "/", "", "");
        CHECK(next == "200 page");
    });
}

TEST_CASE("changed routes hold from the next request on, of open connections too") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        pair p{executor};
        auto c = p.client();
        const auto before = co_await ask(c, http::method::get, "/", "", "");
        CHECK(before == "200 page");
        p.server.change_routes({});
        const auto afterwards = co_await ask(c, http::method::get, "/", "", "");
        CHECK(afterwards.starts_with("404 "));
    });
}

TEST_CASE("a client that goes away cancels what waits for it") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        pair p{executor};
        net::condition gone{executor};
        struct tell {
            net::condition& to;
            ~tell() { to.notify_all(); }
        };
        const auto wait = [&](web::exchange&) -> task<void> {
            const tell when_left{gone};
            net::condition never{executor};
            co_await never.wait();
            co_return result<void>{};
        };
        std::vector<web::route> only{{http::method::get, "/wait", wait}};
        p.server.change_routes(std::move(only));
        auto client = (co_await net::stream::connect(p.at, soon())).value();
        (co_await client.write("GET /wait HTTP/1.1\r\nHost: test\r\n\r\n")).value();
        client.shutdown_send();
        const bool told = co_await gone.wait(soon());
        CHECK(told);
    });
}

TEST_CASE("bodies that are more than all together may have are 503, and their room is given back") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto on = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
        const auto at = on.where();
        web::server::options o;
        o.bodies = 12;
        web::server server{o, routes()};
        server.serve(std::move(on));
        web::road r;
        r.host = "test";
        r.direct = at;
        {
            // One that has sent 8 of its 10 bytes, and goes on holding them.
            auto slow = (co_await net::stream::connect(at, soon())).value();
            (co_await slow.write("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234567")).value();
            web::http_client c{r};
            auto refused = co_await ask(c, http::method::post, "/echo", "", "01234");
            for (int i = 0; i < 100 && refused == "200 01234"; ++i)  // until the slow one's have been read
                refused = co_await ask(c, http::method::post, "/echo", "", "01234");
            CHECK(refused.starts_with("503 {\"type\":\"busy\""));
            web::http_client d{r};
            const auto small = co_await ask(d, http::method::post, "/echo", "", "0123");
            CHECK(small == "200 0123");
        }
        web::http_client c{r};
        auto after = co_await ask(c, http::method::post, "/echo", "", "0123456789");
        for (int i = 0; i < 100 && after != "200 0123456789"; ++i) {
            web::http_client again{r};
            after = co_await ask(again, http::method::post, "/echo", "", "0123456789");
        }
        CHECK(after == "200 0123456789");
    });
}
