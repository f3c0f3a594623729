#include <bento/net/child.hpp>
#include <bento/tor/mock.hpp>
#include <bento/tor/supervisor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>

#include "run.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

/// The other end of a control connection, played by the test.
struct scripted_tor {
    net::stream peer;
    std::string rest;

    asio::awaitable<std::string> line() {
        for (;;) {
            if (const auto end = rest.find("\r\n"); end != std::string::npos) {
                auto out = rest.substr(0, end);
                rest.erase(0, end + 2);
                co_return out;
            }
            std::array<char, 1024> buffer;
            const auto n = (co_await peer.read_some(buffer)).value();
            rest.append(buffer.data(), n);
        }
    }
    asio::awaitable<void> say(std::string text) { (co_await peer.write(text)).value(); }
    /// Expects a command and answers it.
    asio::awaitable<void> answer(std::string command, std::string with) {
        const auto got = co_await line();
        CHECK(got.substr(0, command.size()) == command);
        co_await say(with);
    }
};

struct pair {
    tor::controller ours;
    scripted_tor tor;
};

pair connect(const asio::any_io_executor& executor) {
    auto [a, b] = net::make_socket_pair();
    const auto stream = [&](net::unique_fd fd) {
        return net::stream{net::stream::socket_type{executor, asio::local::stream_protocol{}, fd.release()}};
    };
    pair out;
    out.ours = tor::controller::attach(stream(std::move(a)));
    out.tor.peer = stream(std::move(b));
    return out;
}

time_point soon() { return clock::now() + 5s; }

control::get_info version() {
    control::get_info g;
    g.keys.emplace_back("version");
    return g;
}

asio::awaitable<boost::system::error_code> fails(tor::controller c, time_point deadline) {
    const auto got = co_await c.execute(version(), deadline);
    co_return got ? boost::system::error_code{} : got.error().code;
}

}  // namespace

TEST_CASE("a command gets its reply, an event its subscriber, whatever order they come in") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto p = connect(executor);
        std::vector<std::string> names{"BW"};
        auto subscribed = co_await (p.ours.subscribe(names, soon()) && p.tor.answer("SETEVENTS BW", "250 OK\r\n"));
        REQUIRE(subscribed);
        auto got = co_await (p.ours.execute(version(), soon()) &&
                             p.tor.answer("GETINFO version", "650 BW 1 2\r\n250-version=9\r\n250 OK\r\n"));
        REQUIRE(got);
        CHECK(got->at("version") == "9");
        const auto event = co_await subscribed->next(soon());
        REQUIRE(event);
        CHECK(std::get<control::bandwidth>(std::get<control::event>(*event)).written == 2);
    });
}

TEST_CASE("when tor goes, everything that waits fails at once, and so does what comes later") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto p = connect(executor);
        std::vector<std::string> names{"BW"};
        auto events = co_await (p.ours.subscribe(names, soon()) && p.tor.answer("SETEVENTS", "250 OK\r\n"));
        const auto before = clock::now();
        const auto go = [](scripted_tor& t) -> asio::awaitable<void> {
            co_await t.line();
            t.peer.close();
        };
        asio::co_spawn(executor, go(p.tor), asio::detached);
        const auto [a, b] = co_await (fails(p.ours, soon()) && fails(p.ours, soon()));
        CHECK(a == control::errc::disconnected);
        CHECK(b == control::errc::disconnected);
        CHECK(clock::now() - before < 1s);
        const auto later = co_await fails(p.ours, soon());
        CHECK(later == control::errc::disconnected);
        const auto event = co_await events->next();
        CHECK(event.error().code == control::errc::disconnected);
        CHECK_FALSE(p.ours.connected());
    });
}

TEST_CASE("a deadline fails one command; its late answer is not taken for the next one's") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto p = connect(executor);
        const auto late = co_await fails(p.ours, clock::now() + 30ms);
        CHECK(late == control::errc::timed_out);
        auto got = co_await (p.ours.execute(version(), soon()) &&
                             p.tor.answer("GETINFO", "250-version=late\r\n250 OK\r\n250-version=mine\r\n250 OK\r\n"));
        REQUIRE(got);
        CHECK(got->at("version") == "mine");
    });
}

TEST_CASE("events that nobody takes are dropped, told as a gap, and hold up no command") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto p = connect(executor);
        std::vector<std::string> names{"BW"};
        auto events = co_await (p.ours.subscribe(names, soon()) && p.tor.answer("SETEVENTS", "250 OK\r\n"));
        std::string flood;
        for (std::size_t i = 0; i < control::limits().events + 7; ++i)
            flood += "650 BW 1 1\r\n";
        auto got = co_await (p.ours.execute(version(), soon()) &&
                             p.tor.answer("GETINFO", flood + "250-version=9\r\n250 OK\r\n"));
        REQUIRE(got);
        for (std::size_t i = 0; i < control::limits().events; ++i) {
            const auto event = co_await events->next(soon());
            REQUIRE(std::holds_alternative<control::event>(*event));
        }
        const auto last = co_await events->next(soon());
        CHECK(std::get<tor::gap>(*last).dropped == 7);
    });
}

TEST_CASE("the limits of a connection are its user's: how many events wait, and how many bytes of them") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        control::limits limits;
        limits.line = 100;
        limits.event_bytes = 1000;
        auto control = tor::controller::attach(tor.connect(), limits);
        std::vector<std::string> names{"NOTICE"};
        auto events = (co_await control.subscribe(std::move(names), soon())).value();
        const auto block = [](std::size_t size, char of) {
            std::string lines;
            for (std::size_t i = 0; i < size / 50; ++i)
                lines += std::string(49, of) + "\r\n";
            return "650+NOTICE \r\n" + lines + ".\r\n650 OK\r\n";
        };
        // One alone may be larger than all; then there is no room, until what was dropped was told.
        tor.say(block(5000, 'a') + block(50, 'b') + block(50, 'c'));
        const auto text_of = [](const tor::notice& n) {
            return std::get<control::log_message>(std::get<control::event>(n)).text;
        };
        const auto first = co_await events.next(soon());
        CHECK(text_of(first.value()).size() == 5000);
        const auto second = co_await events.next(soon());
        CHECK(std::get<tor::gap>(second.value()).dropped == 2);
        tor.say(block(50, 'd') + block(900, 'e') + block(100, 'f'));
        for (const char of : {'d', 'e'}) {
            const auto next = co_await events.next(soon());
            CHECK(text_of(next.value()).front() == of);
        }
        const auto third = co_await events.next(soon());
        CHECK(std::get<tor::gap>(third.value()).dropped == 1);
        tor.say("650 NOTICE " + std::string(200, 'x') + "\r\n");
        const auto why = co_await control.closed();
        CHECK(why.code == control::errc::line_too_long);
    });
}

TEST_CASE("commands of one batch are sent together, and each is answered or fails for itself") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        auto ours = tor::controller::attach(tor.connect());
        tor.on("GETINFO n/", [](std::string_view command) {
            const std::string key{command.substr(8)};
            return "250-" + key + "=" + key.substr(2) + "\n250 OK";
        });
        // More than the session admits at a time.
        std::vector<control::get_info> many;
        for (int i = 0; i < 10'000; ++i)
            many.push_back({{"n/" + std::to_string(i)}});
        many[7].keys = {"a b"};
        many[8].keys = {"unknown"};
        const auto answers = co_await ours.execute_all(std::move(many), soon());
        REQUIRE(answers.size() == 10'000);
        for (std::size_t i = 0; i < answers.size(); ++i)
            if (i != 7 && i != 8) REQUIRE(answers[i]->begin()->second == std::to_string(i));
        CHECK(answers[7].error().code == control::errc::invalid_argument);
        CHECK(answers[8].error().code == control::errc::unrecognized);

        std::vector<std::string> keys{"version", "unknown", "n/1"};
        const auto info = co_await ours.info(std::move(keys), soon());
        CHECK(info.at("version").value() == "0.4.9.11");
        CHECK(info.at("unknown").error().code == control::errc::unrecognized);
        CHECK(info.at("n/1").value() == "1");
        const auto none = co_await ours.info({}, soon());
        CHECK(none.empty());
    });
}

TEST_CASE("a batch that is cancelled or late leaves the order of the answers right") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto p = connect(executor);
        const auto batch = [&](time_point deadline) -> asio::awaitable<std::size_t> {
            std::vector<control::get_info> three(3, version());
            const auto answers = co_await p.ours.execute_all(std::move(three), deadline);
            std::size_t late = 0;
            for (const auto& a : answers)
                late += !a && a.error().code == control::errc::timed_out ? 1U : 0U;
            co_return late;
        };
        const auto late = co_await batch(clock::now() + 30ms);
        CHECK(late == 3);
        asio::steady_timer timer{executor, 30ms};
        co_await (batch(soon()) || timer.async_wait(asio::use_awaitable));
        std::string swallowed;
        for (int i = 0; i < 6; ++i)
            swallowed += "250-version=late\r\n250 OK\r\n";
        auto got = co_await (p.ours.execute(version(), soon()) &&
                             p.tor.answer("GETINFO", swallowed + "250-version=mine\r\n250 OK\r\n"));
        REQUIRE(got);
        CHECK(got->at("version") == "mine");
    });
}

TEST_CASE("the supervisor connects again, prepares again, and tells each step") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        std::vector<scripted_tor> tors;
        int prepared = 0;
        std::string told;
        tor::supervisor s{[&](time_point) -> task<tor::controller> {
                              auto p = connect(executor);
                              tors.push_back(std::move(p.tor));
                              co_return p.ours;
                          },
                          [&](tor::controller) -> task<void> {
                              ++prepared;
                              co_return result<void>{};
                          },
                          [&](const tor::supervisor::status& st) {
                              told += st.is == tor::supervisor::phase::connecting  ? "connecting "
                                      : st.is == tor::supervisor::phase::preparing ? "preparing "
                                      : st.is == tor::supervisor::phase::connected ? "connected "
                                                                                   : "waiting ";
                              if (st.is == tor::supervisor::phase::connected && tors.size() < 3)
                                  tors.back().peer.close();
                          }};
        const auto enough = [](std::vector<scripted_tor>& all) -> asio::awaitable<void> {
            asio::steady_timer poll{co_await asio::this_coro::executor};
            while (all.size() < 3) {
                poll.expires_after(5ms);
                co_await poll.async_wait(asio::use_awaitable);
            }
        };
        co_await (s.run() || enough(tors));
        CHECK(prepared >= 2);
        CHECK(told.starts_with(
            "connecting preparing connected waiting connecting preparing connected waiting connecting"));
    });
}

TEST_CASE("the supervisor tries at once when the file that it watches appears") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        test::temporary_directory folder;
        tor::mock_tor tor{executor};
        const auto socket = folder.path() / "control";
        std::string told;
        tor::supervisor s{[&](time_point deadline) {
                              return tor::controller::connect(endpoint::unix_socket(socket.string()), {}, deadline);
                          },
                          [](tor::controller) -> task<void> { co_return result<void>{}; },
                          [&](const tor::supervisor::status& st) {
                              // Only after some failures: the pause is longer than the test waits.
                              if (st.is == tor::supervisor::phase::waiting && st.failures == 4)
                                  tor.listen(endpoint::unix_socket(socket.string())).value();
                          }};
        s.watch(socket);
        const auto connected = [&]() -> asio::awaitable<void> { (co_await tor.hear("AUTHENTICATE", soon())).value(); };
        const auto began = clock::now();
        co_await (s.run() || connected());
        // 0.25 to 0.5 s, 0.5 to 1 s and 1 to 2 s, then the watch; the fourth pause alone is 2 to 4 s.
        CHECK(clock::now() - began < 3'500ms + 2 * tor::supervisor::watch_interval);
    });
}

TEST_CASE("the backoff doubles from half a second to half a minute, by a random half") {
    tor::backoff b;
    CHECK(b.next(0) == 250ms);
    CHECK(b.next(0xffffffff) == 999ms);
    CHECK(b.next(0) == 1000ms);
    for (int i = 0; i < 20; ++i)
        b.next(0);
    CHECK(b.next(0) == 15s);
    CHECK(b.next(0xffffffff) < 30s);
    b.reset();
    CHECK(b.next(0) == 250ms);
}
