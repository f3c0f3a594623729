// What to do next so that a new onion takes the place of an old one and no call is lost: decided from the journal and
// from what has happened. Pure: the host carries the actions out, one at a time.
//
// A journal that has changed is saved before the action that follows is begun. Whatever prefix of its journals a crash
// leaves behind, a machine that begins with it goes on: it brings back every onion that is to answer, mints again a key
// whose file was not written, asks again what it has no answer to, and unlinks what nobody needs.
#pragma once

#include <bento/base/random.hpp>
#include <bento/rotation/journal.hpp>
#include <map>
#include <variant>

namespace bento::rotation {

using time_point = std::chrono::steady_clock::time_point;

struct moment {
    time_point steady;  ///< what waits is measured by it
    wall_time wall;     ///< how old a key is
};

struct policy {
    std::optional<milliseconds> max_age;  ///< unset: only when asked
    milliseconds jitter{};                ///< a random time up to this is taken off max_age
    milliseconds grace = std::chrono::hours{1};
    milliseconds least_grace{};  ///< how long a caller may use an entry without asking again
    bool verify = true;
    /// How long an old onion answers for the sake of a directory that cannot be told: the life of an entry.
    milliseconds hold = std::chrono::days{7};
    milliseconds upload_limit = std::chrono::minutes{2};
    milliseconds probe_limit = std::chrono::minutes{1};
    milliseconds directory_limit = std::chrono::minutes{2};
};

/// What somebody wants: a terminal, cron, the schedule.
struct request {
    bool compromised = false;
    std::optional<milliseconds> grace;  ///< unset: the policy's
};
/// Whether who asks goes on with a rotation: with an unfinished one, and within its grace with one that a directory
/// does not know of yet.
bool goes_on(const journal& j);
/// Goes on with one, or begins one in the journal, where it waits for a server. A compromised key ends every onion from
/// before it.
/// errc::too_many, short_grace.
result<void> ask(journal& j, const request& r, const policy& p);

enum class act {
    wait,        ///< nothing to do until `until`, unless somebody asks
    mint,        ///< make a key, in memory
    write_key,   ///< its file, of mode 0600, durable; the journal names it already
    add,         ///< ADD_ONION, now and on each later connection to tor
    publish,     ///< until HSDirs have its descriptors, as many as are asked for
    probe,       ///< reach it through tor, as a caller does
    reregister,  ///< every token at `directories`, one request each
    verify,      ///< what `directories` show, by look-up
    promote,     ///< from now on it is the one to tell of
    drop,        ///< DEL_ONION, and with `close_circuits` the callers' circuits, which otherwise end as callers go
    unlink,      ///< its key file
};
std::string_view to_text(act a);

struct action {
    act what = act::wait;
    std::optional<onion::address> onion;   ///< of all but wait and mint
    std::vector<std::string> directories;  ///< reregister, verify: never empty
    bool ask_first = false;                ///< reregister: callers are not to cache
    bool close_circuits = false;           ///< drop
    time_point until = time_point::max();  ///< wait, and the deadline of publish, probe, reregister and verify
    bool save = false;  ///< save the journal first, then call saved(); failed where that cannot be done
};

/// The process begins: nothing of ours is at tor, and these key files are there.
struct began {
    std::set<onion::address> keys;
};
struct minted {
    onion::address onion;
};
/// The action was carried out.
struct done {};
/// It was not; to be tried again later.
struct failed {
    error why;
};
/// reregister and verify: directories where it failed, and why. The others have done it.
struct told {
    std::map<std::string, error> failures;
};
/// Time, or somebody who asked.
struct passed {};
using event = std::variant<began, minted, done, failed, told, passed>;

class machine {
  public:
    machine(journal j, policy p, std::vector<std::string> directories, random_source random);

    /// What happened to the last action, and what to do now.
    action resume(const event& e, moment now);
    /// Then resume(passed).
    result<void> ask(const request& r);
    /// Then resume(passed).
    void configure(policy p, std::vector<std::string> directories);
    void saved() { unsaved_ = false; }

    const journal& state() const { return journal_; }
    bool is_behind() const { return !behind().empty(); }
    /// Directories that may send callers to an onion from before.
    std::set<std::string> behind() const;
    /// Why an action is not being done at this moment, with when it is tried again; by the last failure.
    struct trouble {
        act what = act::wait;
        std::optional<error> why;
        std::map<std::string, error> directories;
        time_point again;
    };
    const std::optional<trouble>& last_trouble() const { return trouble_; }

    static constexpr milliseconds first_pause{5'000};
    static constexpr milliseconds longest_pause{300'000};
    /// How long a wait lasts at most, so that a wall clock that stepped is noticed.
    static constexpr milliseconds longest_wait{3'600'000};

  private:
    struct pause {
        unsigned failures = 0;
        time_point until;
    };

    void take(const began& e, moment now);
    void take(const minted& e, moment now);
    void take(const done& e, moment now);
    void take(const failed& e, moment now);
    void take(const told& e, moment now);
    void take(const passed& e, moment now);
    void count(moment now);
    void schedule(moment now);
    void promote(moment now);
    void put_off(act what, moment now, trouble why);
    bool may(act what, moment now) const;

    action decide(moment now);
    std::optional<action> look_after_onions(moment now);
    std::optional<action> rotate(moment now);
    std::optional<action> catch_up(moment now);
    std::optional<action> ask_directories(const std::set<std::string>& unasked, const std::set<std::string>& unverified,
                                          const onion::address& onion, bool ask_first, moment now) const;
    action wait(moment now) const;

    bool answers(const onion::address& onion) const;
    milliseconds limit_of(const retiring& r) const;
    milliseconds tick_of(const retiring& r) const;
    bool is_over(const retiring& r) const { return r.age >= limit_of(r); }

    journal journal_;
    policy policy_;
    std::set<std::string> directories_;
    random_source random_;

    // Of this process alone.
    std::set<onion::address> keys_;  // files
    std::set<onion::address> live_;  // at tor
    bool published_ = false;         // the successor
    bool probed_ = false;
    std::set<std::string> caught_up_;  // directories told after the rotation, not verified yet
    std::set<std::string> verified_;   // those that show the successor
    bool promoting_ = false;           // the journal says so, and the host does not yet
    std::map<act, pause> pauses_;
    std::optional<trouble> trouble_;
    std::optional<time_point> counted_;  // to here
    milliseconds uncounted_{};           // by which a saved age may be behind
    bool unsaved_ = false;
    action last_;
};

}  // namespace bento::rotation
