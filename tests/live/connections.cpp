// What many, idle, slow, rude and greedy connections cost: nothing that others notice.
#include <sys/resource.h>
#include <time.h>

#include <fstream>

#include "box.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

std::size_t open_descriptors() {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator{"/proc/self/fd"})
        ++n;
    return n;
}

/// The most memory that this process has had since forget_peak(), KiB.
std::size_t peak_kib() {
    std::ifstream file{"/proc/self/status"};
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
    return 0;
}
void forget_peak() { std::ofstream{"/proc/self/clear_refs"} << "5"; }

std::chrono::nanoseconds processor_time() {
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

/// The frame of a request or an input, written as it is.
std::string frame(char type, const std::string& body) {
    const auto n = static_cast<std::uint32_t>(body.size());
    std::string out{type, static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
                    static_cast<char>(n)};
    return out + body;
}

/// How long until the server closes it; what it sends is dropped.
asio::awaitable<clock::duration> until_closed(net::stream& s) {
    const auto begin = clock::now();
    std::vector<char> buffer(4096);
    for (;;) {
        const auto n = co_await s.read_some(buffer);
        if (!n) co_return clock::now() - begin;
    }
}

constexpr auto waits = "def f():\n    api.send('on')\n    api.send(api.recv())\n";

}  // namespace

TEST_CASE("W4, W5: a thousand open sessions cost no processor time; beyond 1024 descriptors all goes on") {
    test::run(
        [](asio::any_io_executor executor) -> asio::awaitable<void> {
            auto b = (co_await test::make_box()).value();
            auto first = co_await test::connect(*b);
            const auto token = (co_await first.store("f", waits)).value();
            const auto id = (co_await first.execute("f()", token)).value();
            (co_await first.open(id)).value();
            co_await test::read_output(first);
            std::vector<client::bento_connection> others;
            for (int i = 0; i < 1000; ++i) {
                others.push_back(co_await test::connect(*b));
                (co_await others.back().open(id)).value();
            }
            CHECK(open_descriptors() > 1024);
            net::condition pause{executor};
            co_await pause.wait(clock::now() + 1s);
            const auto before = processor_time();
            co_await pause.wait(clock::now() + 2s);
            const auto used = processor_time() - before;
            CHECK(used < 200ms);  // of two seconds; the reference needs a whole processor for one session

            const auto told = co_await test::call(*b, "def g():\n    return 'x'\n", "g()");
            CHECK(told == "[x]dead");
            (co_await first.input(id, "end")).value();
            const auto rest = co_await test::read_all(first);
            CHECK(rest == "[end]dead");
            for (auto& c : others) {
                const auto end = co_await test::read_all(c);
                REQUIRE(end == "dead");
            }
        },
        100s);
}

TEST_CASE("W4: where no descriptor is left a call is refused in words, and the next one runs") {
    rlimit usual{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
    test::run(
        [&](asio::any_io_executor) -> asio::awaitable<void> {
            box::options o;
            o.warm = 0;
            auto b = (co_await test::make_box(o)).value();
            auto c = co_await test::connect(*b);
            const auto token = (co_await c.store("f", waits)).value();
            rlimit raised{};
            ::getrlimit(RLIMIT_NOFILE, &raised);
            // Fewer and fewer descriptors, so that each step of a start once finds none left.
            int refusals = 0;
            for (rlim_t most = 40; most >= 8; --most) {
                const rlimit tight{most, raised.rlim_max};
                ::setrlimit(RLIMIT_NOFILE, &tight);
                const auto started = co_await c.execute("f()", token);
                ::setrlimit(RLIMIT_NOFILE, &raised);
                if (started) {
                    CHECK(b->server.kill(*started));
                    continue;
                }
                ++refusals;
                CHECK(started.error().code == client::errc::refused);
                CHECK_FALSE(started.error().peer.empty());
            }
            CHECK(refusals > 5);
            const auto told = co_await test::run_stored(*b, token, "f()", "in");
            CHECK(told == "[on][in]dead");
        },
        60s);
    ::setrlimit(RLIMIT_NOFILE, &usual);
}

TEST_CASE("W7: who stalls within a frame, asks for nothing, or takes nothing is closed; who waits is not") {
    test::run(
        [](asio::any_io_executor executor) -> asio::awaitable<void> {
            box::options o;
            o.patience = {.write = 500ms, .frame = 500ms, .idle = 500ms};
            auto b = (co_await test::make_box(o)).value();
            auto waiting = co_await test::connect(*b);
            const auto token = (co_await waiting.store("f", waits)).value();
            const auto id = (co_await waiting.execute("f()", token)).value();
            (co_await waiting.open(id)).value();
            co_await test::read_output(waiting);

            auto idle = co_await test::connect(*b);
            const auto after_idle = co_await until_closed(idle.stream());
            CHECK(after_idle > 400ms);
            CHECK(after_idle < 5s);

            auto slow = co_await test::connect(*b);
            net::condition pause{executor};
            const auto begin = clock::now();
            for (const char byte : frame(0, std::string(100, 'x'))) {
                if (!co_await slow.stream().write(std::string(1, byte))) break;
                co_await pause.wait(clock::now() + 50ms);
            }
            CHECK(clock::now() - begin < 5s);

            // It asks for 200 MB and reads none of it.
            auto greedy = co_await test::connect(*b);
            const std::string flood = "def f():\n    while True: api.send(b'x' * 1_000_000)\n";
            const auto flood_token = (co_await greedy.store("flood", flood)).value();
            const auto flood_id = (co_await greedy.execute("f()", flood_token)).value();
            (co_await greedy.open(flood_id)).value();
            const auto is_open = [&] {
                for (const auto& r : b->server.runs())
                    if (r.id == flood_id) return r.open;
                return false;
            };
            const auto limit = clock::now() + 10s;
            do {
                co_await pause.wait(clock::now() + 100ms);
            } while (is_open() && clock::now() < limit);
            CHECK_FALSE(is_open());
            CHECK(b->server.kill(flood_id));

            co_await pause.wait(clock::now() + 1s);
            (co_await waiting.input(id, "still here")).value();
            const auto rest = co_await test::read_all(waiting);
            CHECK(rest == "[still here]dead");
        },
        60s);
}

TEST_CASE("W15: closed and opened again while outputs wait, it resumes exactly: nothing lost, nothing twice") {
    test::run(
        [](asio::any_io_executor executor) -> asio::awaitable<void> {
            using w = wire::client;
            net::condition pause{executor};
            auto b = (co_await test::make_box()).value();
            auto c = co_await test::connect(*b);
            // Three times what may wait unread, so that the function itself waits most of the time.
            const std::string code = "def f():\n    for i in range(3000): api.send('%04d' % i * 250)\n";
            const auto token = (co_await c.store("f", code)).value();
            const auto id = (co_await c.execute("f()", token)).value();
            (co_await c.open(id)).value();
            int expected = 0, closes = 0;
            std::string got;
            for (bool dead = false; !dead;) {
                auto event = (co_await c.next()).value();
                if (const auto* data = std::get_if<w::output_data>(&event)) got += data->data;
                dead = std::holds_alternative<w::function_dead>(event);
                if (!std::holds_alternative<w::output_end>(event)) continue;
                REQUIRE(got.size() == 1000);
                REQUIRE(std::stoi(got.substr(0, 4)) == expected);
                got.clear();
                if (++expected % 137 == 0 && expected < 2900) {
                    // Without a reader the outputs pile up, in the socket and then in the server.
                    co_await pause.wait(clock::now() + 50ms);
                    (co_await c.close(id)).value();
                    (co_await c.open(id)).value();
                    ++closes;
                }
            }
            CHECK(expected == 3000);
            CHECK(closes == 21);
        },
        60s);
}

TEST_CASE("W20: a message of 100 MB costs the server less than 16 MB") {
    test::run(
        [](asio::any_io_executor) -> asio::awaitable<void> {
            auto b = (co_await test::make_box()).value();
            auto c = co_await test::connect(*b);
            const auto token =
                (co_await c.store("f", "def f():\n    api.send(b'x' * 100_000_000)\n    api.recv()\n")).value();
            const auto id = (co_await c.execute("f()", token)).value();
            forget_peak();
            const auto before = peak_kib();
            (co_await c.open(id)).value();
            std::size_t got = 0;
            for (bool whole = false; !whole;) {
                auto event = (co_await c.next()).value();
                if (const auto* data = std::get_if<wire::client::output_data>(&event)) got += data->data.size();
                whole = std::holds_alternative<wire::client::output_end>(event);
            }
            CHECK(got == 100'000'000);
            CHECK((test::sanitized || peak_kib() < before + 16 * 1024));
        },
        60s);
}

TEST_CASE("W14, W20: what nobody reads waits in the function, not in the server") {
    test::run(
        [](asio::any_io_executor executor) -> asio::awaitable<void> {
            auto b = (co_await test::make_box()).value();
            auto c = co_await test::connect(*b);
            const std::string code = "def f():\n    for i in range(200): api.send(b'x' * 262144)\n";
            const auto token = (co_await c.store("f", code)).value();
            forget_peak();
            const auto before = peak_kib();
            const auto id = (co_await c.execute("f()", token)).value();
            net::condition pause{executor};
            co_await pause.wait(clock::now() + 1s);
            REQUIRE(b->server.runs().size() == 1);
            CHECK(b->server.runs()[0].unread < (3 << 20));
            CHECK_FALSE(b->server.runs()[0].ended);
            CHECK((test::sanitized || peak_kib() < before + 16 * 1024));
            (co_await c.open(id)).value();
            const auto told = co_await test::read_all(c);
            CHECK(told.size() == std::size_t{200} * (262144 + 2) + 4);
            CHECK(told.ends_with("]dead"));
        },
        60s);
}
