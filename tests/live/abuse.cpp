// Functions that attack: each is contained, and while it rages another function answers and the server serves. Nothing
// here runs outside a sandbox.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "attacks.hpp"
#include "box.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

box::options tight() {
    box::options o;
    o.each.cpu = 1s;
    o.each.wall = 20s;
    return o;
}

/// How long other functions and the server took to answer during one attack.
struct answers {
    std::vector<double> milliseconds;

    double median() {
        REQUIRE_FALSE(milliseconds.empty());
        std::sort(milliseconds.begin(), milliseconds.end());
        return milliseconds[milliseconds.size() / 2];
    }
    double worst() const { return *std::max_element(milliseconds.begin(), milliseconds.end()); }
};

/// Another caller: it has a function echo, and asks the server for a run that cannot be, all the while.
asio::awaitable<void> bystand(const test::box_under_test& b, answers*& now) {
    auto c = co_await test::connect(b);
    auto asking = co_await test::connect(b);
    const auto token = (co_await c.store("echo", "def f():\n    while True: api.send(api.recv())\n")).value();
    const auto id = (co_await c.execute("f()", token)).value();
    (co_await c.open(id)).value();
    net::condition never{co_await asio::this_coro::executor};
    for (;;) {
        const auto begin = clock::now();
        (co_await c.input(id, "x")).value();
        co_await test::read_output(c);
        const auto refused = co_await asking.execute("f()", uuid4::generate());
        REQUIRE(refused.error().code == client::errc::unknown_token);
        now->milliseconds.push_back(std::chrono::duration<double, std::milli>(clock::now() - begin).count());
        co_await never.wait(clock::now() + 10ms);
    }
}

}  // namespace

TEST_CASE("P2, P7, W6, W7: what attacks is contained, while others are answered as fast as before") {
    answers calm;
    std::vector<answers> during(std::size(test::attacks));
    auto* now = &calm;
    test::run(
        [&](asio::any_io_executor executor) -> asio::awaitable<void> {
            const auto limits = tight();
            auto b = (co_await test::make_box(limits)).value();
            const auto attack_all = [&]() -> asio::awaitable<void> {
                net::condition pause{executor};
                co_await pause.wait(clock::now() + 2s);
                for (std::size_t i = 0; i < std::size(test::attacks); ++i) {
                    now = &during[i];
                    const auto& a = test::attacks[i];
                    const auto code = test::function_of(a);
                    const auto told = co_await test::call(*b, code, "f()");
                    INFO(a.name);
                    CHECK(told == a.told);
                    // Some are over before the bystander has asked once.
                    while (during[i].milliseconds.empty())
                        co_await pause.wait(clock::now() + 10ms);
                }
            };
            co_await (attack_all() || bystand(*b, now));
        },
        300s);
    fmt::print("{:22} {:>8} {:>10} {:>9}\n{:22} {:>8} {:>10.2f} {:>9.2f}\n", "attack", "answers", "median ms",
               "worst ms", "none", calm.milliseconds.size(), calm.median(), calm.worst());
    for (std::size_t i = 0; i < std::size(test::attacks); ++i) {
        auto& d = during[i];
        fmt::print("{:22} {:>8} {:>10.2f} {:>9.2f}\n", test::attacks[i].name, d.milliseconds.size(), d.median(),
                   d.worst());
        INFO(test::attacks[i].name);
        // As fast as before but for the noise of a busy machine: a server that was held up would take seconds.
        CHECK(d.median() < 10 * calm.median() + 50);
        CHECK(d.worst() < 2000);
    }
}

TEST_CASE("W6: the memory of all processes together is limited by a control group, or the box says degraded") {
    const std::string code =
        "import os, time\ndef f():\n    for i in range(8):\n        if os.fork() == 0:\n"
        "            x = b'x' * (100 << 20)\n            time.sleep(5)\n            os._exit(0)\n"
        "    died = sum(1 for i in range(8) if os.wait()[1] != 0)\n    api.send('some died' if died else 'all "
        "lived')\n";
    bool degraded = false;
    const auto told = test::run(
        [&](asio::any_io_executor) -> asio::awaitable<std::string> {
            auto b = (co_await test::make_box()).value();
            for (const auto& sentence : b->server.degraded())
                degraded |= sentence.find("memory") != std::string::npos;
            if (degraded) co_return std::string{};
            co_return co_await test::call(*b, code, "f()");
        },
        60s);
    if (!degraded) CHECK((told == "[some died]dead" || told == "{the function used more memory than it may}dead"));
    box::options without;
    without.control_groups = false;
    test::run([&](asio::any_io_executor) -> asio::awaitable<void> {
        auto b = (co_await test::make_box(without)).value();
        CHECK(b->server.degraded().size() == 2);
    });
}
