#include <bento/base/file.hpp>
#include <bento/host/daemon.hpp>
#include <bento/tor/mock.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <host/rotation.hpp>

#include "run.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using host::rotator;
using rotation::act;

namespace {

const error no_luck{host::errc::state, "no luck"};

/// A rotator between a scripted tor and directories that are lists.
struct fixture {
    explicit fixture(asio::any_io_executor e) : executor{std::move(e)}, tor{executor}, onions{executor} {
        settings.policy.grace = 300ms;
    }

    asio::any_io_executor executor;
    test::temporary_directory folder;
    tor::mock_tor tor;
    tor::onion_services onions;
    tor::controller control;
    rotator::settings settings;
    std::map<std::string, onion::address> shown;
    std::set<std::string> down;
    std::vector<std::string> warnings;
    std::vector<onion::address> probed, promoted;
    std::optional<host::state_directory> state;
    std::unique_ptr<rotator> rotation;
    bool publishes = true;
    bool reaches = true;

    rotator::hands hands() {
        rotator::hands h;
        h.service = [](onion::secret_key key) {
            tor::onion_service out{std::move(key)};
            out.target = endpoint::tcp("127.0.0.1", 4711);
            return out;
        };
        h.probe = [this](onion::address onion, time_point) -> task<void> {
            probed.push_back(onion);
            if (!reaches) co_return no_luck;
            co_return result<void>{};
        };
        h.reregister = [this](onion::address onion, std::vector<std::string> directories, bool,
                              time_point) -> asio::awaitable<rotator::failures> {
            rotator::failures out;
            for (const auto& d : directories) {
                if (down.contains(d))
                    out.emplace(d, no_luck);
                else
                    shown.insert_or_assign(d, onion);
            }
            co_return out;
        };
        h.verify = [this](onion::address onion, std::vector<std::string> directories,
                          time_point) -> asio::awaitable<rotator::failures> {
            rotator::failures out;
            for (const auto& d : directories)
                if (shown.at(d) != onion) out.emplace(d, no_luck);
            co_return out;
        };
        h.tokens = [] { return std::size_t{434}; };
        h.promoted = [this](const onion::address& onion) { promoted.push_back(onion); };
        h.warning = [this](std::string_view text) { warnings.emplace_back(text); };
        return h;
    }

    /// A server begins on the state directory.
    task<void> begin() {
        rotation.reset();
        state.reset();
        tor.drop();
        if (control) co_await control.closed();
        onions = tor::onion_services{executor, [this](const tor::onion_status& s) {
                                         if (rotation) rotation->told(s);
                                     }};
        control = tor::controller::attach(tor.connect());
        auto prepared = co_await onions.prepare(control);
        if (!prepared) co_return prepared;
        auto opened_state = host::state_directory::open(folder.path());
        if (!opened_state) co_return opened_state.error();
        state = std::move(*opened_state);
        auto opened = rotator::open(executor, *state, onions, settings, hands());
        if (!opened) co_return opened.error();
        rotation = std::move(*opened);
        co_return co_await rotation->start();
    }
    /// tor uploads what is added.
    asio::awaitable<void> publish() {
        for (;;) {
            (co_await tor.hear("ADD_ONION", time_point::max())).value();
            if (!publishes) continue;
            for (const auto& o : rotation->onions())
                tor.publish(o.onion);
        }
    }
    /// Asks, and follows to the end.
    asio::awaitable<host::rotation_outcome> rotate(rotation::request r) {
        rotation->ask(r).value();
        while (!rotation->now().outcome)
            co_await rotation->changed_from(rotation->now().version);
        co_return *rotation->now().outcome;
    }
    /// Runs until `body` is done.
    asio::awaitable<void> beside(asio::awaitable<void> body) {
        co_await (std::move(body) || rotation->run() || publish());
    }
    std::vector<std::string> keys() const {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::directory_iterator{folder.path() / "onions"})
            out.push_back(entry.path().filename().string());
        std::sort(out.begin(), out.end());
        return out;
    }
    rotation::journal journal() const { return rotation::load(folder.path() / "rotation.json").value().value(); }
    std::size_t heard(std::string_view command) const {
        std::size_t out = 0;
        for (const auto& line : tor.heard())
            out += line.starts_with(command) ? 1U : 0U;
        return out;
    }
};

asio::awaitable<void> until(const fixture& f, std::size_t onions) {
    while (f.rotation->onions().size() != onions)
        co_await f.rotation->changed_from(f.rotation->now().version);
    // What is decided then is saved before the next wait.
    co_await f.rotation->changed_from(f.rotation->now().version);
}

asio::awaitable<void> rotate_once(fixture& f) {
    const auto first = f.rotation->current();
    const auto before = f.keys();
    CHECK(before == std::vector<std::string>{first.service_id()});
    rotation::request plain;
    const auto done = co_await f.rotate(plain);
    CHECK(done.before == first);
    CHECK(done.now == f.rotation->current());
    CHECK(done.now != first);
    CHECK(done.tokens == 434);
    CHECK(done.behind.empty());
    CHECK(f.promoted == std::vector{done.now});
    CHECK(f.probed == std::vector{done.now});
    CHECK(f.shown.at("a") == done.now);
    CHECK(f.journal().current == done.now);
    CHECK(f.keys().size() == 2);
    const auto onions = f.rotation->onions();
    REQUIRE(onions.size() == 2);
    CHECK(onions[0].state == "current");
    CHECK(onions[1].state == "retiring");
    co_await until(f, 1);
    CHECK(f.keys() == std::vector<std::string>{done.now.service_id()});
    CHECK(f.heard("DEL_ONION " + first.service_id()) == 1);
    CHECK(f.heard("CLOSECIRCUIT") == 0);
    CHECK(f.warnings.empty());
}

}  // namespace

TEST_CASE("a rotation, from the request to the end of the old onion") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        fixture f{executor};
        f.settings.directories = {"a", "b"};
        const auto begun = co_await f.begin();
        REQUIRE(begun);
        CHECK(f.heard("ADD_ONION") == 1);
        auto body = rotate_once(f);
        co_await f.beside(std::move(body));
    });
}

TEST_CASE("a request that was left without a server is done by the next one") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        fixture f{executor};
        const auto none = host::leave_request(f.folder.path(), {}, f.settings.policy);
        CHECK(none.error().code == rotation::errc::no_onion);
        (co_await f.begin()).value();
        const auto first = f.rotation->current();
        const auto busy = host::leave_request(f.folder.path(), {}, f.settings.policy);
        CHECK(busy.error().code == host::errc::in_use);
        f.rotation.reset();
        f.state.reset();
        const auto left = host::leave_request(f.folder.path(), {}, f.settings.policy);
        REQUIRE(left);
        CHECK(f.journal().running);
        (co_await f.begin()).value();
        auto body = until(f, 2);
        co_await f.beside(std::move(body));
        auto end = until(f, 1);
        co_await f.beside(std::move(end));
        CHECK(f.rotation->current() != first);
        CHECK(f.keys() == std::vector<std::string>{f.rotation->current().service_id()});
    });
}

namespace {

asio::awaitable<void> compromise(fixture& f) {
    const auto first = f.rotation->current().service_id();
    f.tor.on("GETINFO circuit-status",
             "250+circuit-status=\n"
             "7 BUILT PURPOSE=HS_SERVICE_REND REND_QUERY=" +
                 first +
                 "\n"
                 "8 BUILT PURPOSE=HS_CLIENT_REND REND_QUERY=" +
                 first +
                 "\n"
                 "9 BUILT PURPOSE=GENERAL\n.\n250 OK");
    f.tor.on("CLOSECIRCUIT", "250 OK");
    // One is on the way, and no HSDir takes its descriptors.
    f.publishes = false;
    f.rotation->ask({}).value();
    while (f.rotation->now().step != act::publish)
        co_await f.rotation->changed_from(f.rotation->now().version);
    f.publishes = true;
    rotation::request haste;
    haste.compromised = true;
    const auto done = co_await f.rotate(haste);
    CHECK(done.before.service_id() == first);
    CHECK(f.heard("DEL_ONION") == 2);
    CHECK(f.heard("CLOSECIRCUIT 7") == 1);
    CHECK(f.heard("CLOSECIRCUIT") == 1);
    CHECK(f.keys() == std::vector<std::string>{done.now.service_id()});
    CHECK(f.journal().ask_first);
}

}  // namespace

TEST_CASE("a compromised onion goes at once, whatever is waited for, and its callers' circuits with it") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        fixture f{executor};
        f.settings.directories = {"a"};
        (co_await f.begin()).value();
        auto body = compromise(f);
        co_await f.beside(std::move(body));
    });
}

namespace {

asio::awaitable<void> fail_and_recover(fixture& f) {
    const auto first = f.rotation->current();
    f.reaches = false;
    f.rotation->ask({}).value();
    while (!f.rotation->now().trouble)
        co_await f.rotation->changed_from(f.rotation->now().version);
    CHECK(f.rotation->now().trouble->sentence ==
          "the new onion cannot be reached through Tor: no luck: the state directory cannot be used");
    CHECK(f.rotation->current() == first);
    CHECK(f.warnings.size() == 1);
    f.reaches = true;
    rotation::request again;
    const auto done = co_await f.rotate(again);
    CHECK(done.behind == std::vector<std::string>{"b"});
    CHECK(done.sentence == "not registered at b: no luck: the state directory cannot be used");
    f.down.clear();
    const auto more = co_await f.rotate(again);
    CHECK(more.before == first);
    CHECK(more.now == done.now);
    CHECK(more.behind.empty());
}

}  // namespace

TEST_CASE("what does not succeed is told, and gone on with by the next who asks") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        fixture f{executor};
        f.settings.policy.grace = 1h;
        f.settings.directories = {"a", "b"};
        f.down = {"b"};
        (co_await f.begin()).value();
        auto body = fail_and_recover(f);
        co_await f.beside(std::move(body));
    });
}

namespace {

asio::awaitable<void> fail_to_save(fixture& f) {
    const auto file = f.folder.path() / "rotation.json";
    const auto kept = read_file(file, 1 << 20).value();
    const auto first = f.rotation->current();
    // Nothing can be renamed over a directory that is not empty.
    std::filesystem::remove(file);
    std::filesystem::create_directories(file / "x");
    f.rotation->ask({}).value();
    while (!f.rotation->now().trouble)
        co_await f.rotation->changed_from(f.rotation->now().version);
    CHECK(f.rotation->now().trouble->sentence.starts_with("the journal cannot be written: "));
    CHECK(f.keys() == std::vector<std::string>{first.service_id()});
    CHECK(f.heard("ADD_ONION") == 1);
    std::filesystem::remove_all(file);
    write_file(file, kept).value();
    rotation::request again;
    const auto done = co_await f.rotate(again);
    CHECK(done.before == first);
}

}  // namespace

TEST_CASE("without a journal nothing is begun") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        fixture f{executor};
        (co_await f.begin()).value();
        auto body = fail_to_save(f);
        co_await f.beside(std::move(body));
    });
}

TEST_CASE("what is in the state directory is taken for what it is") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        fixture f{executor};
        (co_await f.begin()).value();
        const auto first = f.rotation->current();
        const auto folder = f.folder.path();

        // A half-written key goes, a foreign one stays where it is and is told.
        const auto foreign = onion::secret_key::generate();
        const auto name = onion::address::of(foreign.public_key()).service_id();
        foreign.save(folder / "onions" / name).value();
        write_file(folder / "onions" / (name + ".0011.tmp"), "half").value();
        (co_await f.begin()).value();
        CHECK(f.rotation->current() == first);
        CHECK(f.keys().size() == 2);
        CHECK(f.heard("ADD_ONION") == 2);
        REQUIRE(f.warnings.size() == 1);
        CHECK(f.warnings[0] ==
              "a key in " + (folder / "onions").string() + " is not in the journal, and is left alone");
        std::filesystem::remove(folder / "onions" / name);

        // A damaged journal stops the server, and nothing is touched.
        const auto kept = read_file(folder / "rotation.json", 1 << 20).value();
        write_file(folder / "rotation.json", kept.substr(0, 40)).value();
        const auto damaged = co_await f.begin();
        CHECK(damaged.error().code == rotation::errc::corrupted);
        CHECK(f.keys() == std::vector<std::string>{first.service_id()});
        // Moved away, the server goes on with the keys.
        std::filesystem::remove(folder / "rotation.json");
        (co_await f.begin()).value();
        CHECK(f.rotation->current() == first);

        // The key is lost: a new onion takes its place.
        f.warnings.clear();
        f.rotation.reset();
        std::filesystem::remove(folder / "onions" / first.service_id());
        (co_await f.begin()).value();
        CHECK(f.warnings == std::vector<std::string>{"the key of the onion is lost: a new onion takes its place"});
        auto body = until(f, 1);
        co_await f.beside(std::move(body));
        while (f.rotation->current() == first) {
            auto more = f.rotation->changed_from(f.rotation->now().version);
            co_await f.beside(std::move(more));
        }
        CHECK(f.keys() == std::vector<std::string>{f.rotation->current().service_id()});
    });
}
