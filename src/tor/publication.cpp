#include <algorithm>
#include <bento/tor/publication.hpp>

namespace bento::tor {

void publication::asked(const std::string& id, const std::string& hs_dir, time_point now) {
    auto found = descriptors_.find(id);
    if (found == descriptors_.end()) {
        // That of a new time period takes the place of the oldest.
        if (descriptors_.size() == descriptors_kept)
            descriptors_.erase(std::min_element(
                descriptors_.begin(), descriptors_.end(),
                [](const auto& a, const auto& b) { return a.second.last_asked < b.second.last_asked; }));
        found = descriptors_.emplace(id, descriptor{}).first;
    } else if (now - found->second.last_asked > round) {
        std::erase_if(found->second.hs_dirs, [](const auto& h) { return !h.second.asked; });
        for (auto& [name, s] : found->second.hs_dirs)
            s.asked = false;
    }
    found->second.last_asked = now;
    auto& s = found->second.hs_dirs[hs_dir];
    s.asked = true;
    s.pending = true;
}

void publication::feed(const control::hs_desc& event, time_point now) {
    using action = control::hs_desc_action;
    const auto& hs_dir = event.hs_dir.fingerprint;
    switch (event.action) {
        case action::upload:
            asked(event.descriptor_id, hs_dir, now);
            break;
        case action::uploaded: {
            // The event does not say which descriptor: the first that waits at this HSDir, and where none waits, one
            // that has it already.
            for (auto& [id, d] : descriptors_) {
                const auto found = d.hs_dirs.find(hs_dir);
                if (found == d.hs_dirs.end() || !found->second.pending) continue;
                found->second.pending = false;
                found->second.confirmed_at = now;
                found->second.failure.clear();
                break;
            }
            last_upload_ = now;
            break;
        }
        case action::failed: {
            const auto at = descriptors_.find(event.descriptor_id);
            if (at == descriptors_.end()) break;  // a fetch of somebody else's descriptor
            const auto found = at->second.hs_dirs.find(hs_dir);
            if (found == at->second.hs_dirs.end() || !found->second.pending) break;  // a fetch of this one
            found->second.pending = false;
            found->second.failure = event.reason;
            last_failure_ = event.reason;
            break;
        }
        default:
            break;
    }
}

publication::count publication::uploads() const {
    count out;
    for (const auto& u : each()) {
        ++out.expected;
        out.confirmed += u.confirmed_at ? 1U : 0U;
        out.failed += u.failure.empty() ? 0U : 1U;
    }
    return out;
}

std::vector<publication::upload> publication::each() const {
    std::vector<upload> out;
    for (const auto& [id, d] : descriptors_)
        for (const auto& [hs_dir, s] : d.hs_dirs)
            if (s.asked) out.push_back({id, hs_dir, s.pending, s.confirmed_at, s.failure});
    return out;
}

bool publication::reached(wait what) const {
    if (what == wait::first) return uploads().confirmed > 0;
    if (descriptors_.size() < descriptors_kept) return false;
    return std::all_of(descriptors_.begin(), descriptors_.end(), [&](const auto& d) {
        std::size_t confirmed = 0, expected = 0;
        for (const auto& [hs_dir, s] : d.second.hs_dirs) {
            if (!s.asked) continue;
            ++expected;
            confirmed += s.confirmed_at ? 1U : 0U;
        }
        return what == wait::all ? confirmed == expected : 2 * confirmed > expected;
    });
}

bool publication::refused() const {
    const auto now = uploads();
    return last_failure_ == "UPLOAD_REJECTED" && 2 * now.failed > now.expected;
}

}  // namespace bento::tor
