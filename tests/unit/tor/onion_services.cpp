#include <bento/tor/descriptor.hpp>
#include <bento/tor/mock.hpp>
#include <bento/tor/onion_services.hpp>
#include <bento/tor/supervisor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "run.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

time_point soon() { return clock::now() + 10s; }

tor::onion_service make_service(const onion::secret_key& key) {
    tor::onion_service out{key.clone()};
    out.target = endpoint::tcp("127.0.0.1", 4711);
    return out;
}

onion::address address_of(const onion::secret_key& key) { return onion::address::of(key.public_key()); }

/// The commands that begin so.
std::vector<std::string> heard(const tor::mock_tor& tor, std::string_view command) {
    std::vector<std::string> out;
    for (const auto& line : tor.heard())
        if (line.starts_with(command)) out.push_back(line);
    return out;
}

constexpr auto old_tor = "512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"PoWDefensesEnabled\"";

}  // namespace

TEST_CASE("an onion is added after SETEVENTS was confirmed, and again on the next connection") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor::onion_services services{executor};
        const auto key = onion::secret_key::generate();
        const auto address = address_of(key);
        const auto added = co_await services.add(make_service(key), soon());
        REQUIRE(added);
        CHECK(*added == address);
        CHECK_FALSE(services.find(address)->added);
        for (int connection = 0; connection < 2; ++connection) {
            auto control = tor::controller::attach(tor.connect());
            const auto prepared = co_await services.prepare(control);
            REQUIRE(prepared);
            CHECK(services.find(address)->added);
            CHECK(services.find(address)->health == tor::health_state::publishing);
            const auto first = co_await tor.hear("SETEVENTS", soon());
            CHECK(first.value() == "SETEVENTS HS_DESC");
            const auto second = co_await tor.hear("ADD_ONION", soon());
            CHECK(second.value().ends_with(" Port=80,127.0.0.1:4711"));
            const auto early =
                co_await services.wait_published(address, tor::publication::wait::first, clock::now() + 30ms);
            CHECK(early.error().code == tor::errc::not_published);
            CHECK(early.error().detail == "0 of 0 uploads confirmed");
            tor.publish(address, 4);
            const auto published = co_await services.wait_published(address, tor::publication::wait::all, soon());
            REQUIRE(published);
            CHECK(published->confirmed == 8);
            CHECK(services.find(address)->health == tor::health_state::reachable);
            tor.drop();
            co_await control.closed();
        }
    });
}

TEST_CASE("a service is defended by proof of work where tor knows that, as the policy says") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        using policy = tor::pow_policy;
        for (const auto wanted : {policy::off, policy::prefer, policy::require})
            for (const bool old : {false, true}) {
                tor::mock_tor tor{executor};
                if (old) tor.once("ADD_ONION", old_tor);
                tor::onion_services services{executor};
                const auto key = onion::secret_key::generate();
                auto service = make_service(key);
                service.pow = wanted;
                service.pow_queue.queue_rate = 9;
                (co_await services.add(std::move(service), soon())).value();
                auto control = tor::controller::attach(tor.connect());
                const auto prepared = co_await services.prepare(control);
                const auto sent = heard(tor, "ADD_ONION");
                CHECK(sent.at(0).ends_with(wanted == policy::off ? "4711" : " PoWDefensesEnabled=1 PoWQueueRate=9"));
                if (wanted == policy::off) continue;
                CHECK(sent.size() == (old && wanted == policy::prefer ? 2U : 1U));
                if (wanted == policy::require && old) {
                    CHECK(prepared.error().code == control::errc::unrecognized);
                } else {
                    REQUIRE(prepared);
                    CHECK(sent.back().ends_with("4711") == old);
                    CHECK(services.find(address_of(key))->defended == !old);
                }
            }
    });
}

TEST_CASE("a service with authorised clients is never published without them") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor.on("ADD_ONION", "512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"ClientAuthV3\"");
        tor::onion_services services{executor};
        auto service = make_service(onion::secret_key::generate());
        service.pow = tor::pow_policy::prefer;
        service.client_auth.push_back(std::string(52, 'A'));
        (co_await services.add(std::move(service), soon())).value();
        auto control = tor::controller::attach(tor.connect());
        const auto prepared = co_await services.prepare(control);
        CHECK(prepared.error().code == control::errc::unrecognized);
        CHECK(heard(tor, "ADD_ONION").size() == 1);
    });
}

TEST_CASE("what tor has already is not added again") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        auto control = tor::controller::attach(tor.connect());
        const auto key = onion::secret_key::generate();
        const auto id = address_of(key).service_id();

        // A detached one of an earlier run is taken over.
        auto service = make_service(key);
        service.detached = true;
        {
            tor::onion_services before{executor};
            (co_await before.prepare(control)).value();
            (co_await before.add(std::move(service), soon())).value();
        }
        CHECK(heard(tor, "ADD_ONION").size() == 1);
        tor::onion_services services{executor};
        service = make_service(key);
        service.detached = true;
        (co_await services.add(std::move(service), soon())).value();
        (co_await services.prepare(control)).value();
        CHECK(services.find(address_of(key))->added);
        CHECK(services.find(address_of(key))->taken_over);
        CHECK(heard(tor, "ADD_ONION").size() == 1);

        // One that is to go with us is ended first and becomes ours.
        tor::onion_services others{executor};
        (co_await others.add(make_service(key), soon())).value();
        (co_await others.prepare(control)).value();
        CHECK(heard(tor, "DEL_ONION") == std::vector<std::string>{"DEL_ONION " + id});
        CHECK(heard(tor, "ADD_ONION").size() == 2);

        // Prepared once more on the same connection, it stays.
        (co_await others.prepare(control)).value();
        CHECK(heard(tor, "ADD_ONION").size() == 2);
        const auto removed = co_await others.remove(address_of(key), soon());
        CHECK(removed);
        CHECK(heard(tor, "DEL_ONION").size() == 2);
    });
}

TEST_CASE("a collision with a connection that is about to die is waited out, another one told") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor.once("ADD_ONION", "550 Onion address collision");
        tor::onion_services services{executor};
        auto control = tor::controller::attach(tor.connect());
        (co_await services.prepare(control)).value();
        const auto key = onion::secret_key::generate();
        const auto added = co_await services.add(make_service(key), soon());
        CHECK(added);
        CHECK(heard(tor, "ADD_ONION").size() == 2);
        tor.on("ADD_ONION", "550 Onion address collision");
        const auto other = co_await services.add(make_service(onion::secret_key::generate()), clock::now() + 700ms);
        CHECK(other.error().code == control::errc::onion_collision);
        // It is not kept to be added later.
        const auto again = co_await services.add(make_service(key), soon());
        CHECK(again.error().code == control::errc::onion_collision);
    });
}

TEST_CASE("one service that tor does not take leaves the others up, and is tried again") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor.once("ADD_ONION", "551 Failed to add Onion Service");
        tor::onion_services services{executor};
        std::vector<onion::address> addresses;
        for (int i = 0; i < 3; ++i) {
            const auto added = co_await services.add(make_service(onion::secret_key::generate()), soon());
            addresses.push_back(added.value());
        }
        std::sort(addresses.begin(), addresses.end());
        auto control = tor::controller::attach(tor.connect());
        const auto prepared = co_await services.prepare(control);
        REQUIRE(prepared);
        const auto* first = services.find(addresses[0]);
        CHECK_FALSE(first->added);
        CHECK(first->last_error.value().code == control::errc::unavailable);
        CHECK(first->health == tor::health_state::down);
        CHECK(services.find(addresses[1])->added);
        CHECK(services.find(addresses[2])->added);
        const auto late =
            co_await services.wait_published(addresses[0], tor::publication::wait::first, clock::now() + 30ms);
        CHECK(late.error().code == control::errc::unavailable);
        tor::health_policy policy;
        policy.add_again = 20ms;
        const auto until_added = [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 4; ++i) {
                const auto line = co_await tor.hear("ADD_ONION", soon());
                line.value();
            }
            while (!services.find(addresses[0])->added)
                co_await asio::steady_timer{executor, 5ms}.async_wait(asio::use_awaitable);
        };
        co_await (services.keep_healthy(policy) || until_added());
        CHECK_FALSE(services.find(addresses[0])->last_error);
    });
}

TEST_CASE("a connection on which nothing could be added is closed, and the next one tried") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor.once("ADD_ONION", "551 Failed to add Onion Service");
        tor::onion_services services{executor};
        const auto key = onion::secret_key::generate();
        const auto added = co_await services.add(make_service(key), soon());
        REQUIRE(added);
        std::vector<tor::controller> dialled;
        tor::supervisor supervisor{[&](time_point) -> task<tor::controller> {
                                       dialled.push_back(tor::controller::attach(tor.connect()));
                                       co_return dialled.back();
                                   },
                                   services.preparer(), nullptr};
        const auto until_published = [&]() -> asio::awaitable<void> {
            const auto second = co_await tor.hear("ADD_ONION", soon());
            second.value();
            while (dialled.size() < 2 || !services.find(address_of(key))->added)
                co_await asio::steady_timer{executor, 5ms}.async_wait(asio::use_awaitable);
            tor.publish(address_of(key));
            // Over the failed connection it went on waiting.
            const auto published =
                co_await services.wait_published(address_of(key), tor::publication::wait::all, soon());
            CHECK(published);
        };
        co_await (supervisor.run() || until_published());
        CHECK_FALSE(dialled.at(0).connected());
        CHECK(dialled.at(1).connected());
    });
}

TEST_CASE("who waits for a publication is told at once when tor has gone and nobody connects again") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor::onion_services services{executor};
        auto control = tor::controller::attach(tor.connect());
        (co_await services.prepare(control)).value();
        const auto key = onion::secret_key::generate();
        (co_await services.add(make_service(key), soon())).value();
        const auto deadline = clock::now() + 1h;
        const auto end = [&]() -> asio::awaitable<void> {
            tor.drop();
            co_await control.closed();
        };
        const auto published =
            co_await (services.wait_published(address_of(key), tor::publication::wait::all, deadline) && end());
        CHECK(published.error().code == control::errc::disconnected);
    });
}

TEST_CASE("prepared twice on one connection, each event counts once") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        unsigned changes = 0;
        tor::onion_services services{executor, [&](const tor::onion_status&) { ++changes; }};
        auto control = tor::controller::attach(tor.connect());
        const auto key = onion::secret_key::generate();
        (co_await services.add(make_service(key), soon())).value();
        (co_await services.prepare(control)).value();
        (co_await services.prepare(control)).value();
        changes = 0;
        tor.publish(address_of(key), 4);
        (co_await services.wait_published(address_of(key), tor::publication::wait::all, soon())).value();
        CHECK(changes == 16);  // for each of two descriptors four uploads, asked for and done
    });
}

TEST_CASE("a service that nobody can reach is probed, then ended and added again") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor::onion_services services{executor};
        auto control = tor::controller::attach(tor.connect());
        (co_await services.prepare(control)).value();
        const auto key = onion::secret_key::generate();
        (co_await services.add(make_service(key), soon())).value();
        tor.publish(address_of(key));
        (co_await services.wait_published(address_of(key), tor::publication::wait::all, soon())).value();
        tor::health_policy policy;
        policy.probe_every = 20ms;
        policy.failed_probes = 2;
        unsigned probes = 0;
        const auto probe = [&](onion::address, time_point) -> task<void> {
            // Unreachable until it was repaired.
            if (++probes <= 2) co_return tor::errc::no_descriptor;
            co_return result<void>{};
        };
        const auto until_again = [&]() -> asio::awaitable<void> {
            (co_await tor.hear("ADD_ONION", soon())).value();
            (co_await tor.hear("ADD_ONION", soon())).value();
            tor.publish(address_of(key));
            while (probes < 4)
                co_await asio::steady_timer{executor, 5ms}.async_wait(asio::use_awaitable);
        };
        co_await (services.keep_healthy(policy, probe) || until_again());
        CHECK(heard(tor, "DEL_ONION").size() == 1);
        CHECK(services.find(address_of(key))->health == tor::health_state::reachable);
    });
}

TEST_CASE("a service whose descriptor no HSDir takes is ended and added again without any probe") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor::onion_services services{executor};
        auto control = tor::controller::attach(tor.connect());
        (co_await services.prepare(control)).value();
        const auto key = onion::secret_key::generate();
        (co_await services.add(make_service(key), soon())).value();
        tor::health_policy policy;
        policy.first_upload = 50ms;
        const auto until_again = [&]() -> asio::awaitable<void> {
            (co_await tor.hear("DEL_ONION", soon())).value();
            (co_await tor.hear("ADD_ONION", soon())).value();
        };
        co_await (services.keep_healthy(policy) || until_again());
        CHECK(heard(tor, "DEL_ONION").size() == 1);
    });
}

TEST_CASE("a service is added again where the machine has slept, however well it was before") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor::onion_services services{executor};
        auto control = tor::controller::attach(tor.connect());
        (co_await services.prepare(control)).value();
        const auto key = onion::secret_key::generate();
        (co_await services.add(make_service(key), soon())).value();
        static tor::health_policy::duration slept;
        slept = 30min;  // before
        tor::health_policy policy;
        policy.asleep = [] { return slept; };
        const auto until_again = [&]() -> asio::awaitable<void> {
            tor.publish(address_of(key));
            (co_await services.wait_published(address_of(key), tor::publication::wait::all, soon())).value();
            slept += 4min;  // too short
            tor.event("HS_DESC CREATED " + address_of(key).service_id() + " UNKNOWN UNKNOWN id");
            co_await asio::steady_timer{executor, 50ms}.async_wait(asio::use_awaitable);
            CHECK(heard(tor, "DEL_ONION").empty());
            slept += 6min;
            tor.event("HS_DESC CREATED " + address_of(key).service_id() + " UNKNOWN UNKNOWN id");
            const auto ended = co_await tor.hear("DEL_ONION", soon());
            CHECK(ended);
        };
        co_await (services.keep_healthy(policy) || until_again());
        CHECK(heard(tor, "DEL_ONION").size() == 1);
    });
}

TEST_CASE("a descriptor is fetched, refused, or not answered") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        tor.on("HSFETCH", "250 OK");
        auto control = tor::controller::attach(tor.connect());
        const auto address = address_of(onion::secret_key::generate());
        const auto relay = "$" + std::string(40, 'B') + "~b";
        const auto event = [&](std::string action, std::string tail) {
            tor.event("HS_DESC " + action + " " + address.service_id() + " NO_AUTH " + relay + " id" + tail);
        };
        const auto content = [&](std::string text) {
            tor.say("650+HS_DESC_CONTENT " + address.service_id() + " id " + relay + "\r\n" + text +
                    "\r\n.\r\n650 OK\r\n");
        };
        const auto fetch = [&](time_point deadline) {
            return tor::fetch_descriptor(control, address, std::vector<std::string>{}, deadline);
        };
        const auto second_has_it = [&]() -> asio::awaitable<void> {
            (co_await tor.hear("HSFETCH", soon())).value();
            event("REQUESTED", "");
            event("FAILED", " REASON=NOT_FOUND");
            content("");
            event("REQUESTED", "");
            event("RECEIVED", "");
            content("hs-descriptor 3");
        };
        const auto fetched = co_await (fetch(soon()) && second_has_it());
        REQUIRE(fetched);
        CHECK(fetched->text == "hs-descriptor 3\n");
        CHECK(fetched->hs_dir.nickname == "b");
        const auto none_has_it = [&]() -> asio::awaitable<void> {
            (co_await tor.hear("HSFETCH", soon())).value();
            event("REQUESTED", "");
            event("FAILED", " REASON=NOT_FOUND");
            content("");
        };
        const auto none = co_await (fetch(soon()) && none_has_it());
        CHECK(none.error().code == tor::errc::no_descriptor);
        CHECK(none.error().peer == "NOT_FOUND");
        const auto silence = co_await fetch(clock::now() + 30ms);
        CHECK(silence.error().code == net::errc::timed_out);
    });
}

TEST_CASE("a program can dial the mock, and the mock keeps each connection's services") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        tor::mock_tor tor{executor};
        const auto at = tor.listen(endpoint::tcp("127.0.0.1", 0));
        REQUIRE(at);
        auto a = (co_await tor::controller::connect(*at, {}, soon())).value();
        auto b = (co_await tor::controller::connect(*at, {}, soon())).value();
        CHECK(tor.connections() == 2);
        control::add_onion add;
        add.ports.push_back({80, ""});
        const auto made = co_await a.execute(std::move(add), soon());
        REQUIRE(made);
        CHECK(made->private_key.text().starts_with("ED25519-V3:"));
        std::vector<std::string> keys{"onions/current"};
        const auto there = co_await a.info(keys, soon());
        CHECK(there.at("onions/current").value() == made->service_id);
        const auto elsewhere = co_await b.info(keys, soon());
        CHECK(elsewhere.at("onions/current")->empty());
        control::raw nonsense{"NONSENSE"};
        const auto unknown = co_await b.execute(std::move(nonsense), soon());
        CHECK(unknown->status() == 510);
        std::vector<std::string> names{"HS_DESC", "NO_SUCH_EVENT"};
        const auto subscribed = co_await b.subscribe(std::move(names), soon());
        CHECK(subscribed.error().code == control::errc::unrecognized);
        const auto end = co_await b.execute(control::quit{}, soon());
        CHECK(end);
        co_await b.closed();
        CHECK(tor.connections() == 1);
    });
}
