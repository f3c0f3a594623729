#include <bento/client/functions.hpp>
#include <bento/web/server.hpp>
#include <boost/json.hpp>

#include "run.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t any_size = 1 << 16;

time_point soon() { return clock::now() + 5s; }

/// A gateway that ends each of its connections too early but the last, as a circuit does that breaks down.
struct breaking_gateway {
    breaking_gateway(const asio::any_io_executor& executor, std::vector<std::string> a) : answers{std::move(a)} {
        std::vector<web::route> routes;
        for (const auto* path : {"/open", "/exec", "/store"})
            routes.push_back({http::method::post, path,
                              [this](web::exchange& to) -> task<void> {
                                  asked.push_back(boost::json::parse(to.body()).as_object());
                                  const auto n = std::min(asked.size(), answers.size()) - 1;
                                  if (answers[n].empty()) {
                                      to.abort();
                                      co_return result<void>{};
                                  }
                                  to.begin(200, "application/json");
                                  if (auto said = co_await to.send(answers[n]); !said) co_return said;
                                  if (n + 1 == answers.size()) co_return co_await to.finish();
                                  to.abort();
                                  co_return result<void>{};
                              },
                              any_size, true});
        server.emplace(web::server::options{}, std::move(routes));
        auto on = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
        road.host = "gateway";
        road.direct = on.where();
        server->serve(std::move(on));
    }
    std::vector<std::string> answers;
    std::vector<boost::json::object> asked;
    std::optional<web::server> server;
    web::road road;
};

constexpr auto id = "11111111-1111-4111-8111-111111111111";

}  // namespace

TEST_CASE("a stream whose connection ends goes on by another one, with the message after the last that came") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const auto begun = R"({"function_id":")" + std::string{id} + R"(","after":)";
        std::vector<std::string> answers{"", begun + "0}\n{\"data\":\"one\"}\n{\"da",
                                         begun + "1}\n{\"data\":\"two\"}\n{\"ended\":true}\n"};
        breaking_gateway g{executor, std::move(answers)};
        auto functions = client::through_gateway(g.road);
        std::string got;
        client::output_sink sink;
        sink.data = [&](std::string_view part, bool) { got += part; };
        sink.failed = [](std::string_view text) { FAIL(text); };
        const auto token = uuid4::generate();
        const auto done = co_await functions->open(token, "f()", sink, soon());
        CHECK(done);
        CHECK(got == "onetwo");
        REQUIRE(g.asked.size() == 3);
        // The same run.
        CHECK(g.asked[1].at("request_id") == g.asked[0].at("request_id"));
        CHECK(g.asked[2].at("request_id") == g.asked[0].at("request_id"));
        CHECK_FALSE(g.asked[1].contains("after"));
        CHECK(g.asked[2].at("after") == 1);
    });
}

TEST_CASE("a call whose answer is lost is asked for again, and a store is not") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        breaking_gateway g{executor, {"", "{", "{}"}};
        auto functions = client::through_gateway(g.road);
        const auto stored = co_await functions->store("f", "def f(): pass", soon());
        CHECK(stored.error().code == net::errc::closed);
        REQUIRE(g.asked.size() == 1);
        const auto token = uuid4::generate();
        const auto ran = co_await functions->exec(token, "f()", soon());
        CHECK(ran);
        REQUIRE(g.asked.size() == 3);
        CHECK(g.asked[2].at("request_id") == g.asked[1].at("request_id"));
    });
}
