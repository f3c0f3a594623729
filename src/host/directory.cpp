#include <algorithm>
#include <bento/directory/directory.hpp>
#include <bento/host/directory.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <thread>

#include "hidden_service.hpp"

namespace bento::host {
namespace {

using namespace asio::experimental::awaitable_operators;

/// What T24 asks for; less is told.
constexpr unsigned good_bcrypt_cost = 12;

directory::options options_of(const config::settings::directory_settings& s) {
    using hash = config::settings::directory_settings::hash_scheme;
    directory::options out;
    out.hash.scheme = s.hash == hash::argon2id ? directory::hash_scheme::argon2id : directory::hash_scheme::bcrypt;
    out.hash.bcrypt_cost = s.bcrypt_cost;
    // One processor is left to look-ups.
    out.hash_threads = std::max(2U, std::thread::hardware_concurrency()) - 1;
    out.max_code = s.max_code;
    out.entries_per_account = s.entries_per_account;
    return out;
}

void warn_of_weakness(const config::settings::directory_settings& s, const observer& tell) {
    using hash = config::settings::directory_settings::hash_scheme;
    if (s.hash == hash::bcrypt && s.bcrypt_cost < good_bcrypt_cost && tell.warning)
        tell.warning("[directory] bcrypt_cost is below 12: whoever steals the hashes tries passwords faster");
}

asio::awaitable<void> follow_configuration(const observer& tell, directory::directory& d) {
    while (tell.reconfigured) {
        const auto fresh = co_await tell.reconfigured();
        if (fresh)
            d.change_limits(fresh->directory.max_code, fresh->directory.entries_per_account);
        else if (tell.warning)
            tell.warning(fresh.error().message() + "; going on as before");
    }
    net::condition never{co_await asio::this_coro::executor};
    co_await never.wait();
}

}  // namespace

std::filesystem::path directory_database(const options& o) {
    return o.settings.directory.sqlite.value_or(o.state_directory / "directory.db");
}

task<void> run_directory(directory_options o, observer tell) {
    const auto executor = co_await asio::this_coro::executor;
    const auto& settings = o.settings.directory;
    auto state = state_directory::open(o.state_directory);
    if (!state) co_return state.error();
    auto store = store::open_sqlite(directory_database(o).string());
    if (!store) co_return store.error();
    auto with = options_of(settings);
    warn_of_weakness(settings, tell);

    if (o.no_onion) {
        auto on = net::listener::listen(executor, listening_endpoint(settings.listen, *state, {}, false), {});
        if (!on) co_return on.error();
        const auto where = on->where();
        with.name = o.name.value_or(where.str());
        directory::directory served{std::move(with), std::move(*store)};
        served.serve(std::move(*on));
        if (tell.ready) tell.ready({}, where);
        co_await follow_configuration(tell, served);
        co_return result<void>{};
    }

    auto key = state->onion_key();
    if (!key) co_return key.error();
    with.name = onion::address::of(key->public_key()).host();
    directory::directory served{std::move(with), std::move(*store)};
    hidden_service onion{executor, o.tor, tell};
    if (auto connected = co_await onion.connect(clock::now() + o.start_limit); !connected) co_return connected.error();
    const auto at = listening_endpoint(settings.listen, *state, "directory.sock", onion.tor_is_own());
    auto on = net::listener::listen(executor, at, {});
    if (!on) co_return on.error();
    const auto where = on->where();
    served.serve(std::move(*on));
    auto published_as = o.settings.onion;
    published_as.pow = settings.pow;
    auto added = co_await onion.add(published_as, std::move(*key), where);
    if (!added) co_return added.error();
    co_await (onion.run() && follow_configuration(tell, served));
    co_return result<void>{};
}

}  // namespace bento::host
