#include <fmt/format.h>

#include <bento/box/server.hpp>
#include <bento/client/errc.hpp>
#include <bento/gateway/gateway.hpp>
#include <bento/host/daemon.hpp>
#include <bento/net/condition.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "hidden_service.hpp"

namespace bento::host {
namespace {

using namespace asio::experimental::awaitable_operators;

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

}  // namespace

task<void> run(options o, observer tell) {
    const auto executor = co_await asio::this_coro::executor;
    auto state = state_directory::open(o.state_directory);
    if (!state) co_return state.error();
    auto functions = co_await start_function_server(o, *state);
    if (!functions) co_return functions.error();
    gateway::gateway front{gateway_options(o.settings, *functions)};

    if (o.no_onion) {
        auto on = net::listener::listen(
            executor, listening_endpoint(o.settings.gateway.listen, *state, "gateway.sock", false), {});
        if (!on) co_return on.error();
        const auto where = on->where();
        front.serve(std::move(*on));
        if (tell.ready) tell.ready({}, where);
        co_await follow_configuration(tell, front, *functions);
        co_return result<void>{};
    }

    auto key = state->onion_key();
    if (!key) co_return key.error();
    hidden_service onion{executor, o.tor, tell};
    if (auto connected = co_await onion.connect(clock::now() + o.start_limit); !connected) co_return connected.error();
    const auto at = listening_endpoint(o.settings.gateway.listen, *state, "gateway.sock", onion.tor_is_own());
    auto on = net::listener::listen(executor, at, {});
    if (!on) co_return on.error();
    const auto where = on->where();
    front.serve(std::move(*on));
    auto added = co_await onion.add(o.settings.onion, std::move(*key), where);
    if (!added) co_return added.error();
    co_await (onion.run() && follow_configuration(tell, front, *functions));
    co_return result<void>{};
}

}  // namespace bento::host
