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

std::string health::complaint(time_point added_at, const publication& descriptors, time_point now) const {
    if (policy_.failed_probes > 0 && failed_probes_ >= policy_.failed_probes) return "it could not be reached";
    if (!descriptors.last_upload())
        return now - added_at > policy_.first_upload ? "no HSDir has confirmed its descriptor" : "";
    return now - *descriptors.last_upload() > policy_.stale ? "its descriptor is not uploaded any more" : "";
}

health_state health::state(bool added, time_point added_at, const publication& descriptors, time_point now) const {
    if (!added) return health_state::down;
    if (!complaint(added_at, descriptors, now).empty()) return health_state::unreachable;
    if (!descriptors.last_upload()) return health_state::publishing;
    return descriptors.reached(publication::wait::quorum) && failed_probes_ == 0 ? health_state::reachable
                                                                                 : health_state::degraded;
}

health::time_point health::next_repair() const {
    if (!last_repair_) return time_point::min();
    auto pause = policy_.repair_pause;
    for (unsigned i = 1; i < repairs_ && pause < policy_.longest_pause; ++i)
        pause *= 2;
    return *last_repair_ + std::min(pause, policy_.longest_pause);
}

health::action health::next(bool added, time_point added_at, const publication& descriptors, time_point now) const {
    if (!added) return wait{time_point::max()};
    if (auto why = complaint(added_at, descriptors, now); !why.empty()) {
        if (now < next_repair()) return wait{next_repair()};
        return repair{std::move(why)};
    }
    // A moment later than the limit, so that the question asked then has its answer.
    constexpr std::chrono::milliseconds after{1};
    auto until = descriptors.last_upload() ? *descriptors.last_upload() + policy_.stale + after
                                           : added_at + policy_.first_upload + after;
    if (policy_.probe_every > policy_.probe_every.zero() && descriptors.last_upload()) {
        const auto due = last_probe_ ? *last_probe_ + policy_.probe_every : added_at + policy_.probe_every;
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

void health::repaired(time_point now) {
    last_repair_ = now;
    failed_probes_ = 0;
    ++repairs_;
}

}  // namespace bento::tor
