#include "world.hpp"

using namespace bento;
using namespace bento::test;

TEST_CASE("a rotation, from the request to the end of the old onion") {
    world w{{"a", "b"}};
    w.policy.grace = 20s;
    w.run();
    CHECK(w.take_transcript() == lines{"add 1"});
    w.ask();
    w.run();
    CHECK(w.take_transcript() == lines{"mint", "write_key 2", "add 2", "publish 2", "probe 2", "reregister 2 a b",
                                       "verify 2 a b", "promote 2"});
    CHECK(w.saved.current == onion_number(2));
    CHECK(numbers(w.tor) == onions{1, 2});
    const auto promoted = w.now.steady;
    while (w.transcript.empty())
        w.step();
    CHECK(w.now.steady - promoted == 20s);
    w.run();
    CHECK(w.take_transcript() == lines{"drop 1", "unlink 1"});
    CHECK(numbers(w.tor) == onions{2});
    CHECK(numbers(w.keys) == onions{2});
    CHECK(w.saved == journal{.current = onion_number(2), .since = at(100'000)});
    CHECK(w.todo->until - w.now.steady == rotation::machine::longest_wait);
}

TEST_CASE("deadlines travel with the action") {
    world w{{"a"}};
    w.run();
    w.ask();
    std::map<act, std::chrono::milliseconds> limits;
    while (w.todo->what != act::wait) {
        if (w.todo->until != rotation::time_point::max())
            limits[w.todo->what] = std::chrono::duration_cast<std::chrono::milliseconds>(w.todo->until - w.now.steady);
        w.step();
    }
    CHECK(limits == std::map<act, std::chrono::milliseconds>{
                        {act::publish, 2min}, {act::probe, 1min}, {act::reregister, 2min}, {act::verify, 2min}});
}

// The journals that a rotation writes, and what each says to whoever begins with it.
TEST_CASE("every prefix of the journal says what to do next") {
    const auto one = onion_number(1), two = onion_number(2);
    const auto after = [](journal j, std::set<onion::address> keys) {
        world w{{"a", "b"}};
        w.saved = std::move(j);
        w.keys = std::move(keys);
        w.begin();
        lines out;
        // The onions that are to answer come back first, in the order of their addresses.
        std::set<std::string> back;
        while (w.todo->what == act::add) {
            back.insert(world::told(*w.todo));
            w.step();
        }
        out.assign(back.begin(), back.end());
        out.push_back(world::told(*w.todo));
        return out;
    };
    const journal quiet{.current = one, .since = at(100'000)};
    CHECK(after(quiet, {one}) == lines{"add 1", "wait"});
    auto j = quiet;
    j.running = rotation::unfinished{.grace = 20s};
    CHECK(after(j, {one}) == lines{"add 1", "mint"});
    j.running->onion = two;
    CHECK(after(j, {one}) == lines{"add 1", "mint"});  // named, and its file not written
    CHECK(after(j, {one, two}) == lines{"add 1", "add 2", "publish 2"});
    j.running->acknowledged = {"a"};
    CHECK(after(j, {one, two}) == lines{"add 1", "add 2", "publish 2"});
    j = {.current = two, .since = at(100'000), .retired = {{.onion = one, .grace = 20s}}};
    CHECK(after(j, {one, two}) == lines{"add 1", "add 2", "wait"});
    j.retired[0].named_by = {"b"};
    CHECK(after(j, {one, two}) == lines{"add 1", "add 2", "reregister 2 b"});
    j.retired[0] = {.onion = one, .grace = 20s, .age = 20s};
    CHECK(after(j, {one, two}) == lines{"add 2", "unlink 1"});
    CHECK(after(j, {two}) == lines{"add 2", "wait"});

    // A compromised key: what it named does not answer again.
    j = quiet;
    j.running = rotation::unfinished{.compromised = true};
    CHECK(after(j, {one}) == lines{"mint"});
    j.running->onion = two;
    CHECK(after(j, {one, two}) == lines{"add 2", "publish 2"});
    j = {.current = two, .since = at(100'000), .ask_first = true, .retired = {{.onion = one, .dropped = true}}};
    CHECK(after(j, {one, two}) == lines{"add 2", "unlink 1"});
    j.retired[0].named_by = {"b"};
    CHECK(after(j, {two}) == lines{"add 2", "reregister 2 b ask_first"});

    // The key is lost, as in the thesis: the tokens move to a new one.
    CHECK(after(quiet, {}) == lines{"mint"});
}

TEST_CASE("a lost key is replaced whether or not a directory can be reached") {
    world w{{"a"}};
    w.down = {"a"};
    w.keys.clear();
    w.run();
    CHECK(w.take_transcript() ==
          lines{"mint", "write_key 2", "add 2", "publish 2", "probe 2", "promote 2", "reregister 2 a"});
    CHECK(w.machine->behind() == std::set<std::string>{"a"});
    w.down.clear();
    w.wait_once();
    w.run();
    CHECK(w.saved.retired.empty());
    CHECK(w.directories.at("a") == onion_number(2));
}

TEST_CASE("killed before and after every step, a rotation ends all the same") {
    for (const bool compromised : {false, true})
        for (const bool after_the_step : {false, true})
            for (int killed_at = 0; killed_at < 20; ++killed_at) {
                CAPTURE(compromised, after_the_step, killed_at);
                world w{{"a", "b"}};
                w.policy.grace = 5s;
                w.run();
                w.ask({.compromised = compromised});
                bool was_saved = false;
                for (int i = 0; i < killed_at; ++i) {
                    was_saved = was_saved || w.todo->save;
                    w.step();
                }
                was_saved = was_saved || w.todo->save;
                REQUIRE(w.save());
                if (after_the_step && w.todo->what != act::wait) w.perform();
                w.begin();
                for (int i = 0; i < 40; ++i) {
                    w.step();
                    // What a directory shows answers, unless it was compromised.
                    if (!compromised && w.todo->what == act::wait)
                        for (const auto& [name, shows] : w.directories)
                            CHECK(w.tor.contains(shows));
                }
                REQUIRE(was_saved);
                CHECK(w.saved.current != onion_number(1));
                CHECK(w.saved.retired.empty());
                CHECK_FALSE(w.saved.running);
                CHECK(w.keys == std::set{w.saved.current});
                CHECK(w.tor == std::set{w.saved.current});
                for (const auto& [name, shows] : w.directories)
                    CHECK(shows == w.saved.current);
            }
}

TEST_CASE("a directory that is down is told later, and its callers find the old onion until then") {
    world w{{"a", "b"}};
    w.policy.grace = 10s;
    w.down = {"b"};
    w.run();
    w.ask();
    w.run();
    CHECK(w.take_transcript() == lines{"add 1", "mint", "write_key 2", "add 2", "publish 2", "probe 2",
                                       "reregister 2 a b", "verify 2 a", "promote 2"});
    CHECK(w.machine->behind() == std::set<std::string>{"b"});
    REQUIRE(w.machine->last_trouble());
    CHECK(w.machine->last_trouble()->directories.at("b").detail == "no luck");
    // Long after the grace the old onion answers still, and each attempt waits longer, up to five minutes.
    const auto begin = w.now.steady;
    while (w.now.steady - begin < 1h)
        w.step();
    const auto attempts = w.take_transcript();
    CHECK(attempts.size() > 12);
    CHECK(attempts.size() < 22);
    CHECK(std::all_of(attempts.begin(), attempts.end(), [](const auto& l) { return l == "reregister 2 b"; }));
    CHECK(numbers(w.tor) == onions{1, 2});
    w.down.clear();
    while (w.machine->is_behind())
        w.step();
    w.run();
    CHECK(w.take_transcript() == lines{"reregister 2 b", "verify 2 b", "drop 1", "unlink 1"});
    CHECK(w.saved.retired.empty());
}

TEST_CASE("a directory that never comes back holds the old onion as long as its entries live") {
    world w{{"a", "b"}};
    w.policy.grace = 10s;
    w.down = {"b"};
    w.run();
    w.ask();
    w.run();
    const auto begin = w.now.steady;
    while (!w.saved.retired.empty()) {
        REQUIRE(w.now.steady - begin < 8 * 24h);
        w.step();
    }
    CHECK(w.now.steady - begin >= 7 * 24h);
    w.run();
    CHECK(numbers(w.tor) == onions{2});
}

TEST_CASE("while no directory can be reached nothing is promoted, and the pause grows") {
    world w{{"a"}};
    w.down = {"a"};
    w.run();
    w.ask();
    w.run();
    CHECK(w.saved.current == onion_number(1));
    CHECK(numbers(w.tor) == onions{1, 2});
    CHECK(w.todo->until - w.now.steady == 5s);
    w.wait_once();
    w.run();
    CHECK(w.todo->until - w.now.steady == 10s);
    w.take_transcript();
    w.ask();  // who asks does not wait
    w.run();
    CHECK(w.take_transcript() == lines{"reregister 2 a"});
    w.down.clear();
    w.wait_once();
    w.run();
    CHECK(w.saved.current == onion_number(2));
}

TEST_CASE("what a directory acknowledges and does not show is told again") {
    world w{{"a"}};
    w.run();
    w.ask();
    while (w.todo->what != act::verify)
        w.step();
    w.directories.at("a") = onion_number(1);
    w.run();
    CHECK(w.saved.current == onion_number(1));
    CHECK(w.machine->last_trouble()->what == act::verify);
    w.take_transcript();
    w.wait_once();
    w.run();
    CHECK(w.take_transcript() == lines{"reregister 2 a", "verify 2 a", "promote 2"});
}

TEST_CASE("without verification an acknowledgement is enough") {
    world w{{"a", "b"}};
    w.policy.verify = false;
    w.down = {"b"};
    w.run();
    w.ask();
    w.run();
    CHECK(w.saved.current == onion_number(2));
    CHECK(w.machine->behind() == std::set<std::string>{"b"});
    w.down.clear();
    w.wait_once();
    w.run();
    CHECK_FALSE(w.machine->is_behind());
    const auto told = w.take_transcript();
    CHECK(std::none_of(told.begin(), told.end(), [](const auto& l) { return l.starts_with("verify"); }));
}

TEST_CASE("a compromised onion goes at once, and so does everything from before it") {
    world w{{"a", "b"}};
    w.down = {"b"};
    w.run();
    w.ask();
    w.run();
    w.take_transcript();
    w.ask({.compromised = true});
    w.run();
    auto told = w.take_transcript();
    std::sort(told.begin(), told.begin() + 2);  // of two at once the lower address goes first
    CHECK(told == lines{"drop 1 close_circuits", "drop 2 close_circuits", "unlink 1", "mint", "write_key 3", "add 3",
                        "publish 3", "probe 3", "promote 3", "unlink 2", "reregister 3 a b ask_first", "verify 3 a"});
    CHECK(w.machine->behind() == std::set<std::string>{"b"});
}

TEST_CASE("a key that is compromised while its successor is on the way ends both") {
    world w{{"a"}};
    w.run();
    w.ask();
    while (w.todo->what != act::verify)
        w.step();
    CHECK(w.directories.at("a") == onion_number(2));
    w.take_transcript();
    w.ask({.compromised = true});
    w.run();
    auto told = w.take_transcript();
    std::sort(told.begin(), told.begin() + 2);
    CHECK(told == lines{"drop 1 close_circuits", "drop 2 close_circuits", "unlink 2", "mint", "write_key 3", "add 3",
                        "publish 3", "probe 3", "promote 3", "unlink 1", "reregister 3 a ask_first", "verify 3 a"});
    CHECK(w.saved.ask_first);
    CHECK(w.saved.retired.empty());
    w.ask();
    w.run();
    CHECK_FALSE(w.saved.ask_first);
}

TEST_CASE("what was on its way for an onion that was ended meanwhile counts for nothing") {
    for (const auto on_its_way : {act::reregister, act::verify}) {
        world w{{"a"}};
        w.run();
        w.ask();
        while (w.todo->what != on_its_way)
            w.step();
        REQUIRE(w.machine->ask({.compromised = true}));
        w.todo = w.machine->resume(rotation::told{}, w.now);
        CHECK(w.machine->state().running.value() == rotation::unfinished{.compromised = true});
        CHECK(w.machine->behind() == std::set<std::string>{"a"});
        w.run();
        CHECK(w.saved.current == onion_number(3));
        CHECK(w.directories.at("a") == onion_number(3));
    }
}

TEST_CASE("two that ask at once are one rotation, and one that comes after it another") {
    world w{{"a"}};
    w.run();
    w.ask();
    w.ask();
    w.step();
    w.ask({.grace = 2h});
    w.run();
    CHECK(w.saved.current == onion_number(2));
    CHECK(w.saved.retired[0].grace == 1h);
    w.ask();
    w.run();
    CHECK(w.saved.current == onion_number(3));
}

TEST_CASE("within its grace an unfinished rotation is gone on with, afterwards a new one begins") {
    world w{{"a", "b"}};
    w.policy.grace = 1min;
    w.down = {"b"};
    w.run();
    w.ask();
    w.run();
    w.take_transcript();
    w.ask();
    w.run();
    CHECK(w.take_transcript() == lines{"reregister 2 b"});
    while (w.machine->state().retired[0].age < 1min)
        w.step();
    w.run();
    w.take_transcript();
    w.down.clear();
    w.ask();
    w.run();
    CHECK(w.saved.current == onion_number(3));
    CHECK_FALSE(w.machine->is_behind());
    const auto told = w.take_transcript();
    CHECK(std::count(told.begin(), told.end(), "reregister 3 a b") == 1);
    CHECK(std::none_of(told.begin(), told.end(), [](const auto& l) { return l == "reregister 3 b"; }));
}

TEST_CASE("what may not be asked") {
    journal j{.current = onion_number(1), .since = at(0)};
    rotation::policy p;
    p.least_grace = 10min;
    CHECK(rotation::ask(j, {.grace = 5min}, p).error().message() ==
          "a grace of 5m is below 10m, for which callers may use what they know: the old onion would go before callers "
          "look its successor up");
    CHECK(rotation::ask(j, {.grace = 10min}, p));
    j.running.reset();
    for (std::uint8_t n = 2; j.retired.size() < rotation::most_retiring; ++n)
        j.retired.push_back({.onion = onion_number(n), .grace = 1h});
    CHECK(rotation::ask(j, {}, p).error().code == rotation::errc::too_many);
    CHECK_FALSE(j.running);
    CHECK(rotation::ask(j, {.compromised = true}, p));
    CHECK(j.running);
}

TEST_CASE("what cannot be done is tried again later, in its place") {
    for (const auto broken : {act::write_key, act::publish, act::probe, act::promote}) {
        CAPTURE(rotation::to_text(broken));
        world w{{"a"}};
        w.run();
        w.broken = {broken};
        w.ask();
        w.run();
        REQUIRE(w.machine->last_trouble());
        CHECK(w.machine->last_trouble()->what == broken);
        CHECK(w.machine->last_trouble()->again - w.now.steady == 5s);
        CHECK(w.tor.contains(onion_number(1)));
        w.wait_once();
        w.run();
        CHECK(w.todo->until - w.now.steady <= 10s);
        w.broken.clear();
        w.wait_once();
        w.run();
        CHECK_FALSE(w.machine->last_trouble());
        CHECK(w.saved.current != onion_number(1));
    }
}

TEST_CASE("a journal that cannot be saved stops everything, and loses nothing") {
    world w{{"a"}};
    w.policy.grace = 5s;
    w.run();
    for (int full_at = 0; full_at < 12; ++full_at) {
        CAPTURE(full_at);
        w.ask();
        const auto before = w.saved.current;
        for (int i = 0; i < full_at; ++i)
            w.step();
        w.disk_is_full = true;
        for (int i = 0; i < 20; ++i)
            w.step();
        CHECK(w.tor.contains(w.directories.at("a")));
        w.disk_is_full = false;
        w.begin();
        for (int i = 0; i < 60; ++i)
            w.step();
        w.run();
        CHECK(w.saved.current == w.directories.at("a"));
        CHECK(w.keys == std::set{w.saved.current});
        // Only where it was full before anything was saved, the request is gone with the process.
        CHECK((w.saved.current == before) == (full_at == 0));
    }
}
