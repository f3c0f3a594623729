#include <bento/tor/health.hpp>

#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using tor::health;
using tor::health_state;

namespace {

const health::time_point start{1000h};

/// A service since `start`, and what its HSDirs have said.
struct service {
    tor::publication descriptors;
    bool added = true;

    void tell(control::hs_desc_action action, std::string hs_dir, std::string descriptor, health::time_point at) {
        control::hs_desc e;
        e.action = action;
        e.hs_dir.fingerprint = std::move(hs_dir);
        e.descriptor_id = std::move(descriptor);
        descriptors.feed(e, at);
    }
    void publish(health::time_point at, unsigned confirmed = 4) {
        for (const auto* d : {"now", "next"})
            for (const auto* h : {"A", "B"})
                tell(control::hs_desc_action::upload, h, d, at);
        for (unsigned i = 0; i < confirmed; ++i)
            tell(control::hs_desc_action::uploaded, i % 2 == 0 ? "A" : "B", {}, at);
    }
    /// `probe`, `repair why`, `wait SECONDS`, `wait`.
    std::string next(const health& h, health::time_point now) const {
        const auto a = h.next(added, start, descriptors, now);
        if (std::holds_alternative<health::probe>(a)) return "probe";
        if (const auto* r = std::get_if<health::repair>(&a)) return "repair " + r->why;
        const auto until = std::get<health::wait>(a).until;
        if (until == health::time_point::max()) return "wait";
        return "wait " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(until - now).count());
    }
    health_state state(const health& h, health::time_point now) const {
        return h.state(added, start, descriptors, now);
    }
};

}  // namespace

TEST_CASE("from added to reachable, by what the HSDirs confirm") {
    service s;
    const health h{{}};
    s.added = false;
    CHECK(s.state(h, start) == health_state::down);
    CHECK(s.next(h, start) == "wait");
    s.added = true;
    CHECK(s.state(h, start) == health_state::publishing);
    CHECK(s.next(h, start) == "wait 600");
    s.publish(start + 1s, 1);
    CHECK(s.state(h, start + 2s) == health_state::degraded);
    s.publish(start + 2s, 3);
    CHECK(s.state(h, start + 2s) == health_state::reachable);
    CHECK(s.next(h, start + 2s) == "wait 7800");
}

TEST_CASE("silence is repaired, more seldom each time") {
    service s;
    health h{{}};
    CHECK(s.state(h, start + 601s) == health_state::unreachable);
    CHECK(s.next(h, start + 601s) == "repair no HSDir has confirmed its descriptor");
    h.repaired(start + 601s);
    CHECK(s.next(h, start + 602s) == "wait 599");
    CHECK(s.next(h, start + 1201s) == "repair no HSDir has confirmed its descriptor");
    h.repaired(start + 1201s);
    CHECK(s.next(h, start + 1202s) == "wait 1199");
    for (int i = 0; i < 10; ++i)
        h.repaired(start + 2000s);
    CHECK(s.next(h, start + 2001s) == "wait 14399");
    s.publish(start + 2002s);
    CHECK(s.next(h, start + 2002s) == "wait 7800");
    CHECK(s.next(h, start + 2002s + 131min + 4h) == "repair its descriptor is not uploaded any more");
}

TEST_CASE("probes come in their interval once there is a descriptor; two that fail are enough") {
    service s;
    tor::health_policy policy;
    policy.probe_every = 15min;
    health h{policy};
    CHECK(s.next(h, start) == "wait 600");
    s.publish(start + 1s);
    CHECK(s.next(h, start + 1s) == "wait 899");
    CHECK(s.next(h, start + 15min) == "probe");
    h.probed(true, start + 15min);
    CHECK(s.next(h, start + 15min) == "wait 900");
    h.probed(false, start + 30min);
    CHECK(s.state(h, start + 30min) == health_state::degraded);
    CHECK(s.next(h, start + 45min) == "probe");
    h.probed(false, start + 45min);
    CHECK(s.state(h, start + 45min) == health_state::unreachable);
    CHECK(s.next(h, start + 45min) == "repair it could not be reached");
    h.repaired(start + 45min);
    CHECK(h.repairs() == 1);
    CHECK(s.next(h, start + 60min) == "probe");
    h.probed(true, start + 60min);
    CHECK(h.repairs() == 0);
}
