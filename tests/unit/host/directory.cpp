#include <bento/control/errc.hpp>
#include <bento/host/directory.hpp>
#include <bento/net/condition.hpp>
#include <bento/tor/mock.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "run.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using policy = config::settings::onion_settings::pow_policy;

namespace {

/// A directory on a tor that is a script.
struct hidden_directory {
    explicit hidden_directory(asio::any_io_executor executor) : tor{executor}, changed{executor} {
        options.state_directory = folder.path() / "state";
        options.settings.directory.bcrypt_cost = 4;
        options.tor.control = tor.listen(endpoint::unix_socket((folder.path() / "control").string())).value();
        options.tor.own = tor::client::launch::never;
        options.tor.directory = folder.path() / "tor";
        tell.ready = [this](const std::optional<onion::address>& o, const endpoint& at) {
            onion = o;
            listen = at;
            changed.notify_all();
        };
        tell.warning = [this](std::string_view text) { warnings += std::string{text} + '\n'; };
    }
    asio::awaitable<void> wait_ready() {
        const auto give_up = clock::now() + 10s;
        while (!onion) {
            const bool in_time = co_await changed.wait(give_up);
            if (!in_time) throw std::runtime_error{"it is not ready"};
        }
    }
    /// The onion whose key is in the state directory.
    onion::address address() const {
        const auto folder_of_keys = options.state_directory / "onions";
        return onion::address::parse(
                   std::filesystem::directory_iterator { folder_of_keys } -> path().filename().string())
            .value();
    }

    test::temporary_directory folder;
    tor::mock_tor tor;
    host::directory_options options;
    host::observer tell;
    std::string warnings;
    std::optional<onion::address> onion;
    endpoint listen;
    net::condition changed;
};

constexpr auto old_tor = "512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"PoWDefensesEnabled\"";

}  // namespace

TEST_CASE("T18: a directory is an onion that goes to loopback, defended as its own table says") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        hidden_directory d{executor};
        d.options.settings.directory.pow = policy::require;
        d.options.settings.onion.pow = policy::off;
        const auto seen = [&]() -> asio::awaitable<void> {
            const auto added = (co_await d.tor.hear("ADD_ONION", clock::now() + 10s)).value();
            CHECK(added.find(" PoWDefensesEnabled=1") != std::string::npos);
            CHECK(added.find(" Port=80,127.0.0.1:") != std::string::npos);
            d.tor.publish(d.address());
            co_await d.wait_ready();
            CHECK(d.onion == d.address());
            CHECK(d.listen.host == "127.0.0.1");
        };
        const auto ended = co_await (host::run_directory(d.options, d.tell) || seen());
        CHECK(ended.index() == 1);
        CHECK(d.warnings.find("bcrypt_cost is below 12") != std::string::npos);
    });
}

TEST_CASE("proof of work that tor does not know ends a directory that requires it, and is told by one that does not") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        hidden_directory d{executor};
        d.tor.once("ADD_ONION", old_tor);
        d.options.settings.directory.pow = policy::require;
        const auto ended = co_await host::run_directory(d.options, d.tell);
        CHECK(ended.error().code == control::errc::unrecognized);
    });
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        hidden_directory d{executor};
        d.tor.once("ADD_ONION", old_tor);
        const auto seen = [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 2; ++i)
                (co_await d.tor.hear("ADD_ONION", clock::now() + 10s)).value();
            d.tor.publish(d.address());
            co_await d.wait_ready();
        };
        const auto ended = co_await (host::run_directory(d.options, d.tell) || seen());
        CHECK(ended.index() == 1);
        CHECK(d.warnings.find("going on without") != std::string::npos);
    });
}

TEST_CASE("without an onion it has no tor, and one state directory has one directory") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        hidden_directory d{executor};
        d.options.no_onion = true;
        d.tell.ready = [&](const std::optional<onion::address>& o, const endpoint& at) {
            CHECK_FALSE(o);
            d.listen = at;
            d.changed.notify_all();
        };
        const auto seen = [&]() -> asio::awaitable<void> {
            while (d.listen.port == 0)
                co_await d.changed.wait(clock::now() + 10s);
            const auto second = co_await host::run_directory(d.options, {});
            CHECK(second.error().code == host::errc::in_use);
        };
        const auto ended = co_await (host::run_directory(d.options, d.tell) || seen());
        CHECK(ended.index() == 1);
        CHECK(d.tor.heard().empty());
    });
}
