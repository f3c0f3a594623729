// What a caller believes of several directories, honest, lying, silent; and what it keeps.
#include <bento/base/file.hpp>
#include <bento/lookup/finder.hpp>
#include <bento/net/condition.hpp>
#include <bento/web/server.hpp>

#include "../directory/fixture.hpp"

using namespace bento;
using namespace bento::test;

namespace {

/// Shows one document to everybody, or never answers.
class showing_directory {
  public:
    explicit showing_directory(const asio::any_io_executor& executor)
        : state_{std::make_shared<state>(executor)}, server_{{}, routes()} {
        auto on = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
        where_ = lookup::address::parse(on.where().str()).value();
        server_.serve(std::move(on));
    }
    void show(const entry::entry& e) { state_->answer = {200, json::serialize(entry::to_json(e))}; }
    void show(const entry::tombstone& t) { state_->answer = {410, json::serialize(entry::to_json(t))}; }
    void show_garbage() { state_->answer = {200, "<html>"}; }
    void be_silent() { state_->answer.reset(); }
    const lookup::address& where() const { return where_; }
    int asked() const { return state_->asked; }

  private:
    /// Outlives the server: a request that waits for ever ends after it.
    struct state {
        explicit state(const asio::any_io_executor& executor) : never{executor} {}
        net::condition never;
        std::optional<std::pair<int, std::string>> answer{{404, R"({"type":"unknown-token"})"}};
        int asked = 0;
    };
    static task<void> answer(std::shared_ptr<state> s, web::exchange& to) {
        ++s->asked;
        if (!s->answer) co_await s->never.wait();
        co_return to.json(s->answer->first, s->answer->second);
    }
    std::vector<web::route> routes() {
        web::route::waiting answers = [s = state_](web::exchange& to) { return answer(s, to); };
        return {web::route{http::method::get, "/lookup/*", std::move(answers)}};
    }
    std::shared_ptr<state> state_;
    lookup::address where_;
    web::server server_;
};

struct world {
    explicit world(const asio::any_io_executor& executor) : one{executor}, two{executor} {}
    lookup::finder finder() {
        lookup::finder::options o;
        o.directories = {one.where(), two.where()};
        o.known = folder.path() / "known";
        o.stragglers = 200ms;
        o.road_to = [](const lookup::address& a) { return a.road({}, {"", ""}); };
        o.now = [this] { return time; };
        return lookup::finder{std::move(o)};
    }
    std::filesystem::path file() const { return folder.path() / "known" / (token.str() + ".json"); }
    temporary_directory folder;
    showing_directory one, two;
    std::chrono::system_clock::time_point time = now + 1h;
};

const entry::share wanted{token, {}};
time_point soon() { return clock::now() + 10s; }

void with_world(const std::function<asio::awaitable<void>(world&)>& body) {
    play([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        world w{executor};
        co_await body(w);
    });
}

}  // namespace

TEST_CASE("the newest valid entry of all directories is taken, and who shows an older one is told") {
    with_world([](world& w) -> asio::awaitable<void> {
        w.one.show(signed_entry(1, 1));
        w.two.show(signed_entry(2, 2));
        auto finder = w.finder();
        const auto found = (co_await finder.ask(wanted, soon())).value();
        CHECK(found.entry.onion == onion_address(2));
        CHECK(found.change == entry::change::first);
        REQUIRE(found.warnings.size() == 1);
        CHECK(found.warnings[0] == "directory " + w.one.where().str() + " shows an older entry");
    });
}

TEST_CASE("a directory that goes back to an old entry is refused: it was seen newer (Figure 3.7)") {
    with_world([](world& w) -> asio::awaitable<void> {
        auto finder = w.finder();
        w.one.show(signed_entry(2, 2));
        const auto seen = (co_await finder.ask(wanted, soon())).value();
        CHECK(seen.entry.onion == onion_address(2));
        w.one.show(signed_entry(1, 1));
        auto again = w.finder();  // another process, which knows by the file
        const auto replayed = co_await again.ask(wanted, soon());
        CHECK(replayed.error().code == entry::errc::older);
    });
}

TEST_CASE("another owner is refused once one is known, and from the start by a share string") {
    with_world([](world& w) -> asio::awaitable<void> {
        w.one.show(signed_entry(9, 3, "stranger"));
        const entry::share named{token, entry::fingerprint(owner_key().public_key())};
        auto finder = w.finder();
        const auto first = co_await finder.ask(named, soon());
        CHECK(first.error().code == entry::errc::wrong_owner);
        CHECK_FALSE(std::filesystem::exists(w.file()));
        w.two.show(signed_entry(1, 1));
        const auto with_name = (co_await finder.ask(named, soon())).value();
        CHECK(with_name.entry.onion == onion_address(1));
        const auto pinned = (co_await finder.ask(wanted, soon())).value();
        CHECK(pinned.entry.onion == onion_address(1));
        CHECK(pinned.change == entry::change::same);
    });
}

TEST_CASE("two owners at two directories are a conflict for who knows neither") {
    with_world([](world& w) -> asio::awaitable<void> {
        w.one.show(signed_entry(1, 1));
        w.two.show(signed_entry(1, 3, "stranger"));
        auto finder = w.finder();
        const auto refused = co_await finder.ask(wanted, soon());
        CHECK(refused.error().code == entry::errc::conflict);
        CHECK_FALSE(std::filesystem::exists(w.file()));
    });
}

TEST_CASE("an expired entry, garbage and none are told apart") {
    with_world([](world& w) -> asio::awaitable<void> {
        auto finder = w.finder();
        const auto none = co_await finder.ask(wanted, soon());
        CHECK(none.error().code == entry::errc::not_found);
        w.one.show_garbage();
        const auto still_none = co_await finder.ask(wanted, soon());
        CHECK(still_none.error().code == entry::errc::not_found);
        w.two.show_garbage();
        const auto garbage = co_await finder.ask(wanted, soon());
        CHECK(garbage.error().code == lookup::errc::not_a_directory);
        w.one.show(signed_entry(1, 1, "owner", now - std::chrono::days{1}));
        const auto expired = co_await finder.ask(wanted, soon());
        CHECK(expired.error().code == entry::errc::expired);
        w.one.show(ended(2));
        const auto over = co_await finder.ask(wanted, soon());
        CHECK(over.error().code == entry::errc::ended);
    });
}

TEST_CASE("a silent directory costs the stragglers' time once another has shown an entry, else the deadline") {
    with_world([](world& w) -> asio::awaitable<void> {
        auto finder = w.finder();
        w.one.show(signed_entry(1));
        w.two.be_silent();
        const auto begun = clock::now();
        const auto found = (co_await finder.ask(wanted, clock::now() + 60s)).value();
        CHECK(clock::now() - begun < 10s);
        REQUIRE(found.warnings.size() == 1);
        CHECK(found.warnings[0].find(w.two.where().str()) != std::string::npos);
        w.one.be_silent();
        const auto nobody = co_await finder.ask(wanted, clock::now() + 300ms);
        CHECK(nobody.error().code == net::errc::timed_out);
    });
}

TEST_CASE("a road that does not hold is tried again until the deadline") {
    with_world([](world& w) -> asio::awaitable<void> {
        lookup::finder::options o;
        o.directories = {w.one.where()};
        o.known = w.folder.path() / "known";
        int roads = 0;
        const auto nobody = endpoint::tcp("127.0.0.1", net::free_loopback_port().value());
        o.road_to = [&](const lookup::address& a) {
            auto out = a.road({}, {"", ""});
            if (++roads < 3) out.direct = nobody;
            return out;
        };
        o.now = [&w] { return w.time; };
        lookup::finder finder{std::move(o)};
        w.one.show(signed_entry(1));
        const auto found = co_await finder.ask(wanted, soon());
        CHECK(found.has_value());
        CHECK(roads == 3);
        roads = -1000;
        const auto late = co_await finder.ask(wanted, clock::now() + 700ms);
        CHECK(late.error().code == net::errc::refused);
    });
}

TEST_CASE("a cached entry serves for max_stale and no longer, and never where its owner says so") {
    with_world([](world& w) -> asio::awaitable<void> {
        auto finder = w.finder();
        w.one.show(signed_entry(1));
        const auto first = (co_await finder.find(wanted, soon())).value();
        CHECK_FALSE(first.cached);
        CHECK(first.entry.code);
        w.time += 9min;
        const auto second = (co_await finder.find(wanted, soon())).value();
        CHECK(second.cached);
        CHECK(second.change == entry::change::same);
        CHECK(second.entry.onion == onion_address(1));
        CHECK(w.one.asked() == 1);
        w.time += 2min;
        const auto third = (co_await finder.find(wanted, soon())).value();
        CHECK_FALSE(third.cached);
        CHECK(w.one.asked() == 2);
        w.time -= 1h;  // a clock that was set back
        const auto fourth = (co_await finder.find(wanted, soon())).value();
        CHECK_FALSE(fourth.cached);

        auto compromised = signed_entry(2, 2);
        compromised.signed_by->ask_first = true;
        sign(compromised, owner_key(), onion_key(2));
        w.one.show(compromised);
        w.time += 1h;
        const auto fifth = (co_await finder.find(wanted, soon())).value();
        CHECK(fifth.entry.onion == onion_address(2));
        const auto sixth = (co_await finder.find(wanted, soon())).value();
        CHECK_FALSE(sixth.cached);
    });
}

TEST_CASE("a share string of another owner is not answered from the cache") {
    with_world([](world& w) -> asio::awaitable<void> {
        auto finder = w.finder();
        w.one.show(signed_entry(1));
        const auto first = (co_await finder.find(wanted, soon())).value();
        CHECK_FALSE(first.cached);
        const entry::share other{token, entry::fingerprint(owner_key("stranger").public_key())};
        const auto refused = co_await finder.find(other, soon());
        CHECK(refused.error().code == entry::errc::wrong_owner);
    });
}

TEST_CASE("a damaged file of what is known is told, not forgotten: the pin was in it") {
    with_world([](world& w) -> asio::awaitable<void> {
        auto finder = w.finder();
        w.one.show(signed_entry(2));
        const auto first = (co_await finder.find(wanted, soon())).value();
        CHECK_FALSE(first.cached);
        auto text = read_file(w.file(), 1 << 20).value();
        for (const auto& broken : {std::string{}, text.substr(0, text.size() / 2), std::string{"{}"}}) {
            REQUIRE(write_file(w.file(), broken));
            const auto refused = co_await finder.find(wanted, soon());
            CHECK(refused.error().code == lookup::errc::damaged);
        }
    });
}

TEST_CASE("without a directory there is nobody to ask") {
    with_world([](world& w) -> asio::awaitable<void> {
        lookup::finder::options o;
        o.known = w.folder.path() / "known";
        lookup::finder finder{std::move(o)};
        const auto refused = co_await finder.find(wanted, soon());
        CHECK(refused.error().code == lookup::errc::none_configured);
    });
}
