#include "gateway.hpp"

using namespace bento;
using namespace std::chrono_literals;
using test::hidden_server;
using test::member;
using test::with_server;

TEST_CASE("T11: the first output is the answer, all of them, or each as it comes") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        auto c = s.client();
        const auto first = co_await s.post(c, "/open", s.call("ticks(3)"));
        CHECK(first == "200 tick 1");
        const auto all = co_await s.post(c, "/open", s.call("ticks(3)", ",'mode':'all'"));
        CHECK(all.ends_with(R"("after":0,"outputs":["tick 1","tick 2","tick 3"],"ended":true})"));
        const auto two = co_await s.post(c, "/open", s.call("ticks(3)", ",'mode':'all','messages':2"));
        CHECK(two.ends_with(R"("outputs":["tick 1","tick 2"],"ended":false})"));
        const auto timed = co_await s.post(c, "/open", s.call("every(20)", ",'mode':'all','seconds':0.1"));
        CHECK(timed.find(R"(["tick 1","tick 2")") != std::string::npos);
        CHECK(timed.ends_with(R"("ended":false})"));
        const auto stream = co_await s.post(c, "/open", s.call("ticks(2)", ",'mode':'stream'"));
        CHECK(stream.ends_with("\n{\"data\":\"tick 1\"}\n{\"data\":\"tick 2\"}\n{\"ended\":true}"));
        const auto binary = co_await s.post(c, "/open", s.call("binary()", ",'mode':'all'"));
        CHECK(binary.find(R"("outputs":[{"data_base64":"/wA="}])") != std::string::npos);
        const auto none = co_await s.post(c, "/open", s.call("silent()"));
        CHECK(none == "204 ");
    });
}

TEST_CASE("T11: a function's own error is told apart from the gateway's") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        const auto all = co_await s.post("/open", s.call("fail()", ",'mode':'all'"));
        CHECK(all.starts_with(R"(500 {"type":"function-error","title":"Internal Server Error","status":500,)"
                              R"("detail":"no luck","function_id":")"));
        const auto stream = co_await s.post("/open", s.call("fail()", ",'mode':'stream'"));
        CHECK(stream.ends_with("{\"data\":\"before\"}\n{\"error\":\"no luck\"}\n{\"ended\":true}"));
        const auto exec = co_await s.post("/exec", s.call("fail()"));
        CHECK(exec.starts_with(R"(500 {"type":"function-error")"));
        const auto unknown =
            co_await s.post("/open", s.json("{'token':'7e620807-59fd-498d-94f9-1722672411ab','call':'f()'}"));
        CHECK(unknown.starts_with(R"(404 {"type":"unknown-token")"));
    });
}

TEST_CASE("T8: the thesis' own bodies") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        const auto open = co_await s.post("/open", s.json("{'0':'T','1':'hello()'}"));
        CHECK(open == "200 hello world");
        const auto store = co_await s.post("/store", s.json("{'0':'n','1':'c'}"));
        CHECK(store == s.json("200 {'token':'T'}"));
        CHECK(s.bento.stored_name == "n");
        CHECK(s.bento.stored_code == "c");
    });
}

TEST_CASE("T10: exec answers when the function has ended, or at its deadline with its id") {
    gateway::options o;
    o.deadline = 100ms;
    with_server(o, [](hidden_server& s) -> asio::awaitable<void> {
        const auto done = co_await s.post("/exec", s.call("ticks(5000)"));
        CHECK(done.starts_with("200 {\"function_id\":\""));
        CHECK(done.ends_with("\"ok\":true}"));
        const auto hangs = co_await s.post("/exec", s.call("echo()"));
        CHECK(hangs.starts_with(R"(504 {"type":"timed-out")"));
        const auto id = member(hangs, "function_id");
        const auto input = co_await s.post("/input", s.json("{'function_id':'" + id + "','data':'still here'}"));
        CHECK(input == "204 ");
        const auto output = co_await s.post("/open", s.json("{'function_id':'" + id + "'}"));
        CHECK(output == "200 still here");
    });
}

TEST_CASE("a run outlives its request: attached again it goes on, nothing lost and nothing twice") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        const auto started = co_await s.post("/exec", s.call("ticks(6)", ",'detach':true"));
        REQUIRE(started.starts_with("202 "));
        const auto id = "'function_id':'" + member(started, "function_id") + "'";
        for (const auto* expected : {"200 tick 1", "200 tick 2"}) {
            const auto next = co_await s.post("/open", s.json("{" + id + "}"));
            CHECK(next == expected);
        }
        const auto two = co_await s.post("/open", s.json("{" + id + ",'mode':'all','messages':2}"));
        CHECK(two.ends_with(R"("after":2,"outputs":["tick 3","tick 4"],"ended":false})"));
        // What was delivered can be had again, as long as there is room.
        const auto again = co_await s.post("/open", s.json("{" + id + ",'after':1,'mode':'all','messages':1}"));
        CHECK(again.ends_with(R"("after":1,"outputs":["tick 2"],"ended":false})"));
        const auto rest = co_await s.post("/open", s.json("{" + id + ",'mode':'stream'}"));
        CHECK(rest.ends_with("\"after\":4}\n{\"data\":\"tick 5\"}\n{\"data\":\"tick 6\"}\n{\"ended\":true}"));
        const auto over = co_await s.post("/open", s.json("{" + id + "}"));
        CHECK(over == "204 ");
        const auto never = co_await s.post("/open", s.json("{" + id + ",'after':7}"));
        CHECK(never.starts_with(R"(410 {"type":"output-gone")"));
        CHECK(s.bento.executed == 1);
    });
}

TEST_CASE("the answer to open names the function, which goes on") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        auto c = s.client();
        auto first = (co_await c.post_json("/open", s.call("every(5)"), test::soon())).value();
        CHECK(first.body == "tick 1");
        const auto id = std::string{first.head.find("Function-Id")};
        const auto next = co_await s.post("/open", s.json("{'function_id':'" + id + "'}"));
        CHECK(next == "200 tick 2");
        const auto closed = co_await s.post("/close", s.json("{'function_id':'" + id + "'}"));
        CHECK(closed == "204 ");
        const auto after = co_await s.post("/open", s.json("{'function_id':'" + id + "'}"));
        CHECK(after.starts_with(R"(404 {"type":"unknown-function")"));
        for (int i = 0; i < 100 && s.bento.running() > 0; ++i)
            (void)co_await s.get("/policy");
        CHECK(s.bento.running() == 0);
    });
}

TEST_CASE("inputs arrive in order, as text or as bytes, from any connection") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        const auto started = co_await s.post("/exec", s.call("echo()", ",'detach':true"));
        const auto id = "'function_id':'" + member(started, "function_id") + "'";
        for (int i = 0; i < 20; ++i) {
            const auto sent = co_await s.post("/input", s.json("{" + id + ",'data':'" + std::to_string(i) + "'}"));
            CHECK(sent == "204 ");
        }
        const auto bytes = co_await s.post("/input", s.json("{" + id + ",'data_base64':'/w=='}"));
        CHECK(bytes == "204 ");
        const auto stop = co_await s.post("/input", s.json("{" + id + ",'data':'stop'}"));
        CHECK(stop == "204 ");
        const auto all = co_await s.post("/open", s.json("{" + id + ",'mode':'all'}"));
        std::string expected;
        for (int i = 0; i < 20; ++i)
            expected += "\"" + std::to_string(i) + "\",";
        CHECK(all.ends_with("\"outputs\":[" + expected + R"({"data_base64":"/w=="}],"ended":true})"));
        const auto late = co_await s.post("/input", s.json("{" + id + ",'data':'x'}"));
        CHECK(late.starts_with(R"(409 {"type":"not-reading")"));
        const auto both = co_await s.post("/input", s.json("{" + id + ",'data':'x','data_base64':''}"));
        CHECK(both.starts_with("422 "));
    });
}

TEST_CASE("a new reader takes a function over from one whose connection may be dead") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        auto first = s.client();
        auto head =
            (co_await first.start(http::method::post, "/open", {}, s.call("echo()", ",'mode':'stream'"), test::soon()))
                .value();
        CHECK(head.status == 200);
        const std::string line{(co_await first.next()).value()};
        const auto id = "'function_id':'" + member(line, "function_id") + "'";
        auto second = s.client();
        auto taken = (co_await second.start(http::method::post, "/open", {}, s.json("{" + id + ",'mode':'stream'}"),
                                            test::soon()))
                         .value();
        CHECK(taken.status == 200);
        const std::string told{(co_await first.next()).value()};
        CHECK(told.find("error") != std::string::npos);
        (void)co_await s.post("/input", s.json("{" + id + ",'data':'here'}"));
        std::string got{(co_await second.next()).value()};
        while (got.find("here") == std::string::npos)
            got += (co_await second.next()).value();
        CHECK(got.ends_with("{\"data\":\"here\"}\n"));
    });
}

TEST_CASE("a large output streams through, and a slow reader stops the function, not the gateway") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        const auto first = co_await s.post("/open", s.call("big(5000000)"));
        CHECK(first.size() == 4 + 5'000'000);
        const auto stream = co_await s.post("/open", s.call("big(3000001)", ",'mode':'stream'"));
        CHECK(stream.ends_with("xx4eA==\"}\n{\"data\":\"done\"}\n{\"ended\":true}") ==
              false);  // 3000001 = 3 * 1000000 + 1
        CHECK(stream.ends_with("eA==\"}\n{\"data\":\"done\"}\n{\"ended\":true}"));
        const auto too_large = co_await s.post("/open", s.call("big(20000000)", ",'mode':'all'"));
        CHECK(too_large.starts_with(R"(500 {"type":"output-too-large")"));
        const auto id = "'function_id':'" + member(too_large, "function_id") + "'";
        const auto from_start = co_await s.post("/open", s.json("{" + id + ",'after':0}"));
        CHECK(from_start.size() == 4 + 20'000'000);
        // It was read past, being larger than what is kept; then only "after" helps.
        const auto gone = co_await s.post("/open", s.json("{" + id + ",'after':0}"));
        CHECK(gone.starts_with("410 "));
        const auto next = co_await s.post("/open", s.json("{" + id + "}"));
        CHECK(next == "200 done");
    });
}

TEST_CASE("a call goes over the connection of one that has ended, unless that has gone or waited for long") {
    gateway::options o;
    o.server_idle = 200ms;
    with_server(o, [&](hidden_server& s) -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        for (const auto* what : {"hello()", "fail()", "silent()", "hello()"})
            (void)co_await s.post("/open", s.call(what));
        CHECK(s.bento.accepted == 1);
        const auto other_token = uuid4::generate().str();
        const auto unknown = co_await s.post("/open", s.json("{'token':'" + other_token + "','call':'hello()'}"));
        CHECK(unknown.starts_with("404 "));
        const auto after = co_await s.post("/open", s.call("hello()"));
        CHECK(after == "200 hello world");
        CHECK(s.bento.accepted == 1);

        // While it is in use another is made, and then there are two.
        const auto first = co_await s.post("/exec", s.call("echo()", ",'detach':true"));
        for (int i = 0; i < 2; ++i)
            (void)co_await s.post("/open", s.call("hello()"));
        CHECK(s.bento.accepted == 2);
        // An input may still be on its way when its function ends: that connection is not used again.
        const auto id = "{'function_id':'" + member(first, "function_id") + "'";
        (void)co_await s.post("/input", s.json(id + ",'data':'stop'}"));
        const auto ended = co_await s.post("/open", s.json(id + ",'mode':'all'}"));
        CHECK(ended.ends_with("\"ended\":true}"));
        (void)co_await s.post("/exec", s.call("echo()", ",'detach':true"));
        CHECK(s.bento.accepted == 2);
        const auto third = co_await s.post("/open", s.call("hello()"));
        CHECK(third == "200 hello world");
        CHECK(s.bento.accepted == 3);

        net::condition never{executor};
        co_await never.wait(clock::now() + o.server_idle + 10ms);
        (void)co_await s.post("/open", s.call("hello()"));
        CHECK(s.bento.accepted == 4);

        // Another server, and one that has gone and come back.
        const auto at = endpoint::unix_socket((s.folder.path() / "other").string());
        std::optional<test::bento_server> other;
        other.emplace(executor, at);
        const auto large = co_await s.post("/exec", s.call("big(3000000)", ",'detach':true"));
        gateway::options there;
        there.server = at;
        s.front.configure(there);
        // It has waited to be read, and ends at the server that was.
        const auto all =
            co_await s.post("/open", s.json("{'function_id':'" + member(large, "function_id") + "','mode':'stream'}"));
        CHECK(all.ends_with("{\"ended\":true}"));
        for (int i = 0; i < 2; ++i) {
            const auto token = other->token().str();
            const auto moved = co_await s.post("/open", s.json("{'token':'" + token + "','call':'hello()'}"));
            CHECK(moved == "200 hello world");
            CHECK(other->accepted == 1);
            other.reset();
            other.emplace(executor, at);
        }
    });
}
