// A tor that is killed again and again while many ask it: nothing hangs, and every onion comes back.
#include <signal.h>

#include <bento/base/file.hpp>
#include <bento/net/child.hpp>
#include <bento/net/condition.hpp>
#include <bento/tor/onion_services.hpp>
#include <bento/tor/supervisor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

#include "run.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::size_t onion_count = 40;
constexpr std::size_t deaths = 5;
constexpr auto hang = 20s;

asio::awaitable<void> pause(clock::duration d) {
    asio::steady_timer timer{co_await asio::this_coro::executor, d};
    co_await timer.async_wait(asio::use_awaitable);
}

struct load {
    std::size_t answered = 0, failed = 0, wrong = 0;
    clock::duration longest{};
};
/// Asks without end, several things at once; what fails must say why, and soon.
asio::awaitable<void> ask_without_end(const tor::supervisor& of, load& told) {
    for (;;) {
        const auto control = of.current();
        std::vector<control::get_info> many(20);
        for (auto& one : many)
            one.keys = {"config/names"};
        const auto start = clock::now();
        const auto answers = co_await control.execute_all(std::move(many), clock::now() + hang);
        told.longest = std::max(told.longest, clock::now() - start);
        bool lost = false;
        for (const auto& a : answers) {
            lost |= !a;
            ++(a ? told.answered : told.failed);
            if (!a && a.error().code != control::errc::disconnected) ++told.wrong;
        }
        if (lost) co_await pause(5ms);
    }
}

}  // namespace

TEST_CASE("a tor that is killed under load comes back with every onion, and nothing hangs") {
    test::run(
        [](asio::any_io_executor executor) -> asio::awaitable<void> {
            const test::temporary_directory folder;
            const auto path = folder.path().string();
            const auto socket = endpoint::unix_socket(path + "/control");
            write_file(folder.path() / "torrc", "DataDirectory " + path + "/data\nDisableNetwork 1\nSocksPort 0\n" +
                                                    "ControlPort " + socket.str() + "\nCookieAuthentication 1\n")
                .value();
            const auto start_tor = [&] {
                net::child::options o;
                o.program = "tor";
                o.arguments = {"-f", path + "/torrc", "--defaults-torrc", "/dev/null", "--quiet"};
                return net::child::start(executor, o).value();
            };

            tor::onion_services onions{executor};
            std::set<std::string> wanted;
            for (std::size_t i = 0; i < onion_count; ++i) {
                tor::onion_service service{onion::secret_key::generate()};
                service.target = endpoint::tcp("127.0.0.1", 1);
                service.pow = tor::pow_policy::prefer;
                const auto added = co_await onions.add(std::move(service), clock::now() + hang);
                wanted.insert(added.value().service_id());
            }
            const tor::credentials by_cookie;
            net::condition news{executor};
            tor::supervisor::phase phase{};
            tor::supervisor supervisor{
                [&](time_point deadline) { return tor::controller::connect(socket, by_cookie, deadline); },
                onions.preparer(),
                [&](const tor::supervisor::status& s) {
                    phase = s.is;
                    news.notify_all();
                }};
            supervisor.watch(socket.path);

            load told;
            std::size_t rounds = 0;
            const auto until = [&](tor::supervisor::phase wanted_phase) -> asio::awaitable<bool> {
                const auto deadline = clock::now() + hang;
                while (phase != wanted_phase)
                    if (!co_await news.wait(deadline)) co_return false;
                co_return true;
            };
            const auto story = [&]() -> asio::awaitable<void> {
                auto tor = start_tor();
                for (; rounds < deaths; ++rounds) {
                    const bool connected = co_await until(tor::supervisor::phase::connected);
                    REQUIRE(connected);
                    std::vector<std::string> keys{"onions/current"};
                    const auto control = supervisor.current();
                    const auto got = co_await control.info(std::move(keys), clock::now() + hang);
                    std::set<std::string> there;
                    std::string_view left = got.begin()->second.value();
                    while (!left.empty()) {
                        const auto id = left.substr(0, left.find('\n'));
                        there.emplace(id);
                        left.remove_prefix(std::min(id.size() + 1, left.size()));
                    }
                    CHECK(there == wanted);
                    co_await pause(50ms);  // of load
                    tor.signal(SIGKILL);
                    const bool noticed = co_await until(tor::supervisor::phase::waiting);
                    REQUIRE(noticed);
                    for (const auto& id : wanted)
                        CHECK_FALSE(onions.find(onion::address::parse(id).value())->added);
                    tor = start_tor();
                }
            };
            co_await (story() || supervisor.run() || ask_without_end(supervisor, told) ||
                      ask_without_end(supervisor, told) || ask_without_end(supervisor, told));
            CHECK(rounds == deaths);
            CHECK(told.answered > 100);
            CHECK(told.failed > 0);
            CHECK(told.wrong == 0);
            CHECK(told.longest < hang / 2);
        },
        180s);
}
