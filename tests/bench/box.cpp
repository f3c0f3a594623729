// Calls of functions in their sandboxes beside a bare python3 a call, which is what the public reference server starts;
// and what other callers notice of functions that attack.
#include <bento/box/jail.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <csignal>
#include <iostream>
#include <numeric>

#include "attacks.hpp"
#include "bench.hpp"
#include "bystander.hpp"

namespace bento {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

constexpr int calls = 40, messages = 2000;
/// A function and its caller are given this long between two calls, in which the pool of warm sandboxes is filled.
constexpr auto between = 120ms;

double seconds_since(time_point begin) { return std::chrono::duration<double>(clock::now() - begin).count(); }

constexpr auto hello = "def f():\n    api.send('hello')\n";

/// From the call to its first output, the function being stored already.
asio::awaitable<double> first_output(const test::box_under_test& b, const uuid4& token) {
    auto c = co_await test::connect(b);
    const auto begin = clock::now();
    const auto id = (co_await c.execute("f()", token)).value();
    (co_await c.open(id)).value();
    co_await test::read_output(c);
    co_return seconds_since(begin);
}

asio::awaitable<double> bare_python() {
    net::child::options o;
    o.program = BENTO_BENCH_PYTHON;
    o.arguments = {"-c",
                   "import base64, json, select, struct, sys; c = {}; exec(compile(sys.argv[1], '', 'exec'), c); "
                   "print(eval(sys.argv[2], c), flush=True)",
                   "def f():\n    return 'hello'\n", "f()"};
    const auto begin = clock::now();
    (co_await net::run_program(std::move(o), {}, begin + 30s)).value();
    co_return seconds_since(begin);
}

asio::awaitable<void> measure_calls(asio::any_io_executor executor) {
    net::condition pause{executor};
    for (const std::size_t warm : {std::size_t{4}, std::size_t{0}}) {
        box::options o;
        o.warm = warm;
        auto b = (co_await test::make_box(o)).value();
        auto c = co_await test::connect(*b);
        const auto token = (co_await c.store("f", hello)).value();
        std::vector<double> ours, peer;
        for (int i = 0; i < calls; ++i) {
            co_await pause.wait(clock::now() + between);
            ours.push_back(co_await first_output(*b, token));
            peer.push_back(co_await bare_python());
        }
        const std::string kind = warm > 0 ? "box: a call's first output, warm" : "box: a call's first output, cold";
        bench::row r{kind, bench::median(ours), "s", bench::median(peer), "bare python3"};
        if (warm > 0) r.target = bench::ratio{5};
        bench::report(r);
    }
}

asio::awaitable<void> measure_messages() {
    auto b = (co_await test::make_box()).value();
    auto c = co_await test::connect(*b);
    const auto token = (co_await c.store("f", "def f():\n    while True: api.send(api.recv())\n")).value();
    const auto id = (co_await c.execute("f()", token)).value();
    (co_await c.open(id)).value();
    const auto begin = clock::now();
    for (int i = 0; i < messages; ++i) {
        (co_await c.input(id, "x")).value();
        co_await test::read_output(c);
    }
    bench::report({"box: a message there and back", seconds_since(begin) / messages, "s"});
}

/// Calm and attack in turn, so that what disturbs the machine disturbs both.
asio::awaitable<void> measure_attacks(asio::any_io_executor executor) {
    box::options o;
    o.each.cpu = 1s;
    auto b = (co_await test::make_box(o)).value();
    net::condition pause{executor};
    std::vector<double> calm, all, during;
    auto* now = &calm;
    double worst = 0;
    std::string worst_name;
    const auto attack_all = [&]() -> asio::awaitable<void> {
        for (const auto& a : test::attacks) {
            now = &calm;
            co_await pause.wait(clock::now() + 300ms);
            during.clear();
            now = &during;
            const auto code = test::function_of(a);
            co_await test::call(*b, code, "f()");
            all.insert(all.end(), during.begin(), during.end());
            // A median of a few says nothing: those attacks are over at once.
            if (during.size() < 20) continue;
            const auto median = bench::median(during);
            if (median <= worst) continue;
            worst = median;
            worst_name = a.name;
        }
    };
    bool over = false;
    const auto until_over = [&]() -> asio::awaitable<void> {
        co_await attack_all();
        over = true;
    };
    // Of two, one that throws does not end the other; one that returns does.
    const auto go_on = [&]() -> asio::awaitable<void> {
        try {
            co_await test::bystand(*b, now);
        } catch (const std::exception& e) {
            if (!over) std::cerr << "bench box: the bystander: " << e.what() << '\n';
        }
    };
    co_await (until_over() || go_on());
    if (!over) throw std::runtime_error{"the attacks were not measured to their end"};
    const auto before = bench::median(calm);
    bench::report(
        {"box: another caller's answers, all attacks", bench::median(all), "s", before, "before", bench::ratio{0.5}});
    bench::report({"box: another caller's answers, " + worst_name, worst, "s", before, "before", bench::limit{0.02}});
}

}  // namespace
}  // namespace bento

int main(int argc, char** argv) {
    using namespace bento;
    if (argc > 1 && std::string_view{argv[1]} == box::jail_argument) return box::jail_main(argc, argv);
    std::signal(SIGPIPE, SIG_IGN);
    try {
        test::run([](asio::any_io_executor e) { return measure_calls(e); }, 120s);
        test::run([](asio::any_io_executor) { return measure_messages(); }, 60s);
        test::run([](asio::any_io_executor e) { return measure_attacks(e); }, 300s);
    } catch (const std::exception& e) {
        std::cerr << "bench box: " << e.what() << '\n';
        return 1;
    }
    return 0;
}
