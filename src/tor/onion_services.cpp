#include <fmt/format.h>

#include <bento/base/uuid4.hpp>
#include <bento/control/circuit_command.hpp>
#include <bento/net/condition.hpp>
#include <bento/net/socks5.hpp>
#include <bento/tor/descriptor.hpp>
#include <bento/tor/onion_services.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace bento::tor {
namespace {

constexpr std::chrono::seconds command_limit{30};
/// A connection of ours that tor has not seen die holds its services for so long at most.
constexpr std::chrono::seconds collision_limit{5};
constexpr std::chrono::milliseconds collision_pause{500};
/// Between the end of a service and its next beginning: an HSDir takes no descriptor with the revision counter of one
/// that it has, which counts seconds.
constexpr std::chrono::milliseconds revision_pause{1100};
constexpr std::chrono::minutes probe_limit{2};
/// How soon after the machine wakes that is noticed.
constexpr std::chrono::minutes sleep_check{1};

control::add_onion command_for(const onion_service& service, bool defended) {
    control::add_onion c;
    c.key = service.key.add_onion_argument();
    c.ports.push_back({service.port, service.target.str()});
    c.ports.insert(c.ports.end(), service.more_ports.begin(), service.more_ports.end());
    if (service.max_streams > 0) {
        c.max_streams = service.max_streams;
        c.flags.max_streams_close_circuit = true;
    }
    if (defended) c.defences = service.pow_queue;
    c.client_auth = service.client_auth;
    c.flags.detach = service.detached;
    return c;
}

/// A tor before 0.4.8 stops at the first argument that it does not know.
bool knows_no_defences(const error& e) {
    return e.code == control::errc::unrecognized && e.peer.find("\"PoW") != std::string::npos;
}

error about_adding(const error& e) {
    std::string what = "adding the onion service";
    if (e.code == control::errc::invalid_argument) what += ": " + e.detail;  // which of ours it is
    return {e.code, std::move(what), e.peer};
}

}  // namespace

struct onion_services::state : std::enable_shared_from_this<state> {
    state(asio::any_io_executor e, std::function<void(const onion_status&)> c)
        : executor{std::move(e)}, changed{std::move(c)}, news{executor} {}

    struct entry {
        onion_service service;
        onion_status status;
        tor::health health;
    };

    asio::any_io_executor executor;
    std::function<void(const onion_status&)> changed;
    std::map<onion::address, entry> services;
    health_policy policy;
    controller current;
    unsigned connection = 0;     // counts prepare(): events of an earlier one's subscription are not taken twice
    bool is_supervised = false;  // another connection will follow this one
    net::condition news;

    static health::evidence known(const onion_status& s) {
        return {s.descriptors, s.added, s.taken_over, s.added_at, s.not_taken_at};
    }

    std::vector<onion::address> addresses() const {
        std::vector<onion::address> out;
        for (const auto& [address, e] : services)
            out.push_back(address);
        return out;
    }

    void tell(entry& e) {
        e.status.health = e.health.state(known(e.status), clock::now());
        e.status.repairs = e.health.repairs();
        e.status.refused_until = e.health.refused_until(known(e.status));
        if (changed) changed(e.status);
        news.notify_all();
    }

    /// Ends with the connection, and when nobody has the services any more: their state holds the connection.
    static asio::awaitable<void> consume(std::weak_ptr<state> whose, subscription events, unsigned connection) {
        for (;;) {
            auto next = co_await events.next();
            const auto s = whose.lock();
            if (!s || s->connection != connection) co_return;
            if (!next) co_return s->disconnected();
            const auto* event = std::get_if<control::event>(&*next);
            // After a gap the counts stay behind until the next upload, one to two hours later: what is missing is
            // taken for a silence, not for a success.
            if (event == nullptr) continue;
            const auto* descriptor = std::get_if<control::hs_desc>(event);
            if (descriptor == nullptr) continue;
            const auto address = onion::address::parse(descriptor->address);
            if (!address) continue;
            const auto found = s->services.find(*address);
            if (found == s->services.end()) continue;
            found->second.status.descriptors.feed(*descriptor, clock::now());
            s->tell(found->second);
        }
    }

    void disconnected() {
        current = {};
        for (auto& [address, e] : services) {
            e.status.added = false;
            if (!e.service.detached) e.status.descriptors = {};  // tor forgets it with its connection
            tell(e);
        }
        news.notify_all();
    }

    asio::awaitable<void> pause(clock::duration d) {
        asio::steady_timer timer{executor, d};
        co_await timer.async_wait(asio::use_awaitable);
    }

    /// ADD_ONION by the service's policy; true where it is defended by proof of work.
    task<bool> send(onion::address address, controller control, time_point deadline) {
        auto found = services.find(address);
        if (found == services.end()) co_return false;
        const auto pow = found->second.service.pow;
        bool defended = pow != pow_policy::off;
        for (;;) {
            auto added = co_await control.execute(command_for(found->second.service, defended), deadline);
            if (added && added->service_id != address.service_id())
                co_return error{control::errc::unexpected_reply, "tor added the onion service under another address"};
            if (added) co_return defended;
            found = services.find(address);  // it may have been removed meanwhile
            if (found == services.end()) co_return false;
            if (!defended || pow != pow_policy::prefer || !knows_no_defences(added.error()))
                co_return about_adding(added.error());
            defended = false;
        }
    }

    /// True where tor has the service already and it may stay; a detached one that is to go with us is ended.
    task<bool> reconcile(onion::address address, bool detached, controller control, time_point deadline) {
        std::vector<std::string> keys{"onions/current", "onions/detached"};
        const auto known = co_await control.info(std::move(keys), deadline);
        const auto lists = [&](std::string_view key) -> result<bool> {
            const auto& value = known.find(key)->second;
            if (!value) return value.error();
            return value->find(address.service_id()) != std::string::npos;
        };
        const auto here = lists("onions/current");
        if (!here) co_return here.error();
        if (*here) co_return true;
        const auto left = lists("onions/detached");
        if (!left) co_return left.error();
        if (!*left || detached) co_return *left;
        control::del_onion c;
        c.service_id = address.service_id();
        const auto gone = co_await control.execute(std::move(c), deadline);
        if (!gone && gone.error().code != control::errc::no_such_onion) co_return gone.error();
        co_await pause(revision_pause);
        co_return false;
    }

    task<void> add_now(onion::address address, controller control, time_point deadline) {
        auto added = co_await try_to_add(address, std::move(control), deadline);
        const auto found = services.find(address);
        if (added || found == services.end()) co_return added;
        found->second.status.last_error = added.error();
        found->second.status.not_taken_at = clock::now();
        tell(found->second);
        co_return added;
    }

    task<void> try_to_add(onion::address address, controller control, time_point deadline) {
        const auto before = services.find(address);
        if (before == services.end()) co_return result<void>{};
        const auto pow = before->second.service.pow;
        auto there = co_await reconcile(address, before->second.service.detached, control, deadline);
        if (!there) co_return there.error();
        bool defended = pow != pow_policy::off;
        const auto give_up = std::min(deadline, clock::now() + collision_limit);
        while (!*there) {
            auto sent = co_await send(address, control, deadline);
            if (sent) {
                defended = *sent;
                break;
            }
            if (sent.error().code != control::errc::onion_collision || clock::now() + collision_pause >= give_up)
                co_return sent.error();
            co_await pause(collision_pause);
        }
        const auto found = services.find(address);
        if (found == services.end()) co_return result<void>{};
        auto& status = found->second.status;
        // Of what tor had already, what it has uploaded stays true.
        if (!*there) status.descriptors = {};
        status.taken_over = *there;
        status.added = true;
        status.defended = defended;
        status.added_at = clock::now();
        status.last_error.reset();
        status.not_taken_at.reset();
        tell(found->second);
        co_return result<void>{};
    }
};

onion_services::onion_services(asio::any_io_executor executor, std::function<void(const onion_status&)> changed)
    : state_{std::make_shared<state>(std::move(executor), std::move(changed))} {}

task<void> onion_services::prepare(controller control) {
    const auto s = state_;
    const auto deadline = clock::now() + command_limit;
    std::vector<std::string> names{"HS_DESC"};
    auto events = co_await control.subscribe(std::move(names), deadline);
    if (!events) co_return events.error();
    asio::co_spawn(s->executor, state::consume(s, std::move(*events), ++s->connection), asio::detached);
    s->current = control;
    std::optional<error> first_error;
    std::size_t there = 0;
    for (const auto& address : s->addresses()) {
        auto added = co_await s->add_now(address, control, deadline);
        if (!control.connected()) co_return control::errc::disconnected;
        if (added)
            ++there;
        else if (!first_error)
            first_error = added.error();
    }
    // One that tor does not take leaves the others up.
    if (first_error && there == 0) co_return *first_error;
    co_return result<void>{};
}

supervisor::preparer onion_services::preparer() {
    state_->is_supervised = true;
    return [services = *this](controller control) mutable { return services.prepare(std::move(control)); };
}

task<onion::address> onion_services::add(onion_service service, time_point deadline) {
    const auto s = state_;
    const auto address = onion::address::of(service.key.public_key());
    if (s->services.contains(address)) co_return error{control::errc::onion_collision, "adding the onion service"};
    s->services.emplace(address, state::entry{std::move(service), onion_status{.address = address}, health{s->policy}});
    if (s->current.connected()) {
        auto added = co_await s->add_now(address, s->current, deadline);
        if (!added && added.error().code != control::errc::disconnected) {
            s->services.erase(address);
            co_return added.error();
        }
    }
    co_return address;
}

task<void> onion_services::remove(const onion::address& address, time_point deadline) {
    const auto s = state_;
    s->services.erase(address);
    if (!s->current.connected()) co_return result<void>{};
    control::del_onion c;
    c.service_id = address.service_id();
    auto gone = co_await s->current.execute(std::move(c), deadline);
    if (!gone && gone.error().code != control::errc::disconnected && gone.error().code != control::errc::no_such_onion)
        co_return gone.error();
    co_return result<void>{};
}

task<void> onion_services::close_circuits(const onion::address& address, time_point deadline) {
    const auto s = state_;
    const auto service = address.service_id();
    if (!s->current.connected()) co_return result<void>{};
    std::vector<std::string> keys{"circuit-status"};
    const auto known = co_await s->current.info(std::move(keys), deadline);
    const auto& list = known.begin()->second;
    if (!list) co_return list.error();
    std::vector<control::close_circuit> commands;
    for (const auto& circuit : control::parse_circuits(*list))
        if (circuit.rend_query == service && circuit.purpose.starts_with("HS_SERVICE"))
            commands.push_back({circuit.id});
    const auto closed = co_await s->current.execute_all(std::move(commands), deadline);
    for (const auto& c : closed)
        // One that has ended by itself is not known any more.
        if (!c && c.error().code != control::errc::unrecognized && c.error().code != control::errc::disconnected)
            co_return c.error();
    co_return result<void>{};
}

const onion_status* onion_services::find(const onion::address& address) const {
    const auto found = state_->services.find(address);
    return found == state_->services.end() ? nullptr : &found->second.status;
}

task<publication::count> onion_services::wait_published(const onion::address& address, publication::wait what,
                                                        time_point deadline) {
    const auto s = state_;
    const auto service = address;
    bool now_is_late = false;
    for (;;) {
        const auto found = s->services.find(service);
        if (found == s->services.end()) co_return error{errc::not_published, "the onion service was removed"};
        const auto& status = found->second.status;
        const auto& descriptors = status.descriptors;
        const auto now = descriptors.uploads();
        if (status.added && descriptors.reached(what)) co_return now;
        if (!s->is_supervised && !s->current.connected()) co_return control::errc::disconnected;
        if (now_is_late && !status.added && status.last_error) co_return *status.last_error;
        if (now_is_late)
            co_return error{errc::not_published, fmt::format("{} of {} uploads confirmed", now.confirmed, now.expected),
                            descriptors.last_failure()};
        now_is_late = !co_await s->news.wait(deadline);
    }
}

task<void> onion_services::repair(const onion::address& address, time_point deadline) {
    const auto s = state_;
    const auto service = address;
    if (!s->current.connected()) co_return control::errc::disconnected;
    control::del_onion c;
    c.service_id = service.service_id();
    auto gone = co_await s->current.execute(std::move(c), deadline);
    if (!gone && gone.error().code != control::errc::no_such_onion) co_return gone.error();
    co_await s->pause(revision_pause);
    co_return co_await s->add_now(service, s->current, deadline);
}

asio::awaitable<void> onion_services::keep_healthy(health_policy policy, onion_prober probe) {
    const auto s = state_;
    if (!probe) policy.probe_every = {};
    s->policy = policy;
    for (auto& [address, e] : s->services)
        e.health = health{policy};
    auto asleep = policy.asleep();
    for (;;) {
        const bool has_slept = policy.asleep() - asleep >= policy.sleep;
        asleep = policy.asleep();
        auto until = clock::now() + sleep_check;
        for (const auto& address : s->addresses()) {
            auto found = s->services.find(address);
            if (found == s->services.end()) continue;
            auto todo = found->second.health.next(state::known(found->second.status), clock::now());
            if (has_slept && found->second.status.added) todo = health::repair{"the machine has slept"};
            if (const auto* w = std::get_if<health::wait>(&todo)) {
                until = std::min(until, w->until);
                continue;
            }
            until = clock::now();
            const auto limit = clock::now() + probe_limit;
            if (std::holds_alternative<health::probe>(todo)) {
                const auto reached = co_await probe(address, limit);
                found = s->services.find(address);
                // Where tor itself has gone, nothing was learnt about the service.
                if (found == s->services.end() || !found->second.status.added) continue;
                found->second.health.probed(static_cast<bool>(reached), clock::now());
            } else if (!s->current.connected()) {
                continue;  // the next connection adds it
            } else {
                found->second.health.repaired(state::known(found->second.status), clock::now());
                co_await repair(address, limit);  // what fails is seen as silence, and tried again later
                found = s->services.find(address);
            }
            if (found != s->services.end()) s->tell(found->second);
        }
        co_await s->news.wait(until);
    }
}

onion_prober onion_services::fetch_prober() const {
    return [s = state_](onion::address address, time_point deadline) -> task<void> {
        std::vector<std::string> hs_dirs;
        if (const auto found = s->services.find(address); found != s->services.end())
            for (const auto& u : found->second.status.descriptors.each())
                if (u.confirmed_at) hs_dirs.push_back(u.hs_dir);
        auto fetched = co_await fetch_descriptor(s->current, address, std::move(hs_dirs), deadline);
        if (!fetched) co_return fetched.error();
        co_return result<void>{};
    };
}

onion_prober connect_prober(endpoint socks, std::uint16_t port) {
    return [socks, port](onion::address address, time_point deadline) -> task<void> {
        net::isolation once{"bentoctl-probe", uuid4::generate().str()};
        net::socks_target to{address.host(), port};
        auto reached = co_await net::connect_through(socks, std::move(once), std::move(to), {}, deadline);
        if (!reached) co_return reached.error();
        co_return result<void>{};
    };
}

}  // namespace bento::tor
