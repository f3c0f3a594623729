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
#include <vector>

namespace bento::tor {

class publication {
  public:
    using time_point = std::chrono::steady_clock::time_point;
    /// tor keeps one descriptor for the current and one for the next time period (rend-spec-v3 section 2.2.1).
    static constexpr std::size_t descriptors_kept = 2;
    /// tor asks all HSDirs of a descriptor in one moment, and again after an hour or more, or when one has changed. An
    /// HSDir that is not asked in the last round has left the ring and is not expected any more.
    static constexpr std::chrono::seconds round{60};

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
        quorum,  ///< more than half of the HSDirs asked for each of both descriptors
        all,     ///< every HSDir asked for each of both
    };

    /// One descriptor at one HSDir.
    struct upload {
        std::string descriptor_id;
        std::string hs_dir;                      ///< fingerprint
        bool pending = false;                    ///< asked for, and nothing has come of it yet
        std::optional<time_point> confirmed_at;  ///< the last time
        std::string failure;                     ///< tor's reason for the last one, where that failed
    };

    /// Takes an event of this service; others are ignored by address before.
    void feed(const control::hs_desc& event, time_point now);
    count uploads() const;
    std::vector<upload> each() const;
    bool reached(wait what) const;
    /// More than half of the HSDirs have refused what was uploaded last: their descriptor is newer, because somebody
    /// else uploads it, too, or because the clock was set back.
    bool refused() const;
    /// The last confirmation.
    std::optional<time_point> last_upload() const { return last_upload_; }
    /// Why the last failed upload failed, in tor's words; empty if none did.
    const std::string& last_failure() const { return last_failure_; }

  private:
    struct state {
        bool asked = false;  // in the last round
        bool pending = false;
        std::optional<time_point> confirmed_at;
        std::string failure;
    };
    struct descriptor {
        std::map<std::string, state, std::less<>> hs_dirs;  // by fingerprint
        time_point last_asked;
    };
    void asked(const std::string& id, const std::string& hs_dir, time_point now);

    std::map<std::string, descriptor, std::less<>> descriptors_;  // by id, no more than descriptors_kept
    std::optional<time_point> last_upload_;
    std::string last_failure_;
};

}  // namespace bento::tor
