// How far the descriptors of one onion service have come to their HSDirs, from HS_DESC events. Pure.
//
// tor 0.4.9: UPLOAD names descriptor and HSDir, UPLOADED the HSDir alone, and one HSDir may be asked to keep both
// descriptors of a service (this time period's and the next), so confirmations are counted, not looked up. An upload
// whose circuit dies ends with no event at all: UPLOAD promises nothing, and whoever waits needs a deadline.
#pragma once

#include <bento/base/error.hpp>
#include <bento/control/event.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace bento::tor {

class publication {
  public:
    using time_point = std::chrono::steady_clock::time_point;
    /// tor keeps one descriptor for the current and one for the next time period (rend-spec-v3 section 2.2.1).
    static constexpr std::size_t descriptors_kept = 2;

    /// Uploads, over all descriptors: confirmed at least once, and asked for.
    struct count {
        std::size_t confirmed = 0;
        std::size_t expected = 0;
        std::size_t failed = 0;  ///< refused by the HSDir, and not confirmed since
        auto operator<=>(const count&) const = default;
    };
    /// What to wait for.
    enum class wait {
        first,   ///< one HSDir has one descriptor: some callers can reach the service
        quorum,  ///< more than half of the HSDirs asked, of both descriptors
        all,     ///< every HSDir asked, of both descriptors
    };

    /// Takes an event of this service; others are ignored by address before.
    void feed(const control::hs_desc& event, time_point now);
    count uploads() const;
    bool reached(wait what) const;
    /// The last confirmation.
    std::optional<time_point> last_upload() const { return last_upload_; }
    /// Why the last failed upload failed, in tor's words; empty if none did.
    const std::string& last_failure() const { return last_failure_; }

  private:
    struct upload {
        bool pending = false;
        bool confirmed = false;
        bool failed = false;
    };
    using per_hs_dir = std::map<std::string, upload, std::less<>>;  // by fingerprint
    std::map<std::string, per_hs_dir, std::less<>> descriptors_;    // by descriptor id
    std::optional<time_point> last_upload_;
    std::string last_failure_;
};

}  // namespace bento::tor
