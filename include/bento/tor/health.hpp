// Whether an onion service can be reached, and what to do where it cannot. Pure: onion_services drives it.
//
// tor uploads a descriptor again every 60 to 120 minutes and HSDirs keep it for three hours (rend-spec-v3 section
// 2.2.1), but an upload whose circuit dies makes no event, and after a sleep of the machine nothing may come for hours.
// So silence is judged by its length: first a probe where there is one, then the service is ended and added again,
// which makes tor build introduction points and upload at once. Repairs are rare: while they do not help, each next one
// waits twice as long.
#pragma once

#include <bento/tor/publication.hpp>
#include <variant>

namespace bento::tor {

struct health_policy {
    using duration = std::chrono::steady_clock::duration;
    duration add_again = std::chrono::seconds{30};     ///< tor did not take it so long ago: add it again
    duration first_upload = std::chrono::minutes{10};  ///< none confirmed so long after it was added: repair
    duration refused = std::chrono::minutes{1};        ///< most HSDirs refuse, so long after it was added: repair
    duration stale = std::chrono::minutes{130};        ///< none confirmed for so long: repair
    duration probe_every = {};                         ///< 0: no probes
    unsigned failed_probes = 2;                        ///< in a row: repair
    duration repair_pause = std::chrono::minutes{10};  ///< until a second repair; doubled for each next one
    duration longest_pause = std::chrono::hours{4};
    duration sleep = std::chrono::minutes{5};  ///< the machine has slept so long: repair
    /// How long it has slept in all; the steady clock stands still meanwhile.
    duration (*asleep)() = time_asleep;

    /// Since the machine was started.
    static duration time_asleep();
};

enum class health_state {
    down,         ///< tor does not have it
    publishing,   ///< added, and no HSDir has confirmed yet
    reachable,    ///< more than half of the HSDirs have confirmed, lately
    degraded,     ///< some have
    unreachable,  ///< none for longer than the policy allows, or probes fail
};
std::string_view to_text(health_state s);

class health {
  public:
    using time_point = publication::time_point;

    /// What is known of the service.
    struct evidence {
        const publication& descriptors;
        bool added = false;       ///< tor has it now
        bool taken_over = false;  ///< tor had it before, and does not tell what was uploaded until it uploads again
        time_point added_at;
        std::optional<time_point> not_taken_at;  ///< when tor last refused to add it
    };

    struct wait {
        time_point until;  ///< nothing to do before, unless an event comes
    };
    struct probe {};      ///< try to reach it, then probed()
    struct repair {       ///< end it where tor has it, and add it again
        std::string why;  ///< for a person
    };
    using action = std::variant<wait, probe, repair>;

    explicit health(health_policy p) : policy_{p} {}

    health_state state(const evidence& e, time_point now) const;
    action next(const evidence& e, time_point now) const;
    void probed(bool reached, time_point now);
    void repaired(const evidence& e, time_point now);
    /// Of one whose descriptors HSDirs refuse: when it is repaired, if they still do.
    time_point refused_until(const evidence& e) const;
    /// Counted since the last time that it was reachable.
    unsigned repairs() const { return repairs_; }

  private:
    health_policy::duration first_limit(const evidence& e) const;
    std::string complaint(const evidence& e, time_point now) const;
    bool has_helped(const evidence& e) const;
    time_point next_repair(const evidence& e) const;

    health_policy policy_;
    std::optional<time_point> last_probe_;
    unsigned failed_probes_ = 0;
    std::optional<time_point> last_repair_;
    unsigned repairs_ = 0;
};

}  // namespace bento::tor
