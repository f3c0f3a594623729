// The functions of a host at real directories on loopback: registered, moved, renewed, ended, and repaired after what
// goes wrong on the way.
#include <bento/base/errc.hpp>
#include <host/registrations.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "../directory/fixture.hpp"

using namespace bento;
using namespace bento::test;
using namespace boost::asio::experimental::awaitable_operators;

namespace {

constexpr std::string_view secret_text = "owner secret of twenty-two characters";
constexpr std::string_view code = "def hello():\n    api.send('hello')\n";

directory::options by_authority() {
    auto o = quick_settings();
    o.name.clear();  // it is called as it is reached
    return o;
}
lookup::address where(const served_directory& d) { return lookup::address::parse(d.road.direct->str()).value(); }
time_point soon() { return clock::now() + 20s; }

struct host_of_functions {
    explicit host_of_functions(std::vector<lookup::address> d) : directories{std::move(d)} {}

    host::registrations open(const asio::any_io_executor& executor) {
        host::registrations::options o;
        o.journal = folder.path() / "registrations.json";
        o.directories = directories;
        o.road_to = [](const lookup::address& a) { return a.road({}, {"", ""}); };
        o.code_of = [](const uuid4&) { return result<std::string>{std::string{code}}; };
        o.key_of = [](const onion::address& a) -> result<onion::secret_key> {
            for (std::uint8_t number = 1; number < 9; ++number)
                if (onion_address(number) == a) return onion_key(number);
            return error{base::errc::not_found, a.host()};
        };
        o.warning = [this](std::string_view text) { warnings.emplace_back(text); };
        o.now = [this] { return time; };
        return host::registrations::open(executor, std::move(o), owner).value();
    }
    entry::owner_secret owner = entry::owner_secret::from_text(secret_text).value();
    temporary_directory folder;
    std::vector<lookup::address> directories;
    std::vector<std::string> warnings;
    std::chrono::system_clock::time_point time = now + 1h;
};

/// Runs the registrations beside what is done with them.
asio::awaitable<void> beside(host::registrations& r, asio::awaitable<void> body) {
    co_await (r.run() || std::move(body));
}

asio::awaitable<entry::entry> shown(const served_directory& d, const uuid4& of) {
    const auto answer = co_await get(d, "/lookup/" + of.str());
    co_return entry::entry_from_json(answer.object()).value();
}

}  // namespace

TEST_CASE("a function is registered at every directory, with its code and both signatures (T20)") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()}, two{executor, by_authority()};
        host_of_functions host{{where(one), where(two)}};
        auto r = host.open(executor);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto put = (co_await r.put(token, "hello", true, onion_address(1), soon())).value();
            CHECK(put.seq() == 1);
            for (const auto* d : {&one, &two}) {
                const auto there = co_await shown(*d, token);
                CHECK(entry::verify(there).has_value());
                CHECK(there.code == std::string{code});
                CHECK(there.onion == onion_address(1));
            }
            const auto again = (co_await r.put(token, "hello", true, onion_address(1), soon())).value();
            CHECK(again.seq() == 2);
            for (const auto& s : r.standings()) {
                CHECK(s.registered == 1);
                CHECK(s.lacking == 0);
            }
        };
        co_await beside(r, body());
    });
}

TEST_CASE("the code can stay away: then its digest alone is shown") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()};
        host_of_functions host{{where(one)}};
        auto r = host.open(executor);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto put = co_await r.put(token, "hello", false, onion_address(1), soon());
            CHECK(put.has_value());
            const auto there = co_await shown(one, token);
            CHECK_FALSE(there.code);
            CHECK(there.code_sha256 == entry::sha256(code));
        };
        co_await beside(r, body());
    });
}

TEST_CASE("a directory that is down is told, and gets what it lacks when it is back") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()};
        const auto free = endpoint::tcp("127.0.0.1", net::free_loopback_port().value());
        host_of_functions host{{where(one), lookup::address::parse(free.str()).value()}};
        auto r = host.open(executor);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto put = co_await r.put(token, "hello", true, onion_address(1), soon());
            CHECK(put.has_value());
            CHECK(r.standings()[1].lacking == 1);
            REQUIRE(r.standings()[1].failed);
            CHECK(r.standings()[1].failed->code == net::errc::refused);
            served_directory two{executor, by_authority()};
            two.served.serve(net::listener::listen(executor, free, {}).value());
            const auto renewed = co_await r.renew(token, soon());
            CHECK(renewed.has_value());
            const auto there = co_await shown(two, token);
            CHECK(there.seq() == 2);
            CHECK_FALSE(r.standings()[1].failed);
        };
        co_await beside(r, body());
    });
}

TEST_CASE("a registration whose answer was lost is found again, a batch of them in one go") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()};
        host_of_functions host{{where(one)}};
        std::vector<uuid4> tokens;
        for (int i = 0; i < 20; ++i)
            tokens.push_back(uuid4::generate());
        {
            auto r = host.open(executor);
            const auto body = [&]() -> asio::awaitable<void> {
                for (const auto& t : tokens) {
                    const auto put = co_await r.put(t, "hello", true, onion_address(1), soon());
                    CHECK(put.has_value());
                }
            };
            co_await beside(r, body());
        }
        // As a crash between the directory's answer and our note leaves it.
        const auto file = host.folder.path() / "registrations.json";
        auto journal = host::load_journal(file).value();
        for (auto& [t, one_of] : journal)
            one_of.at.clear();
        REQUIRE(host::save_journal(file, journal));
        auto r = host.open(executor);
        CHECK(r.standings()[0].lacking == 20);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto moved = co_await r.move(onion_address(2), false, soon());
            CHECK(moved.has_value());
            CHECK(r.standings()[0].registered == 20);
            const auto there = co_await shown(one, tokens[13]);
            CHECK(there.onion == onion_address(2));
            CHECK(host.warnings.empty());
        };
        co_await beside(r, body());
    });
}

TEST_CASE("a token that a stranger has at one directory is refused there and registered at the others") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()}, two{executor, by_authority()};
        const auto stranger = entry::owner_secret::from_text("a stranger's secret, which is long").value();
        auto theirs = unsigned_entry(3);
        theirs.signed_by = entry::authority{.seq = 1, .not_after = now + entry::life};
        sign(theirs, stranger.key(token), onion_key(3));
        lookup::directory at_two{where(two), where(two).road({}, {"", ""})};
        const std::vector<entry::entry> list{theirs};
        const auto squatted = (co_await at_two.add(stranger, list, soon())).value();
        CHECK_FALSE(squatted);

        host_of_functions host{{where(one), where(two)}};
        auto r = host.open(executor);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto other = uuid4::generate();
            const auto put = co_await r.put(token, "hello", true, onion_address(1), soon());
            CHECK(put.has_value());
            const auto beside_it = co_await r.put(other, "hello", true, onion_address(1), soon());
            CHECK(beside_it.has_value());
            CHECK(r.standings()[0].registered == 2);
            CHECK(r.standings()[1].registered == 1);
            CHECK(r.standings()[1].refused == 1);
            const auto there = co_await shown(two, token);
            CHECK(there.onion == onion_address(3));
        };
        co_await beside(r, body());

        host_of_functions only_there{{where(two)}};
        auto alone = only_there.open(executor);
        const auto fails = [&]() -> asio::awaitable<void> {
            const auto put = co_await alone.put(token, "hello", true, onion_address(1), soon());
            CHECK(put.error().code == lookup::errc::taken);
        };
        co_await beside(alone, fails());
    });
}

TEST_CASE("two hosts with one owner secret notice each other") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()};
        host_of_functions first{{where(one)}}, copy{{where(one)}};
        auto r = first.open(executor);
        const auto registered = [&]() -> asio::awaitable<void> {
            const auto put = co_await r.put(token, "hello", true, onion_address(1), soon());
            CHECK(put.has_value());
        };
        co_await beside(r, registered());
        std::filesystem::copy(first.folder.path() / "registrations.json", copy.folder.path() / "registrations.json");
        const auto moved_away = [&]() -> asio::awaitable<void> {
            const auto moved = co_await r.move(onion_address(2), false, soon());
            CHECK(moved.has_value());
        };
        co_await beside(r, moved_away());
        CHECK(first.warnings.empty());

        auto other = copy.open(executor);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto renewed = co_await other.renew(token, soon());
            REQUIRE(renewed.has_value());
            CHECK(renewed->seq() == 3);
            REQUIRE(copy.warnings.size() == 1);
            CHECK(copy.warnings[0].find("another server registers " + token.str()) == 0);
        };
        co_await beside(other, body());
    });
}

TEST_CASE("entries are renewed at half their life, all in one go, and not before") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()};
        host_of_functions host{{where(one)}};
        auto r = host.open(executor);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto put = co_await r.put(token, "hello", true, onion_address(1), soon());
            CHECK(put.has_value());
            host.time += 80h;
            CHECK_FALSE(r.renew_due().value());
            host.time += 58h;  // half of eight days, and at most a day
            CHECK(r.renew_due().value());
            const auto after = co_await r.move(onion_address(1), false, soon());
            CHECK(after.has_value());
            CHECK_FALSE(r.renew_due().value());
        };
        co_await beside(r, body());
    });
}

TEST_CASE("what is ended stays ended, here and there") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()};
        host_of_functions host{{where(one)}};
        auto r = host.open(executor);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto put = co_await r.put(token, "hello", true, onion_address(1), soon());
            CHECK(put.has_value());
            const auto dead = (co_await r.end(token, soon())).value();
            CHECK(entry::verify(dead).has_value());
            const auto answer = co_await look_up(one);
            CHECK(answer.status == 410);
            const auto again = co_await r.put(token, "hello", true, onion_address(1), soon());
            CHECK(again.error().code == lookup::errc::ended);
            const auto renewed = co_await r.renew(token, soon());
            CHECK(renewed.error().code == lookup::errc::ended);
            const auto unknown = co_await r.renew(uuid4::generate(), soon());
            CHECK(unknown.error().code == lookup::errc::unknown_token);
        };
        co_await beside(r, body());
    });
}

TEST_CASE("434 functions are moved by one request and one password check") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory one{executor, by_authority()};
        host_of_functions host{{where(one)}};
        host::registration_journal journal;
        for (int i = 0; i < 434; ++i) {
            host::registration r{"hello", entry::sha256(code), true, onion_address(1)};
            r.not_after = now + entry::life;
            journal.emplace(uuid4::generate(), std::move(r));
        }
        REQUIRE(host::save_journal(host.folder.path() / "registrations.json", journal));
        auto r = host.open(executor);
        const auto body = [&]() -> asio::awaitable<void> {
            const auto moved = co_await r.move(onion_address(1), false, soon());
            CHECK(moved.has_value());
            CHECK(r.standings()[0].registered == 434);
            const auto again = co_await r.move(onion_address(2), true, soon());
            CHECK(again.has_value());
            CHECK(r.standings()[0].registered == 434);
            const auto there = co_await shown(one, journal.begin()->first);
            CHECK(there.onion == onion_address(2));
            CHECK(there.signed_by->ask_first);
        };
        co_await beside(r, body());
    });
}

TEST_CASE("without a directory nothing can be registered") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        host_of_functions host{{}};
        auto r = host.open(executor);
        const auto put = co_await r.put(token, "hello", true, onion_address(1), soon());
        CHECK(put.error().code == lookup::errc::none_configured);
        CHECK(r.size() == 0);
    });
}
