#include <bento/net/child.hpp>
#include <bento/tor/onion_services.hpp>
#include <bento/tor/supervisor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>

#include "run.hpp"
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
        for (std::size_t i = 0; i < tor::controller::event_capacity + 7; ++i)
            flood += "650 BW 1 1\r\n";
        auto got = co_await (p.ours.execute(version(), soon()) &&
                             p.tor.answer("GETINFO", flood + "250-version=9\r\n250 OK\r\n"));
        REQUIRE(got);
        for (std::size_t i = 0; i < tor::controller::event_capacity; ++i) {
            const auto event = co_await events->next(soon());
            REQUIRE(std::holds_alternative<control::event>(*event));
        }
        const auto last = co_await events->next(soon());
        CHECK(std::get<tor::gap>(*last).dropped == 7);
    });
}

TEST_CASE("an onion is added after SETEVENTS was confirmed, and again on the next connection") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::onion_services services{executor};
        auto key = onion::secret_key::generate();
        const auto address = onion::address::of(key.public_key());
        tor::onion_service service{std::move(key)};
        service.target = endpoint::tcp("127.0.0.1", 4711);
        const auto added = co_await services.add(std::move(service), soon());
        REQUIRE(added);
        CHECK(*added == address);
        const auto play = [](scripted_tor& t, std::string id) -> asio::awaitable<void> {
            co_await t.answer("SETEVENTS HS_DESC", "250 OK\r\n");
            co_await t.answer("ADD_ONION ED25519-V3:", "250-ServiceID=" + id + "\r\n250 OK\r\n");
        };
        for (int connection = 0; connection < 2; ++connection) {
            auto p = connect(executor);
            const auto prepared = co_await (services.prepare(p.ours) && play(p.tor, address.service_id()));
            REQUIRE(prepared);
            CHECK(services.find(address)->added);
            const auto hs_desc =
                "650 HS_DESC UPLOAD " + address.service_id() + " UNKNOWN $" + std::string(40, 'A') + "~x ";
            co_await p.tor.say(hs_desc + "now\r\n" + hs_desc + "next\r\n");
            const auto early =
                co_await services.wait_published(address, tor::publication::wait::first, clock::now() + 30ms);
            CHECK(early.error().code == tor::errc::not_published);
            CHECK(early.error().detail == "0 of 2 uploads confirmed");
            const auto uploaded =
                "650 HS_DESC UPLOADED " + address.service_id() + " UNKNOWN $" + std::string(40, 'A') + "\r\n";
            co_await p.tor.say(uploaded + uploaded);
            const auto published = co_await services.wait_published(address, tor::publication::wait::all, soon());
            REQUIRE(published);
            CHECK(published->confirmed == 2);
            p.tor.peer.close();
            co_await p.ours.closed();
        }
    });
}

TEST_CASE("a service is defended by proof of work where tor knows that, as the policy says") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        using policy = tor::pow_policy;
        for (const auto wanted : {policy::off, policy::prefer, policy::require})
            for (const bool old : {false, true}) {
                tor::onion_services services{executor};
                auto key = onion::secret_key::generate();
                const auto address = onion::address::of(key.public_key());
                tor::onion_service service{std::move(key)};
                service.target = endpoint::tcp("127.0.0.1", 4711);
                service.pow = wanted;
                service.pow_queue.queue_rate = 9;
                service.client_auth.push_back(std::string(52, 'A'));
                (co_await services.add(std::move(service), soon())).value();
                auto p = connect(executor);
                const auto play = [&]() -> asio::awaitable<void> {
                    co_await p.tor.answer("SETEVENTS HS_DESC", "250 OK\r\n");
                    const auto added = "250-ServiceID=" + address.service_id() + "\r\n250 OK\r\n";
                    const std::string tail = " Port=80,127.0.0.1:4711";
                    const std::string defended = " PoWDefensesEnabled=1 PoWQueueRate=9";
                    const std::string client = " ClientAuthV3=" + std::string(52, 'A');
                    const auto first = co_await p.tor.line();
                    CHECK(first.find(" Flags=V3Auth" + tail + (wanted == policy::off ? "" : defended) + client) !=
                          std::string::npos);
                    if (wanted == policy::off || !old) {
                        co_await p.tor.say(added);
                        co_return;
                    }
                    co_await p.tor.say(
                        "512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"PoWDefensesEnabled\"\r\n");
                    if (wanted == policy::require) co_return;
                    const auto second = co_await p.tor.line();
                    CHECK(second.find(tail + client) != std::string::npos);
                    co_await p.tor.say(added);
                };
                const auto prepared = co_await (services.prepare(p.ours) && play());
                if (wanted == policy::require && old) {
                    CHECK(prepared.error().code == control::errc::unrecognized);
                } else {
                    REQUIRE(prepared);
                    CHECK(services.find(address)->defended == (wanted != policy::off && !old));
                }
            }
    });
}

TEST_CASE("a service with authorised clients is never published without them") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::onion_services services{executor};
        tor::onion_service service{onion::secret_key::generate()};
        service.target = endpoint::tcp("127.0.0.1", 4711);
        service.pow = tor::pow_policy::prefer;
        service.client_auth.push_back(std::string(52, 'A'));
        (co_await services.add(std::move(service), soon())).value();
        auto p = connect(executor);
        const auto play = [&]() -> asio::awaitable<void> {
            co_await p.tor.answer("SETEVENTS HS_DESC", "250 OK\r\n");
            co_await p.tor.answer("ADD_ONION",
                                  "512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"ClientAuthV3\"\r\n");
        };
        const auto prepared = co_await (services.prepare(p.ours) && play());
        CHECK(prepared.error().code == control::errc::unrecognized);
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
        CHECK(told.starts_with("connecting connected waiting connecting connected waiting connecting"));
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
