// Requests that come again, functions that nobody wants, limits, owners, the operator's own paths.
#include "gateway.hpp"

using namespace bento;
using namespace std::chrono_literals;
using test::hidden_server;
using test::member;
using test::with_server;

namespace {

const std::string request_id = "0e8c3c6b-9d3a-4b57-8f0e-2f4f6f1c9a55";
const std::string owner = "5b9a9e0e-0c11-4d3b-9a7e-6a0f3f5d2c44";

/// Sends a request's first bytes and the end of the stream, or all of them, and reads so many of the answer.
asio::awaitable<void> cut(const hidden_server& s, std::string bytes, std::size_t sent, std::size_t read) {
    auto peer = (co_await net::stream::connect(s.at, test::soon())).value();
    peer.expires_at(test::soon());
    (co_await peer.write(std::string_view{bytes}.substr(0, sent))).value();
    std::array<char, 512> part;
    while (read > 0) {
        const auto n = co_await peer.read_some(std::span{part}.first(std::min(read, part.size())));
        if (!n) break;
        read -= *n;
    }
}

std::string request_of(const std::string& path, const std::string& body) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

gateway::options owned() {
    gateway::options o;
    o.owner_token_of = [](const uuid4&) { return uuid4::parse(owner).value(); };
    return o;
}

}  // namespace

TEST_CASE("request_id: a request whose connection is cut at any byte, and that comes again, runs once") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        std::size_t runs = 0;
        for (const auto* mode : {"first", "all", "stream"}) {
            const auto whole = s.call("ticks(3)", ",'mode':'" + std::string{mode} + "'");
            const auto expected = co_await s.post("/open", whole);
            ++runs;
            const auto identified = [&](const uuid4& id) {
                auto body = whole;
                body.insert(body.size() - 1, ",\"request_id\":\"" + id.str() + "\"");
                return body;
            };
            const auto without_id = [](std::string answer) {
                const auto at = answer.find("\"function_id\":\"");
                return at == std::string::npos ? answer : answer.erase(at + 15, uuid4::text_size);
            };
            const auto size = request_of("/open", identified(uuid4::generate())).size();
            for (std::size_t sent = 0; sent <= size; ++sent) {
                const auto body = identified(uuid4::generate());
                co_await cut(s, request_of("/open", body), sent, 0);
                const auto again = co_await s.post("/open", body);
                CHECK(without_id(again) == without_id(expected));
                CHECK(s.bento.executed == ++runs);
            }
            for (std::size_t read = 0; read <= expected.size() + 100; ++read) {
                const auto body = identified(uuid4::generate());
                co_await cut(s, request_of("/open", body), size, read);
                const auto again = co_await s.post("/open", body);
                CHECK(without_id(again) == without_id(expected));
                CHECK(s.bento.executed == ++runs);
            }
        }
    });
}

TEST_CASE("request_id: the same for another call is refused; one that never ran may be asked for again") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        const auto with_id = ",'request_id':'" + request_id + "'";
        const auto first = co_await s.post("/exec", s.call("hello()", with_id));
        CHECK(first.starts_with("200 "));
        const auto second = co_await s.post("/exec", s.call("hello()", with_id));
        CHECK(second == first);
        const auto other = co_await s.post("/exec", s.call("silent()", with_id));
        CHECK(other.starts_with(R"(409 {"type":"request-differs")"));
        CHECK(s.bento.executed == 1);
        const std::string fresh = "1e8c3c6b-9d3a-4b57-8f0e-2f4f6f1c9a55";
        const auto unknown =
            "{'token':'7e620807-59fd-498d-94f9-1722672411ab','call':'f()','request_id':'" + fresh + "'}";
        for (int i = 0; i < 2; ++i) {
            const auto refused = co_await s.post("/exec", s.json(unknown));
            CHECK(refused.starts_with("404 "));
        }
        const auto good = co_await s.post("/exec", s.call("hello()", ",'request_id':'" + fresh + "'"));
        CHECK(good.starts_with("200 "));
    });
}

TEST_CASE("a function that nobody reads ends after its time; one that is read does not") {
    gateway::options o;
    o.ttl = 300ms;
    with_server(o, [](hidden_server& s) -> asio::awaitable<void> {
        auto reading = s.client();
        (void)(co_await reading.start(http::method::post, "/open", {}, s.call("echo()", ",'mode':'stream'"),
                                      test::soon()))
            .value();
        const auto left = co_await s.post("/exec", s.call("echo()", ",'detach':true"));
        CHECK(s.bento.running() == 2);
        net::condition never{co_await asio::this_coro::executor};
        for (int i = 0; i < 100 && s.bento.running() > 1; ++i)
            co_await never.wait(clock::now() + 50ms);
        CHECK(s.bento.running() == 1);
        const auto id = member(left, "function_id");
        const auto gone = co_await s.post("/open", s.json("{'function_id':'" + id + "'}"));
        CHECK(gone.starts_with("404 "));
    });
}

TEST_CASE("too many functions, and too many of one connection, are 503 and told when to come again") {
    gateway::options o;
    o.functions = 3;
    o.functions_per_connection = 2;
    with_server(o, [](hidden_server& s) -> asio::awaitable<void> {
        auto c = s.client();
        for (int i = 0; i < 2; ++i) {
            const auto started = co_await s.post(c, "/exec", s.call("echo()", ",'detach':true"));
            CHECK(started.starts_with("202 "));
        }
        const auto body = s.call("echo()", ",'detach':true");
        auto refused = (co_await c.post_json("/exec", body, test::soon())).value();
        CHECK(refused.head.status == 503);
        CHECK(refused.head.find("Retry-After") == "5");
        const auto elsewhere = co_await s.post("/exec", body);
        CHECK(elsewhere.starts_with("202 "));
        const auto full = co_await s.post("/exec", body);
        CHECK(full.starts_with(R"(503 {"type":"busy")"));
        const auto closed =
            co_await s.post("/close", s.json("{'function_id':'" + member(elsewhere, "function_id") + "'}"));
        CHECK(closed == "204 ");
        auto again = co_await s.post("/exec", body);
        for (int i = 0; i < 50 && !again.starts_with("202 "); ++i)
            again = co_await s.post("/exec", body);
        CHECK(again.starts_with("202 "));
    });
}

TEST_CASE("functions that are started at a time wait for their turn") {
    gateway::options o;
    o.starting = 1;
    with_server(o, [](hidden_server& s) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        const auto body = s.call("hello()");
        const auto [a, b, c] = co_await (s.post("/open", body) && s.post("/open", body) && s.post("/open", body));
        CHECK(a == "200 hello world");
        CHECK(b == "200 hello world");
        CHECK(c == "200 hello world");
    });
}

TEST_CASE("T26: nobody can re-register or end a registration through the onion") {
    with_server(owned(), [](hidden_server& s) -> asio::awaitable<void> {
        for (const auto* path : {"/reregister", "/unregister"}) {
            const auto refused = co_await s.post(path, "{}");
            CHECK(refused.starts_with("404 "));
        }
        const auto page = co_await s.get("/");
        CHECK(page.find("/reregister") == std::string::npos);
    });
}

TEST_CASE("T14: every path can be taken away; then it is 404 and not listed") {
    using o = gateway::options;
    for (const auto& [path, flag] : {std::pair{"/store", &o::store},
                                     {"/exec", &o::exec},
                                     {"/open", &o::open},
                                     {"/input", &o::input},
                                     {"/close", &o::close},
                                     {"/delete", &o::delete_},
                                     {"/register", &o::register_}}) {
        INFO(path);
        auto all = owned();
        all.remove = [](uuid4) -> task<void> { co_return result<void>{}; };
        all.publish = [](uuid4) -> task<std::string> { co_return "{}"; };
        with_server(all, [&, name = std::string{path}, which = flag](hidden_server& s) -> asio::awaitable<void> {
            const auto there = co_await s.post(name, "{}");
            CHECK(there.starts_with("422 "));
            const auto by_get = co_await s.get(name);
            CHECK(by_get.starts_with("405 "));
            auto without = all;
            without.*which = false;
            s.front.configure(s.with(without));
            const auto gone = co_await s.post(name, "{}");
            CHECK(gone.starts_with("404 "));
            const auto page = co_await s.get("/");
            CHECK(page.find("POST " + name + "<") == std::string::npos);
            CHECK(page.find("GET /policy<") != std::string::npos);
        });
    }
}

TEST_CASE("T12: delete and register are the owner's alone") {
    auto o = owned();
    std::vector<std::string> done;
    o.remove = [&](uuid4 token) -> task<void> {
        done.push_back("remove " + token.str());
        co_return result<void>{};
    };
    o.publish = [&](uuid4 token) -> task<std::string> {
        done.push_back("publish " + token.str());
        if (done.size() > 2) co_return error{net::errc::unreachable, "a secret place"};
        co_return "{\"token\":\"" + token.str() + "\"}";
    };
    with_server(o, [&](hidden_server& s) -> asio::awaitable<void> {
        const auto stored = co_await s.post("/store", s.json("{'name':'n','code':'c'}"));
        CHECK(stored == s.json("200 {'token':'T','owner_token':'" + owner + "'}"));
        const auto stranger = s.json("{'token':'T','owner_token':'" + request_id + "'}");
        const auto owners = s.json("{'token':'T','owner_token':'" + owner + "'}");
        for (const auto* path : {"/delete", "/register"}) {
            const auto refused = co_await s.post(path, stranger);
            CHECK(refused.starts_with(R"(403 {"type":"not-authorised")"));
        }
        CHECK(done.empty());
        const auto registered = co_await s.post("/register", owners);
        CHECK(registered == s.json("200 {'token':'T'}"));
        const auto deleted = co_await s.post("/delete", owners);
        CHECK(deleted == "204 ");
        CHECK(done == std::vector<std::string>{"publish " + s.bento.token().str(), "remove " + s.bento.token().str()});
        const auto failed = co_await s.post("/register", owners);
        CHECK(failed.starts_with(R"(502 {"type":"no-directory")"));
        CHECK(failed.find("secret") == std::string::npos);
    });
    // Without what only the host has, these paths do not exist.
    gateway::options ownerless;
    ownerless.remove = o.remove;
    with_server(ownerless, [](hidden_server& s) -> asio::awaitable<void> {
        const auto missing = co_await s.post("/delete", "{}");
        CHECK(missing.starts_with("404 "));
        const auto stored = co_await s.post("/store", s.json("{'name':'n','code':'c'}"));
        CHECK(stored == s.json("200 {'token':'T'}"));
    });
}

TEST_CASE("T39: who may store, and what the host learns of it") {
    gateway::options o;
    o.store_who = gateway::options::storers::credential;
    o.is_credential = [](std::string_view c) { return c == "let me"; };
    std::string told;
    o.stored = [&](const uuid4& token, const std::string& name, const std::string& code) {
        told += token.str() + name + code;
    };
    with_server(o, [&](hidden_server& s) -> asio::awaitable<void> {
        const auto anonymous = co_await s.post("/store", s.json("{'name':'n','code':'c'}"));
        CHECK(anonymous.starts_with("403 "));
        const auto wrong = co_await s.post("/store", s.json("{'name':'n','code':'c','credential':'x'}"));
        CHECK(wrong.starts_with("403 "));
        CHECK(told.empty());
        const auto right = co_await s.post("/store", s.json("{'name':'n','code':'c','credential':'let me'}"));
        CHECK(right.starts_with("200 "));
        CHECK(told == s.bento.token().str() + "nc");
        auto closed = s.with(o);
        closed.store_who = gateway::options::storers::operator_;
        s.front.configure(closed);
        const auto refused = co_await s.post("/store", s.json("{'name':'n','code':'c','credential':'let me'}"));
        CHECK(refused.starts_with("403 "));
    });
}

TEST_CASE("T20: code that is not what the client expects does not run") {
    const std::string hash(64, 'a');
    gateway::options o;
    o.code_sha256_of = [&](const uuid4&) { return std::optional{hash}; };
    with_server(o, [&](hidden_server& s) -> asio::awaitable<void> {
        const auto other = co_await s.post("/open", s.call("hello()", ",'code_sha256':'" + std::string(64, 'b') + "'"));
        CHECK(other.starts_with(R"(409 {"type":"code-mismatch")"));
        CHECK(s.bento.executed == 0);
        const auto same = co_await s.post("/open", s.call("hello()", ",'code_sha256':'" + std::string(64, 'A') + "'"));
        CHECK(same == "200 hello world");
        const auto malformed = co_await s.post("/open", s.call("hello()", ",'code_sha256':'abc'"));
        CHECK(malformed.starts_with("422 "));
    });
}

TEST_CASE("an external server that cannot end a function: the answer says so") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        hidden_server s{executor};
        gateway::options o;
        o.server = s.bento.at();
        s.front.configure(o);
        const auto started = co_await s.post("/exec", s.call("echo()", ",'detach':true"));
        const auto body = s.json("{'function_id':'" + member(started, "function_id") + "'}");
        const auto refused = co_await s.post("/close", body);
        CHECK(refused.starts_with(R"(501 {"type":"cannot-end")"));
        CHECK(s.bento.running() == 1);
        const auto kept = co_await s.post("/delete", s.json("{'token':'T','owner_token':'" + owner + "'}"));
        CHECK(kept.starts_with(R"(501 {"type":"cannot-delete")"));
        const auto untold =
            co_await s.post("/open", s.call("hello()", ",'code_sha256':'" + std::string(64, 'b') + "'"));
        CHECK(untold.starts_with(R"(501 {"type":"cannot-tell")"));
        const auto page = co_await s.get("/");
        CHECK(page.find("/close") == std::string::npos);
        CHECK(page.find("/delete") == std::string::npos);
        CHECK(page.find("sandbox") == std::string::npos);
        const auto policy = co_await s.get("/policy");
        CHECK(member(policy, "box") == "null");
        // A path of the operator's reads no longer than its answer.
        o.routes = {gateway::custom_route{"/tracker", s.bento.token(), "every(10)", {}, {}, 2}};
        s.front.configure(o);
        const auto gathered = co_await s.get("/tracker");
        CHECK(member(gathered, "outputs") == R"(["tick 1","tick 2"])");
        for (int i = 0; i < 100 && s.bento.running() > 1; ++i)
            (void)co_await s.get("/policy");
        CHECK(s.bento.running() == 1);
    });
}

TEST_CASE("a server that drops what nobody has read when a function ends is read ahead of the clients") {
    for (const bool ahead : {true, false}) {
        gateway::options o;
        o.reads_ahead = ahead;
        with_server(o, [&](hidden_server& s) -> asio::awaitable<void> {
            const auto started = co_await s.post("/exec", s.call("big(9000000)", ",'detach':true"));
            net::condition never{co_await asio::this_coro::executor};
            for (int i = 0; i < 40 && s.bento.running() > 0; ++i)
                co_await never.wait(clock::now() + 50ms);
            CHECK(s.bento.running() == (ahead ? 0 : 1));
            const auto id = "'function_id':'" + member(started, "function_id") + "'";
            const auto all = co_await s.post("/open", s.json("{" + id + ",'mode':'all'}"));
            CHECK(all.size() > 9'000'000);
            CHECK(all.ends_with("\"done\"],\"ended\":true}"));
        });
    }
}

TEST_CASE("T13: a path of the operator's gathers what a function sends, the website tracker of 3.2.4") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        hidden_server s{executor};
        gateway::options o;
        gateway::custom_route tracker{"/tracker", s.bento.token(), "every(10)", {}, 0.3, {}};
        gateway::custom_route counted{"/counted", s.bento.token(), "ticks(9)", {}, {}, 3};
        o.routes = {tracker, counted};
        s.front.configure(s.with(o));
        const auto gathered = co_await s.post("/tracker", "");
        REQUIRE(gathered.starts_with("200 "));
        const auto outputs = boost::json::parse(member(gathered, "outputs")).as_array();
        CHECK(outputs.size() >= 4);
        CHECK(outputs.at(3) == "tick 4");
        // It can be visited, and its function ends with the answer.
        const auto visited = co_await s.get("/counted");
        CHECK(member(visited, "outputs") == R"(["tick 1","tick 2","tick 3"])");
        for (int i = 0; i < 100 && s.bento.running() > 0; ++i)
            (void)co_await s.get("/policy");
        CHECK(s.bento.running() == 0);
        const auto page = co_await s.get("/");
        CHECK(page.find("GET /tracker<") != std::string::npos);
    });
}

TEST_CASE("/policy and the page for programs") {
    gateway::options o;
    o.policy = "\"memory\":1";
    with_server(o, [](hidden_server& s) -> asio::awaitable<void> {
        const auto policy = co_await s.get("/policy");
        CHECK(policy == s.json("200 {'store':'anyone','calls':'literal','max_body':1048576,'deadline_seconds':300,"
                               "'ttl_seconds':3600,'functions':1024,'box':{'memory':1}}"));
    });
}
