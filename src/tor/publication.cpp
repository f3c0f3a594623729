#include <algorithm>
#include <bento/tor/publication.hpp>

namespace bento::tor {

void publication::feed(const control::hs_desc& event, time_point now) {
    using action = control::hs_desc_action;
    const auto& hs_dir = event.hs_dir.fingerprint;
    switch (event.action) {
        case action::upload: {
            auto& u = descriptors_[event.descriptor_id][hs_dir];
            u.pending = true;
            break;
        }
        case action::uploaded: {
            // The event does not say which descriptor: the first that waits at this HSDir, and where none waits, one
            // that has it already.
            for (auto& [id, uploads] : descriptors_) {
                const auto found = uploads.find(hs_dir);
                if (found == uploads.end() || !found->second.pending) continue;
                found->second = {.pending = false, .confirmed = true, .failed = false};
                break;
            }
            last_upload_ = now;
            break;
        }
        case action::failed: {
            const auto descriptor = descriptors_.find(event.descriptor_id);
            if (descriptor == descriptors_.end()) break;  // a fetch of somebody else's descriptor
            const auto found = descriptor->second.find(hs_dir);
            if (found == descriptor->second.end()) break;
            found->second = {.pending = false, .confirmed = found->second.confirmed, .failed = true};
            last_failure_ = event.reason;
            break;
        }
        default:
            break;
    }
}

publication::count publication::uploads() const {
    count out;
    for (const auto& [id, uploads] : descriptors_)
        for (const auto& [hs_dir, u] : uploads) {
            ++out.expected;
            out.confirmed += u.confirmed ? 1 : 0;
            out.failed += u.failed ? 1 : 0;
        }
    return out;
}

bool publication::reached(wait what) const {
    const auto now = uploads();
    const bool both = descriptors_.size() >= descriptors_kept;
    switch (what) {
        case wait::first:
            return now.confirmed > 0;
        case wait::quorum:
            return both && 2 * now.confirmed > now.expected;
        case wait::all:
            return both && now.confirmed == now.expected;
    }
    return false;
}

}  // namespace bento::tor
