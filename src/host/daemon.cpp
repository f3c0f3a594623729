#include <fmt/format.h>

#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/box/server.hpp>
#include <bento/client/errc.hpp>
#include <bento/gateway/gateway.hpp>
#include <bento/host/daemon.hpp>
#include <bento/net/condition.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json.hpp>

#include "announcing.hpp"
#include "hidden_service.hpp"
#include "operations.hpp"

namespace bento::host {
namespace {

using namespace asio::experimental::awaitable_operators;

/// A credential is a line.
constexpr std::size_t credential_limit = 4096;
/// Clients of the onion at a time, each an open descriptor: a thousand sessions that wait for their functions, and as
/// many again that come and go. Further ones wait in the kernel's queue.
constexpr net::listener::limits clients{.connections = 4096};

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

/// The same for a person.
std::vector<std::string> policy_lines(const config::settings::box_settings& b) {
    return {fmt::format("A function may use {} MiB of memory, {} processes and {} MiB of files, and no network.",
                        b.memory >> 20, b.processes, b.disk >> 20),
            fmt::format("It may compute for {} seconds, run for {} seconds and send {} MiB.",
                        std::chrono::duration_cast<std::chrono::seconds>(b.cpu).count(),
                        std::chrono::duration_cast<std::chrono::seconds>(b.wall).count(), b.output >> 20)};
}

/// What clients who may store show.
result<std::shared_ptr<const secret>> store_credential(const config::settings& s) {
    if (!s.box.store_credential_file) return std::shared_ptr<const secret>{};
    auto text = read_secret_file(*s.box.store_credential_file, credential_limit);
    if (!text) return text.error();
    auto line = text->text();
    while (line.ends_with('\n') || line.ends_with('\r'))
        line.remove_suffix(1);
    if (line.empty()) return error{base::errc::malformed, s.box.store_credential_file->string() + " is empty"};
    return std::make_shared<const secret>(line);
}

/// How long a directory may take that a client of the gateway waits for.
constexpr std::chrono::minutes publication_limit{2};
/// A circuit to a directory that takes longer is given up for another one.
constexpr std::chrono::seconds directory_connect_limit{30};

/// What a client is told of a directory that does not take an entry.
error for_client(const error& e) {
    if (e.code == box::errc::unknown_token) return client::errc::unknown_token;
    if (e.code == lookup::errc::taken || e.code == lookup::errc::ended || e.code == lookup::errc::quota)
        return {client::errc::forbidden, {}, e.code.message()};
    return e;
}

/// `h` and `owner` outlive the gateway.
result<gateway::options> gateway_options(const config::settings& s, const hosted& h, const entry::owner_secret& owner) {
    using storers = config::settings::box_settings::storers;
    gateway::options o;
    o.server = h.functions.server();
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
    o.store_who = s.box.store_who == storers::anyone       ? gateway::options::storers::anyone
                  : s.box.store_who == storers::credential ? gateway::options::storers::credential
                                                           : gateway::options::storers::operator_;
    auto credential = store_credential(s);
    if (!credential) return credential.error();
    o.is_credential = [known = *credential](std::string_view c) { return known && *known == secret{c}; };
    o.reads_ahead = h.functions.box() == nullptr;
    o.owner_token_of = [&owner](const uuid4& token) { return owner.owner_token(token); };
    if (h.registered != nullptr && h.registered->has_directories())
        o.publish = [&h](uuid4 token) -> task<std::string> {
            const auto entry = co_await publish(h, token, true, clock::now() + publication_limit);
            if (!entry) co_return for_client(entry.error());
            co_return boost::json::serialize(entry::to_json(*entry, false)) + "\n";
        };
    o.code_sha256_of = [&h](const uuid4& token) -> std::optional<std::string> {
        const auto known = h.functions.store().about(token);
        if (!known || known->damaged) return {};
        return known->code_sha256;
    };
    auto* box = h.functions.box();
    if (box == nullptr) {
        // What an external server stores is kept here, too, so that it can be registered.
        o.stored = [&h](const uuid4& token, const std::string& name, const std::string& code) {
            const auto kept = h.functions.store().add(token, {name, code});
            if (!kept && h.warning) h.warning(token.str() + " cannot be registered: " + kept.error().message());
        };
        return o;
    }
    o.policy = policy_of(h.functions.limits());
    o.policy_lines = policy_lines(h.functions.limits());
    o.end = [box](const uuid4& id) { return static_cast<bool>(box->kill(id)); };
    o.remove = [&h](uuid4 token) -> task<void> {
        const auto removed = remove(h, token);
        if (!removed) co_return for_client(removed.error());
        co_return result<void>{};
    };
    return o;
}

rotator::settings rotation_settings(const config::settings& s, const registrations& r) {
    using from = config::settings::rotation_settings::uploads;
    using to = tor::publication::wait;
    rotator::settings out;
    out.policy = rotation_policy(s);
    for (const auto& d : r.standings())
        out.directories.push_back(d.directory);
    out.uploads = s.rotation.min_uploads == from::first ? to::first
                  : s.rotation.min_uploads == from::all ? to::all
                                                        : to::quorum;
    return out;
}

asio::awaitable<void> follow_configuration(const observer& tell, gateway::gateway& g, const hosted& h,
                                           const entry::owner_secret& owner) {
    while (tell.reconfigured) {
        const auto fresh = co_await tell.reconfigured();
        auto options = fresh ? gateway_options(*fresh, h, owner) : fresh.error();
        if (options) {
            g.configure(std::move(*options));
            if (h.keys != nullptr) h.keys->configure(rotation_settings(*fresh, *h.registered));
        } else if (tell.warning) {
            tell.warning(options.error().message() + "; going on as before");
        }
    }
    net::condition never{co_await asio::this_coro::executor};
    co_await never.wait();
}

/// What the directories are asked through: a circuit of its own for each connection.
std::function<web::road(const lookup::address&)> roads_through(endpoint socks) {
    return [socks = std::move(socks)](const lookup::address& a) {
        auto out = a.road(socks, {"bentoctl-register", uuid4::generate().str()});
        out.connect_limit = directory_connect_limit;
        return out;
    };
}

result<entry::owner_secret> owner_of(const config::settings& s, const state_directory& state) {
    if (s.bfd.owner_file) return entry::owner_secret::load(*s.bfd.owner_file);
    return entry::owner_secret::load_or_make(state / "owner");
}

result<std::vector<lookup::address>> directories_of(const config::settings& s) {
    std::vector<lookup::address> out;
    for (const auto& text : s.bfd.onions) {
        auto at = lookup::address::parse(text);
        if (!at) return at.error();
        out.push_back(std::move(*at));
    }
    return out;
}

}  // namespace

task<void> run(options o, observer tell) {
    const auto executor = co_await asio::this_coro::executor;
    net::allow_descriptors();
    const auto directories = directories_of(o.settings);
    if (!directories) co_return directories.error();
    auto state = state_directory::open(o.state_directory);
    if (!state) co_return state.error();
    const auto owner = owner_of(o.settings, *state);
    if (!owner) co_return owner.error();
    auto functions = co_await stored_functions::start(o.settings, *state, o.helper);
    if (!functions) co_return functions.error();
    hosted h{*functions, *state};
    h.warning = tell.warning;

    if (o.no_onion) {
        // Who publishes it has the onion's key, which an entry needs.
        auto front_options = gateway_options(o.settings, h, *owner);
        if (!front_options) co_return front_options.error();
        gateway::gateway front{std::move(*front_options)};
        auto on = net::listener::listen(
            executor, listening_endpoint(o.settings.gateway.listen, *state, "gateway.sock", false), clients);
        if (!on) co_return on.error();
        const auto where = on->where();
        front.serve(std::move(*on));
        auto answers = control_socket::open(executor, *state, operations(h));
        if (!answers) co_return answers.error();
        if (tell.ready) tell.ready({}, where);
        co_await follow_configuration(tell, front, h, *owner);
        co_return result<void>{};
    }

    std::unique_ptr<rotator> keys;  // outlives what tells it of changes
    hidden_service onion{executor, o.tor, tell};
    const auto start_deadline = clock::now() + o.start_limit;
    if (auto connected = co_await onion.connect(start_deadline); !connected) co_return connected.error();

    registrations::options with;
    with.journal = *state / "registrations.json";
    with.directories = *directories;
    if (!directories->empty()) {
        const auto socks = co_await onion.socks(start_deadline);
        if (!socks) co_return socks.error();
        with.road_to = roads_through(*socks);
    }
    with.code_of = [&](const uuid4& token) { return functions->code_of(token); };
    with.key_of = [&](const onion::address& a) { return state->key_of(a); };
    with.warning = tell.warning;
    auto registered = registrations::open(executor, std::move(with), *owner);
    if (!registered) co_return registered.error();
    h.registered = &*registered;

    auto front_options = gateway_options(o.settings, h, *owner);
    if (!front_options) co_return front_options.error();
    gateway::gateway front{std::move(*front_options)};
    const auto at = listening_endpoint(o.settings.gateway.listen, *state, "gateway.sock", onion.tor_is_own());
    auto on = net::listener::listen(executor, at, clients);
    if (!on) co_return on.error();
    const auto where = on->where();
    front.serve(std::move(*on));

    rotator::hands hands;
    hands.service = [&](onion::secret_key key) {
        return hidden_service::service_of(o.settings.onion, std::move(key), where);
    };
    hands.probe = [&](onion::address address, time_point deadline) {
        return onion.reach(std::move(address), o.settings.onion.port, deadline);
    };
    hands.reregister = [&](onion::address address, std::vector<std::string> names, bool ask_first,
                           time_point deadline) {
        return announce(*registered, std::move(address), std::move(names), ask_first, deadline);
    };
    hands.verify = [&](onion::address address, std::vector<std::string> names, time_point deadline) {
        return compare(onion, *registered, *directories, std::move(address), std::move(names), deadline);
    };
    hands.tokens = [&] { return registered->size(); };
    hands.promoted = [&](const onion::address& address) {
        onion.tell_of(address, o.settings.onion, where);
        // What was registered while the others were on their way. After a compromised key all of them follow.
        if (!h.keys->journal().ask_first)
            if (const auto pointed = registered->point_to(address, {address}); !pointed && tell.warning)
                tell.warning(pointed.error().message());
        if (tell.rotated) tell.rotated(address);
    };
    hands.warning = tell.warning;
    auto opened =
        rotator::open(executor, *state, onion.onions(), rotation_settings(o.settings, *registered), std::move(hands));
    if (!opened) co_return opened.error();
    keys = std::move(*opened);
    onion.on_change([&](const tor::onion_status& s) { keys->told(s); });
    h.keys = keys.get();
    // Of a key that is not here any more nobody can answer. Where the current one is not, a rotation moves them all.
    if (const auto here = keys->here(); here.contains(keys->current()))
        if (auto pointed = registered->point_to(keys->current(), here); !pointed) co_return pointed.error();
    if (auto started = co_await keys->start(); !started) co_return started.error();
    onion.tell_of(keys->current(), o.settings.onion, where);
    auto answers = control_socket::open(executor, *state, operations(h));
    if (!answers) co_return answers.error();
    co_await (onion.run() && keys->run() && registered->run() && follow_configuration(tell, front, h, *owner));
    co_return result<void>{};
}

}  // namespace bento::host
