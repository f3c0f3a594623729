#include <fmt/format.h>

#include <bento/box/server.hpp>
#include <bento/client/errc.hpp>
#include <bento/gateway/gateway.hpp>
#include <bento/host/daemon.hpp>
#include <bento/net/condition.hpp>
#include <bento/tor/onion_services.hpp>
#include <bento/tor/supervisor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "state_directory.hpp"

namespace bento::host {
namespace {

using namespace asio::experimental::awaitable_operators;

/// After this a publication that is not complete is told, and waited for all the same.
constexpr std::chrono::minutes publication_limit{1};
/// Once one HSDir has a descriptor, the others follow within seconds or not soon.
constexpr std::chrono::seconds completion_limit{20};

/// tor's ADD_ONION reads no quoting: some paths cannot be told to it.
bool can_be_target(const endpoint& at) {
    control::add_onion probe;
    probe.ports.push_back({80, at.str()});
    return static_cast<bool>(probe.encode());
}

tor::onion_service onion_service(const config::settings::onion_settings& s, onion::secret_key key, endpoint target) {
    using policy = config::settings::onion_settings::pow_policy;
    tor::onion_service out{std::move(key)};
    out.port = s.port;
    out.target = std::move(target);
    out.max_streams = s.max_streams;
    out.pow = s.pow == policy::require  ? tor::pow_policy::require
              : s.pow == policy::prefer ? tor::pow_policy::prefer
                                        : tor::pow_policy::off;
    out.pow_queue = {s.pow_queue_rate, s.pow_queue_burst};
    out.client_auth = s.client_auth;
    return out;
}

/// Where the gateway listens: the system's tor may be confined to sockets of its own directory (Debian's AppArmor
/// profile), so only a tor of ours is given a unix socket.
endpoint gateway_endpoint(const config::settings& s, const state_directory& state, bool own_tor) {
    if (s.gateway.listen) return *s.gateway.listen;
    const auto socket = state.socket("gateway.sock");
    if (own_tor && socket && can_be_target(*socket)) return *socket;
    return endpoint::tcp("127.0.0.1", 0);
}

/// The function server: the embedded box on a socket of its own, or the one that was named.
struct function_server {
    std::optional<box::server> embedded;
    endpoint at;
};

task<function_server> start_function_server(const options& o, const state_directory& state) {
    function_server out;
    if (o.settings.gateway.server) {
        out.at = *o.settings.gateway.server;
        co_return std::move(out);
    }
    auto options = box::options::from(o.settings.box, state / "functions");
    options.helper = o.helper;
    auto started = co_await box::server::start(std::move(options));
    if (!started) co_return started.error();
    const auto executor = co_await asio::this_coro::executor;
    const auto at = state.socket("box.sock").value_or(endpoint::tcp("127.0.0.1", 0));
    auto on = net::listener::listen(executor, at, {});
    if (!on) co_return on.error();
    out.at = on->where();
    started->serve(std::move(*on));
    out.embedded = std::move(*started);
    co_return std::move(out);
}

gateway::custom_route custom_route(const config::settings::route& r) {
    using from = config::settings::route::type;
    using type = gateway::custom_route::type;
    gateway::custom_route out{r.path, *r.token, r.call, {}, r.collect_seconds, r.collect_messages};
    for (const auto& [name, a] : r.arguments) {
        const auto is = a.is == from::text           ? type::text
                        : a.is == from::whole_number ? type::whole_number
                        : a.is == from::number       ? type::number
                        : a.is == from::boolean      ? type::boolean
                                                     : type::any;
        out.arguments.emplace(name, gateway::custom_route::argument{is, a.needed});
    }
    return out;
}

/// What a function may use, for everybody to read.
std::string policy_of(const config::settings::box_settings& b) {
    const auto seconds = [](std::chrono::milliseconds d) { return static_cast<double>(d.count()) / 1000; };
    return fmt::format(
        R"("memory":{},"cpu_seconds":{},"wall_seconds":{},"processes":{},"disk":{},"output":{},"instances":{},"network":"none")",
        b.memory, seconds(b.cpu), seconds(b.wall), b.processes, b.disk, b.output, b.instances);
}

gateway::options gateway_options(const config::settings& s, function_server& functions) {
    gateway::options o;
    o.server = functions.at;
    o.store = s.gateway.store;
    o.exec = s.gateway.exec;
    o.open = s.gateway.open;
    o.input = s.gateway.input;
    o.close = s.gateway.close;
    o.delete_ = s.gateway.delete_;
    o.register_ = s.gateway.register_;
    o.session = s.gateway.session;
    for (const auto& r : s.routes)
        o.routes.push_back(custom_route(r));
    o.literal_calls = s.gateway.literal_calls;
    o.max_body = s.gateway.max_body;
    o.deadline = s.gateway.deadline;
    o.ttl = s.box.ttl;
    if (!functions.embedded) return o;
    auto& box = *functions.embedded;
    o.policy = policy_of(s.box);
    o.end = [&box](const uuid4& id) { return static_cast<bool>(box.kill(id)); };
    o.remove = [&box](uuid4 token) -> task<void> {
        auto removed = box.remove(token);
        if (!removed && removed.error().code == box::errc::unknown_token) co_return client::errc::unknown_token;
        co_return removed;
    };
    o.code_sha256_of = [&box](const uuid4& token) -> std::optional<std::string> {
        const auto known = box.functions().about(token);
        if (!known || known->damaged) return {};
        return known->code_sha256;
    };
    return o;
}

asio::awaitable<void> follow_configuration(const observer& tell, gateway::gateway& g, function_server& functions) {
    while (tell.reconfigured) {
        auto fresh = co_await tell.reconfigured();
        if (fresh)
            g.configure(gateway_options(*fresh, functions));
        else if (tell.warning)
            tell.warning(fresh.error().message() + "; going on as before");
    }
    net::condition never{co_await asio::this_coro::executor};
    co_await never.wait();
}

/// Returns when the onion can be reached, and goes on telling while it cannot.
asio::awaitable<void> wait_until_published(tor::onion_services& onions, onion::address address, const observer& tell) {
    using wait = tor::publication::wait;
    for (;;) {
        const auto first = co_await onions.wait_published(address, wait::first, clock::now() + publication_limit);
        if (first) break;
        if (tell.warning) tell.warning(first.error().message() + "; still trying");
    }
    // What is missing now is told by status, and uploaded by tor again within minutes.
    co_await onions.wait_published(address, wait::all, clock::now() + completion_limit);
}

/// Says `ready` once the onion is published, and again after each time that tor had gone.
asio::awaitable<void> announce(tor::onion_services& onions, onion::address address, endpoint listen,
                               const observer& tell, net::condition& came_back) {
    for (;;) {
        co_await wait_until_published(onions, address, tell);
        if (tell.ready) tell.ready(address, listen);
        co_await came_back.wait();
    }
}

}  // namespace

task<void> run(options o, observer tell) {
    const auto executor = co_await asio::this_coro::executor;
    auto state = state_directory::open(o.state_directory);
    if (!state) co_return state.error();
    auto functions = co_await start_function_server(o, *state);
    if (!functions) co_return functions.error();
    gateway::gateway front{gateway_options(o.settings, *functions)};

    if (o.no_onion) {
        auto on = net::listener::listen(executor, gateway_endpoint(o.settings, *state, false), {});
        if (!on) co_return on.error();
        const auto where = on->where();
        front.serve(std::move(*on));
        if (tell.ready) tell.ready({}, where);
        co_await follow_configuration(tell, front, *functions);
        co_return result<void>{};
    }

    auto key = state->onion_key();
    if (!key) co_return key.error();
    const auto address = onion::address::of(key->public_key());
    tor::onion_services onions{executor, [&](const tor::onion_status& s) {
                                   if (tell.publishing) tell.publishing(s.descriptors.uploads());
                               }};
    tor::client tor{o.tor, tell.bootstrapping};
    net::condition came_back{executor};
    bool was_lost = false;
    tor::supervisor supervisor{
        [&](time_point deadline) { return tor.dial(deadline); },
        [&](tor::controller control) { return onions.prepare(std::move(control)); },
        [&](const tor::supervisor::status& s) {
            if (s.is == tor::supervisor::phase::waiting) {
                was_lost = true;
                const auto next = std::chrono::ceil<std::chrono::milliseconds>(s.next_attempt - clock::now());
                if (tell.tor_lost) tell.tor_lost(s.last_failure.value_or(error{}), next);
            } else if (s.is == tor::supervisor::phase::connected && std::exchange(was_lost, false)) {
                if (tell.tor_back) tell.tor_back();
                came_back.notify_all();
            }
        }};
    if (o.tor.control && o.tor.control->is_unix()) supervisor.watch(o.tor.control->path);
    if (auto connected = co_await supervisor.connect(clock::now() + o.start_limit); !connected)
        co_return connected.error();

    auto on = net::listener::listen(executor, gateway_endpoint(o.settings, *state, tor.is_own()), {});
    if (!on) co_return on.error();
    const auto where = on->where();
    front.serve(std::move(*on));
    auto service = onion_service(o.settings.onion, std::move(*key), where);
    const bool wants_defences = service.pow != tor::pow_policy::off;
    auto added = co_await onions.add(std::move(service), clock::now() + publication_limit);
    if (!added) co_return added.error();
    const auto* status = onions.find(address);
    if (wants_defences && status->added && !status->defended && tell.warning)
        tell.warning("this tor knows no proof-of-work defences (it is older than 0.4.8); going on without");

    co_await (supervisor.run() && announce(onions, address, where, tell, came_back) &&
              follow_configuration(tell, front, *functions));
    co_return result<void>{};
}

}  // namespace bento::host
