#include <fmt/format.h>

#include <bento/net/condition.hpp>
#include <bento/tor/onion_services.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace bento::tor {
namespace {

constexpr std::chrono::seconds command_limit{30};

control::add_onion command_for(const onion_service& service, bool defended) {
    control::add_onion c;
    c.key = service.key.add_onion_argument();
    c.ports.push_back({service.port, service.target.str()});
    if (service.max_streams > 0) {
        c.max_streams = service.max_streams;
        c.flags.max_streams_close_circuit = true;
    }
    if (defended) c.defences = service.pow_queue;
    c.client_auth = service.client_auth;
    return c;
}

/// A tor before 0.4.8 stops at the first argument that it does not know.
bool knows_no_defences(const error& e) {
    return e.code == control::errc::unrecognized && e.peer.find("\"PoW") != std::string::npos;
}

}  // namespace

struct onion_services::state : std::enable_shared_from_this<state> {
    state(asio::any_io_executor e, std::function<void(const onion_status&)> c)
        : executor{std::move(e)}, changed{std::move(c)}, news{executor} {}

    struct entry {
        onion_service service;
        onion_status status;
    };

    asio::any_io_executor executor;
    std::function<void(const onion_status&)> changed;
    std::map<onion::address, entry> services;
    controller current;
    net::condition news;

    void tell(const onion_status& s) {
        if (changed) changed(s);
        news.notify_all();
    }

    static asio::awaitable<void> consume(std::shared_ptr<state> s, subscription events) {
        for (;;) {
            auto next = co_await events.next();
            if (!next) break;
            const auto* event = std::get_if<control::event>(&*next);
            // After a gap the counts stay behind; the next upload of the same descriptors, 1 to 2 minutes later,
            // makes them right again.
            if (event == nullptr) continue;
            const auto* descriptor = std::get_if<control::hs_desc>(event);
            if (descriptor == nullptr) continue;
            const auto address = onion::address::parse(descriptor->address);
            if (!address) continue;
            const auto found = s->services.find(*address);
            if (found == s->services.end()) continue;
            found->second.status.descriptors.feed(*descriptor, clock::now());
            s->tell(found->second.status);
        }
        for (auto& [address, e] : s->services) {
            e.status.added = false;
            e.status.descriptors = {};
            s->tell(e.status);
        }
    }

    task<void> add_now(entry& e, controller control, time_point deadline) {
        e.status.descriptors = {};
        const auto address = e.status.address;
        const auto policy = e.service.pow;
        bool defended = policy != pow_policy::off;
        auto added = co_await control.execute(command_for(e.service, defended), deadline);
        auto found = services.find(address);  // it may have been removed meanwhile
        if (!added && policy == pow_policy::prefer && knows_no_defences(added.error()) && found != services.end()) {
            defended = false;
            added = co_await control.execute(command_for(found->second.service, defended), deadline);
            found = services.find(address);
        }
        if (!added) co_return error{added.error().code, "adding the onion service", added.error().peer};
        if (added->service_id != address.service_id())
            co_return error{control::errc::unexpected_reply, "tor added the onion service under another address"};
        if (found == services.end()) co_return result<void>{};
        found->second.status.added = true;
        found->second.status.defended = defended;
        found->second.status.added_at = clock::now();
        tell(found->second.status);
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
    asio::co_spawn(s->executor, state::consume(s, std::move(*events)), asio::detached);
    s->current = control;
    std::vector<onion::address> addresses;
    for (const auto& [address, e] : s->services)
        addresses.push_back(address);
    for (const auto& address : addresses) {
        const auto found = s->services.find(address);
        if (found == s->services.end()) continue;
        auto added = co_await s->add_now(found->second, control, deadline);
        if (!added) co_return added.error();
    }
    co_return result<void>{};
}

task<onion::address> onion_services::add(onion_service service, time_point deadline) {
    const auto s = state_;
    const auto address = onion::address::of(service.key.public_key());
    if (s->services.contains(address)) co_return error{control::errc::onion_collision, "adding the onion service"};
    auto [at, inserted] =
        s->services.emplace(address, state::entry{std::move(service), onion_status{.address = address}});
    if (s->current.connected()) {
        auto added = co_await s->add_now(at->second, s->current, deadline);
        if (!added && added.error().code != control::errc::disconnected) {
            s->services.erase(address);
            co_return added.error();
        }
    }
    co_return address;
}

task<void> onion_services::remove(const onion::address& address, time_point deadline) {
    const auto s = state_;
    if (s->services.erase(address) == 0 || !s->current.connected()) co_return result<void>{};
    control::del_onion c;
    c.service_id = address.service_id();
    auto gone = co_await s->current.execute(std::move(c), deadline);
    if (!gone && gone.error().code != control::errc::disconnected && gone.error().code != control::errc::no_such_onion)
        co_return gone.error();
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
        const auto& descriptors = found->second.status.descriptors;
        const auto now = descriptors.uploads();
        if (descriptors.reached(what)) co_return now;
        if (now_is_late)
            co_return error{errc::not_published, fmt::format("{} of {} uploads confirmed", now.confirmed, now.expected),
                            descriptors.last_failure()};
        now_is_late = !co_await s->news.wait(deadline);
    }
}

}  // namespace bento::tor
