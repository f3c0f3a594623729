// Functions that attack: each is contained, and while it rages another function answers and the server serves. Nothing
// here runs outside a sandbox.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "attacks.hpp"
#include "bystander.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

double median(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of.empty() ? 0 : of[of.size() / 2];
}

void print(const char* name, const std::vector<double>& seconds) {
    fmt::print("{:22} {:>8} {:>10.2f} {:>9.2f}\n", name, seconds.size(), 1000 * median(seconds),
               1000 * *std::max_element(seconds.begin(), seconds.end()));
}

}  // namespace

TEST_CASE("P2, P7, W6, W7: what attacks is contained, while others are answered") {
    std::vector<double> calm;
    std::vector<std::vector<double>> during(std::size(test::attacks));
    std::string unanswered;
    test::run(
        [&](asio::any_io_executor executor) -> asio::awaitable<void> {
            box::options o;
            o.each.cpu = 1s;
            auto b = (co_await test::make_box(o)).value();
            auto* now = &calm;
            bool over = false;
            net::condition pause{executor};
            const auto attack_all = [&]() -> asio::awaitable<void> {
                co_await pause.wait(clock::now() + 2s);
                for (std::size_t i = 0; i < std::size(test::attacks); ++i) {
                    now = &during[i];
                    const auto& a = test::attacks[i];
                    const auto code = test::function_of(a);
                    const auto told = co_await test::call(*b, code, "f()");
                    INFO(a.name);
                    CHECK(told == a.told);
                    // Some are over before the bystander has asked once.
                    while (during[i].empty())
                        co_await pause.wait(clock::now() + 10ms);
                }
                over = true;
            };
            // Of two, one that throws does not end the other; one that returns does.
            const auto go_on = [&]() -> asio::awaitable<void> {
                try {
                    co_await test::bystand(*b, now);
                } catch (const std::exception& e) {
                    if (!over) unanswered = e.what();
                }
            };
            co_await (attack_all() || go_on());
        },
        300s);
    REQUIRE(unanswered.empty());
    fmt::print("{:22} {:>8} {:>10} {:>9}\n", "attack", "answers", "median ms", "worst ms");
    print("none", calm);
    for (std::size_t i = 0; i < std::size(test::attacks); ++i) {
        INFO(test::attacks[i].name);
        REQUIRE_FALSE(during[i].empty());
        print(test::attacks[i].name, during[i]);
        // How fast is the benchmark's to say; a server that is held up answers nobody before the attack is over.
        const std::string_view told = test::attacks[i].told;
        if (told.find("more processor time") != std::string_view::npos) CHECK(during[i].size() >= 10);
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
