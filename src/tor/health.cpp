#include <time.h>

#include <algorithm>
#include <bento/tor/health.hpp>

namespace bento::tor {

std::string_view to_text(health_state s) {
    switch (s) {
        case health_state::down:
            return "down";
        case health_state::publishing:
            return "publishing";
        case health_state::reachable:
            return "reachable";
        case health_state::degraded:
            return "degraded";
        case health_state::unreachable:
            return "unreachable";
    }
    return "unknown";
}

/// What was uploaded before a service was taken over is not known: only its next upload is waited for.
health_policy::duration health::first_limit(const evidence& e) const {
    return e.taken_over ? policy_.stale : policy_.first_upload;
}

health_policy::duration health_policy::time_asleep() {
    const auto read = [](clockid_t which) {
        timespec now{};
        ::clock_gettime(which, &now);
        return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
    };
    const auto awake = read(CLOCK_MONOTONIC);
    return read(CLOCK_BOOTTIME) - awake;
}

std::string health::complaint(const evidence& e, time_point now) const {
    if (policy_.failed_probes > 0 && failed_probes_ >= policy_.failed_probes) return "it could not be reached";
    if (e.descriptors.refused() && now - e.added_at > policy_.refused) return "HSDirs refuse its descriptor";
    if (!e.descriptors.last_upload())
        return now - e.added_at > first_limit(e) ? "no HSDir has confirmed its descriptor" : "";
    return now - *e.descriptors.last_upload() > policy_.stale ? "its descriptor is not uploaded any more" : "";
}

health_state health::state(const evidence& e, time_point now) const {
    if (!e.added) return health_state::down;
    if (!complaint(e, now).empty()) return health_state::unreachable;
    if (!e.descriptors.last_upload()) return health_state::publishing;
    return e.descriptors.reached(publication::wait::quorum) && failed_probes_ == 0 ? health_state::reachable
                                                                                   : health_state::degraded;
}

/// Since the last repair something was uploaded, and no probe failed.
bool health::has_helped(const evidence& e) const {
    return failed_probes_ == 0 && e.descriptors.last_upload() > last_repair_;
}

health::time_point health::next_repair(const evidence& e) const {
    if (!last_repair_) return time_point::min();
    auto pause = policy_.repair_pause;
    for (unsigned i = 1; !has_helped(e) && i < repairs_ && pause < policy_.longest_pause; ++i)
        pause *= 2;
    return *last_repair_ + std::min(pause, policy_.longest_pause);
}

health::time_point health::refused_until(const evidence& e) const {
    return std::max(e.added_at + policy_.refused, next_repair(e));
}

health::action health::next(const evidence& e, time_point now) const {
    // A moment later than a limit, so that the question asked then has its answer.
    constexpr std::chrono::milliseconds after{1};
    if (!e.added) {
        if (!e.not_taken_at) return wait{time_point::max()};
        const auto due = *e.not_taken_at + policy_.add_again;
        if (now < due) return wait{due};
        return repair{"tor did not take it"};
    }
    if (auto why = complaint(e, now); !why.empty()) {
        if (now < next_repair(e)) return wait{next_repair(e)};
        return repair{std::move(why)};
    }
    const auto last = e.descriptors.last_upload();
    auto until = (last ? *last + policy_.stale : e.added_at + first_limit(e)) + after;
    if (e.descriptors.refused()) until = std::min(until, refused_until(e) + after);
    if (policy_.probe_every > policy_.probe_every.zero() && (last || e.taken_over)) {
        const auto due = last_probe_ ? *last_probe_ + policy_.probe_every : e.added_at + policy_.probe_every;
        if (now >= due) return probe{};
        until = std::min(until, due);
    }
    return wait{until};
}

void health::probed(bool reached, time_point now) {
    last_probe_ = now;
    failed_probes_ = reached ? 0 : failed_probes_ + 1;
    if (reached) repairs_ = 0;
}

void health::repaired(const evidence& e, time_point now) {
    if (has_helped(e)) repairs_ = 0;
    last_repair_ = now;
    failed_probes_ = 0;
    ++repairs_;
}

}  // namespace bento::tor
