// bentoctl onion add: an onion service for whatever listens on this machine, for as long as this runs.
#include <fmt/format.h>

#include <bento/base/errc.hpp>
#include <bento/net/condition.hpp>
#include <bento/tor/onion_services.hpp>
#include <bento/tor/supervisor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <charconv>

#include "caller.hpp"
#include "key_file.hpp"
#include "onion_verbs.hpp"
#include "options.hpp"
#include "run.hpp"

namespace bento::cli {
namespace {

namespace json = boost::json;
using namespace asio::experimental::awaitable_operators;
using wait = tor::publication::wait;

/// Whether somebody listens at a target is found out within this time.
constexpr std::chrono::seconds target_limit{2};

struct add_options {
    std::vector<std::string> ports;
    std::optional<std::filesystem::path> key;
    std::vector<std::string> clients;
    tor::pow_policy pow = tor::pow_policy::prefer;
    control::add_onion::proof_of_work pow_queue;
    std::uint16_t max_streams = 0;
    std::optional<wait> until = wait::quorum;
    std::chrono::milliseconds probe{0};
    bool detach = false;
};

struct port {
    std::uint16_t number = 0;
    endpoint target;
};

std::optional<std::uint16_t> port_number(std::string_view text) {
    std::uint16_t out = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failed != std::errc{} || end != text.data() + text.size() || out == 0) return {};
    return out;
}

/// VIRTUAL[,TARGET]
result<port> parse_port(std::string_view text) {
    const auto comma = text.find(',');
    const auto number = port_number(text.substr(0, comma));
    if (!number) return error{base::errc::malformed, "--port " + std::string{text} + ": expected PORT or PORT,TARGET"};
    if (comma == std::string_view::npos) return port{*number, endpoint::tcp("127.0.0.1", *number)};
    const auto target = text.substr(comma + 1);
    if (const auto local = port_number(target)) return port{*number, endpoint::tcp("127.0.0.1", *local)};
    auto at = endpoint::parse(target);
    if (!at) return at.error();
    return port{*number, std::move(*at)};
}

result<std::vector<port>> parse_ports(const std::vector<std::string>& texts) {
    std::vector<port> out;
    for (const auto& text : texts) {
        auto one = parse_port(text);
        if (!one) return one.error();
        out.push_back(std::move(*one));
    }
    return out;
}

result<tor::onion_service> make_service(const add_options& o, const std::vector<port>& ports) {
    auto key = o.key ? onion::secret_key::load(key_file(*o.key)) : onion::secret_key::generate();
    if (!key) return key.error();
    tor::onion_service out{std::move(*key)};
    out.port = ports.front().number;
    out.target = ports.front().target;
    for (std::size_t i = 1; i < ports.size(); ++i)
        out.more_ports.push_back({ports[i].number, ports[i].target.str()});
    out.max_streams = o.max_streams;
    out.pow = o.pow;
    out.pow_queue = o.pow_queue;
    for (std::string_view client : o.clients) {
        constexpr std::string_view kind = "descriptor:x25519:";
        if (client.starts_with(kind)) client.remove_prefix(kind.size());
        out.client_auth.emplace_back(client);
    }
    out.detached = o.detach;
    return out;
}

/// What the command tells while it goes on.
struct teller {
    const globals& g;
    terminal& out;
    onion::address address;
    const std::vector<port>& ports;
    bool is_ready = false;
    tor::health_state health = tor::health_state::down;

    void event(const char* name, json::object more = {}) const {
        if (!g.json) return;
        json::object o{{"event", name}};
        o.insert(more.begin(), more.end());
        out.line(json::serialize(o));
    }
    void changed(const tor::onion_status& s) {
        const auto now = s.descriptors.uploads();
        if (!is_ready && now.expected > 0) {
            if (!g.json)
                out.progress("publishing the onion service", static_cast<unsigned>(100 * now.confirmed / now.expected));
            event("publishing", {{"confirmed", now.confirmed}, {"expected", now.expected}});
        }
        const auto before = std::exchange(health, s.health);
        if (!is_ready || before == s.health) return;
        event("health", {{"health", tor::to_text(s.health)}});
        if (s.health == tor::health_state::unreachable)
            out.warn("nobody can reach the onion service; adding it anew");
        else if (before == tor::health_state::unreachable && s.health == tor::health_state::reachable)
            out.say("the onion service can be reached again");
    }
    void ready() {
        out.progress_done();
        json::array to;
        for (const auto& p : ports)
            to.push_back(json::object{{"port", p.number}, {"target", p.target.str()}});
        event("ready", {{"onion", address.host()}, {"ports", std::move(to)}});
        if (!g.json && !std::exchange(is_ready, true)) out.line(address.host());
        is_ready = true;
    }
};

asio::awaitable<void> look_at_targets(terminal& out, const std::vector<port>& ports) {
    for (const auto& p : ports) {
        const auto there = co_await net::stream::connect(p.target, clock::now() + target_limit);
        if (!there) out.warn(there.error().message() + ": callers will wait in vain until something listens there");
    }
}

task<int> wait_and_tell(tor::onion_services& onions, teller& tell, const add_options& o, time_point deadline) {
    if (o.until) {
        const auto published = co_await onions.wait_published(tell.address, *o.until, deadline);
        if (!published) co_return published.error();
    }
    tell.ready();
    co_return 0;
}

/// Added to a tor that runs, and left there.
task<int> add_detached(const globals& g, const add_options& o, tor::onion_service service, teller& tell,
                       tor::onion_services& onions, tor::client& tor) {
    const auto deadline = clock::now() + g.timeout;
    auto control = co_await tor.find(deadline);
    if (!control) co_return control.error();
    std::vector<std::string> keys{"onions/detached"};
    const auto known = co_await control->info(std::move(keys), deadline);
    const auto& there = known.begin()->second;
    if (!there) co_return there.error();
    if (there->find(tell.address.service_id()) != std::string::npos) {
        tell.out.fail("this onion service is there already, detached");
        tell.out.hint("bentoctl onion del " + tell.address.host() + " ends it");
        co_return 4;
    }
    if (auto prepared = co_await onions.prepare(*control); !prepared) co_return prepared.error();
    if (auto added = co_await onions.add(std::move(service), deadline); !added) co_return added.error();
    tell.event("added", {{"onion", tell.address.host()}});
    co_return co_await wait_and_tell(onions, tell, o, deadline);
}

/// Ready once it is published, and again each time that tor was gone; returns only where the first time fails.
asio::awaitable<result<int>> announce(tor::onion_services& onions, teller& tell, const add_options& o,
                                      net::condition& came_back, time_point deadline) {
    auto first = co_await wait_and_tell(onions, tell, o, deadline);
    if (!first) co_return first;
    for (;;) {
        co_await came_back.wait();
        const auto again = co_await wait_and_tell(onions, tell, o, clock::now() + tell.g.timeout);
        if (!again) tell.out.warn(again.error().message() + "; still trying");
    }
}

/// Held as long as this runs, over every end of tor.
task<int> hold(const globals& g, const add_options& o, tor::onion_service service, teller& tell,
               tor::onion_services& onions, tor::client& tor) {
    const auto deadline = clock::now() + g.timeout;
    net::condition came_back{co_await asio::this_coro::executor};
    bool was_lost = false;
    const auto dial = [&](time_point until) { return tor.dial(until); };
    tor::supervisor supervisor{
        dial, onions.preparer(), [&](const tor::supervisor::status& s) {
            if (s.is == tor::supervisor::phase::connected)
                if (const auto socket = tor.control_socket()) supervisor.watch(*socket);
            if (s.is == tor::supervisor::phase::waiting) {
                was_lost = true;
                tell.event("tor_lost");
                tell.out.warn((s.last_failure ? s.last_failure->message() : "tor is gone") + "; trying again");
            } else if (s.is == tor::supervisor::phase::connected && std::exchange(was_lost, false)) {
                tell.out.say("tor is back");
                came_back.notify_all();
            }
        }};
    const auto port = service.port;
    (co_await onions.add(std::move(service), deadline)).value();  // not connected: only remembered
    if (auto connected = co_await supervisor.connect(deadline); !connected) co_return connected.error();
    const auto* status = onions.find(tell.address);
    if (o.pow == tor::pow_policy::prefer && status->added && !status->defended)
        tell.out.warn("this tor knows no proof-of-work defences (it is older than 0.4.8); going on without");
    tell.event("added", {{"onion", tell.address.host()}});
    tor::health_policy policy;
    tor::onion_prober probe;
    if (o.probe.count() > 0) {
        const auto socks = co_await tor.socks(deadline);
        if (!socks) co_return socks.error();
        policy.probe_every = o.probe;
        probe = tor::connect_prober(*socks, port);
    }
    auto ended = co_await (announce(onions, tell, o, came_back, deadline) || supervisor.run() ||
                           onions.keep_healthy(policy, std::move(probe)));
    co_return std::get<0>(std::move(ended));
}

task<int> add(const globals& g, const add_options& o) {
    terminal out{g};
    const auto ports = parse_ports(o.ports);
    if (!ports) co_return ports.error();
    auto service = make_service(o, *ports);
    if (!service) co_return service.error();
    if (o.detach && !o.key) out.warn("without --key only this tor has the key: when it ends, the address is lost");
    auto settings = load_settings(g);
    if (!settings) co_return settings.error();
    auto to = tor_options(g, *settings, "onion-tor");
    if (!to) co_return to.error();
    co_await look_at_targets(out, *ports);
    std::optional<tor_directory> directory;
    if (!o.detach) {
        directory.emplace(to->directory);
        to->directory = directory->path();
    }
    teller tell{g, out, onion::address::of(service->key.public_key()), *ports};
    tor::onion_services onions{co_await asio::this_coro::executor,
                               [&](const tor::onion_status& s) { tell.changed(s); }};
    tor::client tor{std::move(*to),
                    [&](unsigned percent, std::string_view) { out.progress("reaching the Tor network", percent); }};
    if (o.detach) co_return co_await add_detached(g, o, std::move(*service), tell, onions, tor);
    co_return co_await hold(g, o, std::move(*service), tell, onions, tor);
}

/// A word of a few.
template <class Into, class Value>
void add_choice(CLI::App& options, const std::string& name, Into& into, std::map<std::string, Value> words,
                const std::string& help, const char* type) {
    std::vector<std::string> known;
    for (const auto& [word, value] : words)
        known.push_back(word);
    options
        .add_option_function<std::string>(
            name, [&into, words](const std::string& word) { into = words.at(word); }, help)
        ->check(CLI::IsMember(known))
        ->type_name(type);
}

}  // namespace

runner declare_onion_add(CLI::App& options) {
    auto o = std::make_shared<add_options>();
    options.add_option("--port", o->ports, "a port of the onion, and where it leads: PORT, unix:/path or HOST:PORT")
        ->required()
        ->type_name("PORT[,TARGET]");
    options.add_option("--key", o->key, "its key (bentoctl key generate); without, an address for this time only")
        ->type_name("FILE");
    options.add_option("--client-auth", o->clients, "only for clients with this public key, and others so named")
        ->type_name("KEY");
    using policy = tor::pow_policy;
    add_choice<policy, policy>(options, "--pow", o->pow,
                               {{"off", policy::off}, {"prefer", policy::prefer}, {"require", policy::require}},
                               "proof-of-work defences: off, prefer (default) or require", "WHETHER");
    options.add_option("--pow-rate", o->pow_queue.queue_rate, "requests a second that are let through under attack");
    options.add_option("--pow-burst", o->pow_queue.queue_burst, "and how many at once");
    options.add_option("--max-streams", o->max_streams, "streams of a circuit at a time (default: no limit)");
    add_choice<std::optional<wait>, std::optional<wait>>(
        options, "--wait", o->until,
        {{"first", wait::first}, {"quorum", wait::quorum}, {"all", wait::all}, {"none", std::nullopt}},
        "how many HSDirs must have its descriptors: first, quorum (default), all or none", "HOW");
    add_duration(options, "--probe", o->probe, "connect to it through Tor so often, and add it anew where that fails");
    options.add_flag("--detach", o->detach, "leave it to tor and return: it lives until onion del, or tor's end");
    return [o](const globals& g) { return run([&] { return add(g, *o); }, o->detach ? kind::command : kind::daemon); };
}

}  // namespace bento::cli
