#include "world.hpp"

using namespace bento;
using namespace bento::test;

TEST_CASE("a grace is counted while the old onion answers, whatever the wall clock does") {
    for (const auto& step : {-3600s, 0s, 3600s, 86400s * 365}) {
        world w{{}};
        w.policy.grace = 10min;
        w.run();
        w.ask();
        w.run();
        const auto begin = w.now.steady;
        while (w.now.steady - begin < 5min)
            w.step();
        w.now.wall += step;
        while (!w.machine->state().retired.empty()) {
            w.step();
            REQUIRE(w.now.steady - begin < 1h);
        }
        CHECK(w.now.steady - begin == 10min);
    }
}

TEST_CASE("a grace stands still without a server, and each beginning costs it a moment") {
    world w{{}};
    w.policy.grace = 1h;
    w.run();
    w.ask();
    w.run();
    auto begin = w.now.steady;
    while (w.now.steady - begin < 30min)
        w.step();
    w.pass(48h);
    w.begin();
    w.run();
    CHECK(w.tor.size() == 2);
    begin = w.now.steady;
    while (!w.machine->state().retired.empty())
        w.step();
    w.run();
    CHECK(w.now.steady - begin >= 28min);
    CHECK(w.now.steady - begin <= 30min);

    // A server that is killed before it can save anything retires its onions, too.
    w.ask();
    w.run();
    for (int i = 0; i < 61; ++i) {
        w.begin();
        w.run();
    }
    CHECK(w.saved.retired.empty());
    CHECK(w.keys.size() == 1);
}

TEST_CASE("a schedule replaces a key before it is too old, at an hour that nobody knows") {
    const auto age_at_rotation = [](std::uint8_t random) {
        world w{{}};
        w.policy.max_age = 7 * 24h;
        w.policy.jitter = 24h;
        w.random_byte = random;
        w.run();
        const auto begin = w.now.wall;
        while (w.saved.current == onion_number(1))
            w.step();
        w.run();
        CHECK(w.saved.next.value() > w.now.wall + 5 * 24h);
        return w.now.wall - begin;
    };
    CHECK(age_at_rotation(0) == 7 * 24h);
    std::set<std::chrono::seconds> ages;
    for (const auto random : std::array<std::uint8_t, 5>{1, 2, 3, 100, 255}) {
        const auto age = age_at_rotation(random);
        CHECK(age > 6 * 24h);
        CHECK(age < 7 * 24h);
        ages.insert(age);
    }
    CHECK(ages.size() == 5);
}

TEST_CASE("a schedule is kept over a restart, drawn anew for another, and forgotten without one") {
    world w{{}};
    w.policy.max_age = 48h;
    w.policy.jitter = 24h;
    w.random_byte = 7;
    w.run();
    const auto next = w.saved.next.value();
    w.random_byte = 99;
    w.begin();
    w.run();
    CHECK(w.saved.next == next);
    w.policy.max_age = 72h;
    w.machine->configure(w.policy, {});
    w.todo = w.machine->resume(rotation::passed{}, w.now);
    w.run();
    CHECK(w.saved.next.value() > next);
    w.policy.max_age.reset();
    w.machine->configure(w.policy, {});
    w.todo = w.machine->resume(rotation::passed{}, w.now);
    w.run();
    CHECK_FALSE(w.saved.next);
}

TEST_CASE("a wall clock that steps back makes no key wait for ever") {
    world w{{}};
    w.policy.max_age = 48h;
    w.now.wall = at(4'000'000'000);  // a machine that begins in the year 2096
    w.saved.since = w.now.wall;
    w.run();
    w.now.wall = at(1'800'000'000);
    w.pass(1h);
    w.todo = w.machine->resume(rotation::passed{}, w.now);
    w.run();
    CHECK(w.saved.since == w.now.wall);
    CHECK(w.saved.next.value() == w.now.wall + 48h);
}
