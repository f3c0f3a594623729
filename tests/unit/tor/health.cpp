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
    bool taken_over = false;
    std::optional<health::time_point> not_taken_at{};

    health::evidence known() const { return {descriptors, added, taken_over, start, not_taken_at}; }
    void tell(control::hs_desc_action action, std::string hs_dir, std::string descriptor, health::time_point at,
              std::string reason = {}) {
        control::hs_desc e;
        e.reason = std::move(reason);
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
        const auto a = h.next(known(), now);
        if (std::holds_alternative<health::probe>(a)) return "probe";
        if (const auto* r = std::get_if<health::repair>(&a)) return "repair " + r->why;
        const auto until = std::get<health::wait>(a).until;
        if (until == health::time_point::max()) return "wait";
        return "wait " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(until - now).count());
    }
    health_state state(const health& h, health::time_point now) const { return h.state(known(), now); }
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
    s.publish(start + 2s, 4);
    CHECK(s.state(h, start + 2s) == health_state::reachable);
    CHECK(s.next(h, start + 2s) == "wait 7800");
}

TEST_CASE("silence is repaired, more seldom each time") {
    service s;
    health h{{}};
    CHECK(s.state(h, start + 601s) == health_state::unreachable);
    CHECK(s.next(h, start + 601s) == "repair no HSDir has confirmed its descriptor");
    h.repaired(s.known(), start + 601s);
    CHECK(s.next(h, start + 602s) == "wait 599");
    CHECK(s.next(h, start + 1201s) == "repair no HSDir has confirmed its descriptor");
    h.repaired(s.known(), start + 1201s);
    CHECK(s.next(h, start + 1202s) == "wait 1199");
    for (int i = 0; i < 10; ++i)
        h.repaired(s.known(), start + 2000s);
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
    h.repaired(s.known(), start + 45min);
    CHECK(h.repairs() == 1);
    CHECK(s.next(h, start + 60min) == "probe");
    h.probed(true, start + 60min);
    CHECK(h.repairs() == 0);
}

TEST_CASE("where a repair has helped, the next one does not wait longer for it") {
    service s;
    health h{{}};
    for (const auto at : {601s, 1201s, 2401s})
        h.repaired(s.known(), start + at);
    s.publish(start + 2402s);
    CHECK(s.next(h, start + 2402s + 131min) == "repair its descriptor is not uploaded any more");
    h.repaired(s.known(), start + 2402s + 131min);
    CHECK(s.next(h, start + 2402s + 132min) == "wait 540");
}

TEST_CASE("what most HSDirs refuse is uploaded again after a moment") {
    service s;
    health h{{}};
    s.publish(start, 0);
    for (const auto* hs_dir : {"A", "B"}) {
        CHECK(s.next(h, start + 1s) == "wait 599");
        for (const auto* d : {"now", "next"})
            s.tell(control::hs_desc_action::failed, hs_dir, d, start + 1s, "UPLOAD_REJECTED");
    }
    CHECK(s.state(h, start + 2s) == health_state::publishing);
    CHECK(s.next(h, start + 2s) == "wait 58");
    CHECK(h.refused_until(s.known()) == start + 60s);
    CHECK(s.next(h, start + 61s) == "repair HSDirs refuse its descriptor");
    CHECK(s.state(h, start + 61s) == health_state::unreachable);
    h.repaired(s.known(), start + 61s);
    CHECK(s.next(h, start + 62s) == "wait 599");
    CHECK(h.refused_until(s.known()) == start + 61s + 10min);
}

TEST_CASE("a service that tor does not take is added again, by and by") {
    service s;
    const health h{{}};
    s.added = false;
    s.not_taken_at = start;
    CHECK(s.next(h, start + 1s) == "wait 29");
    CHECK(s.next(h, start + 30s) == "repair tor did not take it");
}

TEST_CASE("of a service that was taken over, nothing is known until tor uploads again") {
    service s;
    tor::health_policy policy;
    policy.probe_every = 15min;
    const health h{policy};
    s.taken_over = true;
    CHECK(s.state(h, start + 20min) == health_state::publishing);
    CHECK(s.next(h, start) == "wait 900");
    CHECK(s.next(h, start + 15min) == "probe");
    CHECK(s.next(health{{}}, start + 131min) == "repair no HSDir has confirmed its descriptor");
}
