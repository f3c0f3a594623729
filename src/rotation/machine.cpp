#include <algorithm>
#include <bento/base/units.hpp>
#include <bento/rotation/machine.hpp>
#include <cstring>

namespace bento::rotation {
namespace {

std::set<std::string> without(const std::set<std::string>& all, const std::set<std::string>& some) {
    std::set<std::string> out;
    std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::inserter(out, out.end()));
    return out;
}
std::set<std::string> common(const std::set<std::string>& a, const std::set<std::string>& b) {
    std::set<std::string> out;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
    return out;
}

/// Uniform in [0, most]; the bias of the remainder is below one in a million years of milliseconds.
milliseconds up_to(milliseconds most, const random_source& random) {
    std::array<std::uint8_t, 8> raw{};
    random(raw);
    std::uint64_t n = 0;
    std::memcpy(&n, raw.data(), sizeof n);
    return milliseconds{static_cast<std::int64_t>(n % (static_cast<std::uint64_t>(most.count()) + 1))};
}

}  // namespace

std::string_view to_text(act a) {
    switch (a) {
        case act::wait:
            return "wait";
        case act::mint:
            return "mint";
        case act::write_key:
            return "write_key";
        case act::add:
            return "add";
        case act::publish:
            return "publish";
        case act::probe:
            return "probe";
        case act::reregister:
            return "reregister";
        case act::verify:
            return "verify";
        case act::promote:
            return "promote";
        case act::drop:
            return "drop";
        case act::unlink:
            return "unlink";
    }
    return "unknown";
}

bool goes_on(const journal& j) {
    if (j.running) return true;
    return !j.retired.empty() && !j.retired.back().named_by.empty() && j.retired.back().age < j.retired.back().grace;
}

result<void> ask(journal& j, const request& r, const policy& p) {
    if (r.compromised) {
        for (auto& old : j.retired)
            old.dropped = true;
        if (j.running && j.running->compromised) return {};
        // Whoever took a key from this machine may have the one that was to follow it, too.
        if (j.running && j.running->onion)
            j.retired.push_back({.onion = *j.running->onion, .dropped = true, .named_by = j.running->acknowledged});
        j.running = unfinished{.compromised = true};
        return {};
    }
    const auto grace = r.grace.value_or(p.grace);
    if (grace < p.least_grace)
        return error{errc::short_grace, "a grace of " + format_duration(grace) + " is below " +
                                            format_duration(p.least_grace) +
                                            ", for which callers may use what they know"};
    if (goes_on(j)) return {};
    if (j.retired.size() >= most_retiring)
        return error{errc::too_many, std::to_string(j.retired.size()) + " onions retire"};
    j.running = unfinished{.grace = grace};
    return {};
}

machine::machine(journal j, policy p, std::vector<std::string> directories, random_source random)
    : journal_{std::move(j)},
      policy_{std::move(p)},
      directories_{directories.begin(), directories.end()},
      random_{std::move(random)} {}

result<void> machine::ask(const request& r) {
    const auto before = journal_;
    auto asked = rotation::ask(journal_, r, policy_);
    if (!asked) return asked;
    pauses_.clear();
    trouble_.reset();
    if (journal_ == before) return {};
    // What is on its way to directories may arrive, though its onion has gone.
    if (last_.what == act::reregister)
        for (auto& old : journal_.retired)
            if (old.onion == last_.onion) old.named_by.insert(last_.directories.begin(), last_.directories.end());
    unsaved_ = true;
    published_ = probed_ = false;
    verified_.clear();
    return {};
}

void machine::configure(policy p, std::vector<std::string> directories) {
    if (p.max_age != policy_.max_age || p.jitter != policy_.jitter) {
        journal_.next.reset();
        unsaved_ = true;
    }
    policy_ = std::move(p);
    directories_ = {directories.begin(), directories.end()};
}

std::set<std::string> machine::behind() const {
    std::set<std::string> out;
    for (const auto& r : journal_.retired)
        out.insert(r.named_by.begin(), r.named_by.end());
    return out;
}

milliseconds machine::limit_of(const retiring& r) const {
    const auto grace = r.dropped ? milliseconds{0} : r.grace;
    return r.named_by.empty() ? grace : std::max(grace, policy_.hold);
}

/// How exactly the age of a retiring onion is kept: one write of the journal each.
milliseconds machine::tick_of(const retiring& r) const {
    using namespace std::chrono_literals;
    return std::clamp<milliseconds>(limit_of(r) / 60, 1s, 1h);
}

bool machine::answers(const onion::address& onion) const {
    if (onion == journal_.current) return !(journal_.running && journal_.running->compromised);
    if (journal_.running && journal_.running->onion == onion) return true;
    for (const auto& r : journal_.retired)
        if (r.onion == onion) return !r.dropped && !is_over(r);
    return false;
}

action machine::resume(const event& e, moment now) {
    count(now);
    std::visit([&](const auto& what) { take(what, now); }, e);
    schedule(now);
    last_ = decide(now);
    last_.save = unsaved_;
    return last_;
}

void machine::count(moment now) {
    const auto elapsed = counted_ ? std::chrono::duration_cast<milliseconds>(now.steady - *counted_) : milliseconds{0};
    counted_ = counted_ ? *counted_ + elapsed : now.steady;
    uncounted_ += elapsed;
    for (auto& r : journal_.retired) {
        r.age += elapsed;
        if (uncounted_ >= tick_of(r)) unsaved_ = true;
    }
    if (unsaved_) uncounted_ = {};
}

void machine::schedule(moment now) {
    // A clock that stepped back makes no key younger than new.
    if (journal_.since > now.wall) {
        journal_.since = now.wall;
        journal_.next.reset();
        unsaved_ = true;
    }
    if (!policy_.max_age) {
        if (std::exchange(journal_.next, std::nullopt)) unsaved_ = true;
        return;
    }
    if (!journal_.next) {
        const auto age = *policy_.max_age - up_to(policy_.jitter, random_);
        journal_.next = journal_.since + std::chrono::ceil<std::chrono::seconds>(age);
        unsaved_ = true;
    }
    if (now.wall < *journal_.next || journal_.running) return;
    // At its limit a scheduled one waits for an old onion to go.
    if (rotation::ask(journal_, {}, policy_) && journal_.running) unsaved_ = true;
}

void machine::take(const began& e, moment) {
    keys_ = e.keys;
    live_.clear();
    caught_up_.clear();
    verified_.clear();
    pauses_.clear();
    published_ = probed_ = promoting_ = false;
    if (journal_.running && journal_.running->onion && !keys_.contains(*journal_.running->onion)) {
        journal_.running->onion.reset();
        unsaved_ = true;
    }
    for (auto& r : journal_.retired) {
        // What passed since the last save is not known: each beginning costs as much as that can be, so that a server
        // that begins all the time retires its onions, too.
        r.age += tick_of(r);
        r.dropped = r.dropped || !keys_.contains(r.onion);
        unsaved_ = true;
    }
    // The key is lost (thesis section 3.3.1): the tokens move to a new one.
    if (!keys_.contains(journal_.current) && !journal_.running) {
        journal_.running = unfinished{.grace = policy_.grace};
        unsaved_ = true;
    }
}

void machine::take(const minted& e, moment now) {
    take(done{}, now);
    journal_.running->onion = e.onion;
    published_ = probed_ = false;
    unsaved_ = true;
}

void machine::take(const done&, moment) {
    pauses_.erase(last_.what);
    if (trouble_ && trouble_->what == last_.what) trouble_.reset();
    switch (last_.what) {
        case act::write_key:
            keys_.insert(*last_.onion);
            break;
        case act::add:
            live_.insert(*last_.onion);
            break;
        case act::publish:
            published_ = true;
            break;
        case act::probe:
            probed_ = true;
            break;
        case act::promote:
            promoting_ = false;
            break;
        case act::drop:
            live_.erase(*last_.onion);
            break;
        case act::unlink:
            keys_.erase(*last_.onion);
            break;
        default:
            break;
    }
}

void machine::take(const failed& e, moment now) {
    // Where the file was not written, the key goes with the memory it was in.
    if (last_.what == act::write_key && journal_.running) {
        journal_.running->onion.reset();
        unsaved_ = true;
    }
    put_off(last_.what, now, {.what = last_.what, .why = e.why});
}

void machine::take(const told& e, moment now) {
    const bool is_successor = journal_.running && journal_.running->onion == last_.onion;
    if (!is_successor && last_.onion != journal_.current) return;  // a compromised key has ended it meanwhile
    auto& acknowledged = is_successor ? journal_.running->acknowledged : caught_up_;
    for (const auto& d : last_.directories) {
        const bool failed = e.failures.contains(d);
        if (last_.what == act::reregister && !failed) acknowledged.insert(d);
        if (last_.what == act::verify && failed) acknowledged.erase(d);
        if (last_.what == act::verify && !failed) verified_.insert(d);
    }
    if (is_successor) unsaved_ = true;
    if (e.failures.empty()) {
        take(done{}, now);
        return;
    }
    // A directory that does not show what it has acknowledged is told again.
    put_off(act::reregister, now, {.what = last_.what, .directories = e.failures});
}

void machine::take(const passed&, moment now) {
    if (last_.what == act::wait) take(done{}, now);
}

void machine::put_off(act what, moment now, trouble why) {
    auto& p = pauses_[what];
    auto length = first_pause;
    for (unsigned i = 0; i < p.failures && length < longest_pause; ++i)
        length *= 2;
    ++p.failures;
    p.until = now.steady + std::min(length, longest_pause);
    why.again = p.until;
    trouble_ = std::move(why);
}

bool machine::may(act what, moment now) const {
    const auto found = pauses_.find(what);
    return found == pauses_.end() || now.steady >= found->second.until;
}

void machine::promote(moment now) {
    const auto& r = *journal_.running;
    const auto knows = policy_.verify ? verified_ : r.acknowledged;
    for (auto& old : journal_.retired)
        old.named_by = without(old.named_by, knows);
    journal_.retired.push_back({.onion = journal_.current,
                                .grace = r.grace,
                                .dropped = r.compromised || !keys_.contains(journal_.current),
                                .named_by = without(directories_, knows)});
    journal_.current = *r.onion;
    journal_.since = now.wall;
    journal_.ask_first = r.compromised;
    journal_.next.reset();
    journal_.running.reset();
    published_ = probed_ = false;
    caught_up_.clear();
    verified_.clear();
    promoting_ = true;
    unsaved_ = true;
    schedule(now);
}

action machine::decide(moment now) {
    if (promoting_) return may(act::promote, now) ? action{.what = act::promote, .onion = journal_.current} : wait(now);
    if (auto a = look_after_onions(now)) return *a;
    if (auto a = journal_.running ? rotate(now) : catch_up(now)) return *a;
    return wait(now);
}

std::optional<action> machine::look_after_onions(moment now) {
    if (may(act::drop, now))
        for (const auto& onion : live_) {
            if (answers(onion)) continue;
            const auto found = std::find_if(journal_.retired.begin(), journal_.retired.end(),
                                            [&](const retiring& r) { return r.onion == onion; });
            const bool in_haste = found == journal_.retired.end() || found->dropped;
            return action{.what = act::drop, .onion = onion, .close_circuits = in_haste};
        }
    if (may(act::add, now))
        for (const auto& onion : keys_)
            if (answers(onion) && !live_.contains(onion)) return action{.what = act::add, .onion = onion};
    for (auto r = journal_.retired.begin(); r != journal_.retired.end();) {
        const bool is_needed = answers(r->onion) || live_.contains(r->onion);
        if (!is_needed && keys_.contains(r->onion)) {
            if (may(act::unlink, now)) return action{.what = act::unlink, .onion = r->onion};
        } else if (!is_needed && is_over(*r)) {
            r = journal_.retired.erase(r);
            unsaved_ = true;
            continue;
        }
        ++r;
    }
    return {};
}

std::optional<action> machine::ask_directories(const std::set<std::string>& unasked,
                                               const std::set<std::string>& unverified, const onion::address& onion,
                                               bool ask_first, moment now) const {
    const auto until = now.steady + policy_.directory_limit;
    if (!unasked.empty() && may(act::reregister, now))
        return action{.what = act::reregister,
                      .onion = onion,
                      .directories = {unasked.begin(), unasked.end()},
                      .ask_first = ask_first,
                      .until = until};
    if (policy_.verify && !unverified.empty() && may(act::verify, now))
        return action{
            .what = act::verify, .onion = onion, .directories = {unverified.begin(), unverified.end()}, .until = until};
    return {};
}

std::optional<action> machine::rotate(moment now) {
    const auto& r = *journal_.running;
    if (!r.onion) {
        if (may(act::mint, now) && may(act::write_key, now)) return action{.what = act::mint};
        return {};
    }
    if (!keys_.contains(*r.onion)) return action{.what = act::write_key, .onion = r.onion};
    if (!live_.contains(*r.onion)) return {};
    const auto step = [&](act what, milliseconds limit) -> std::optional<action> {
        if (!may(what, now)) return {};
        return action{.what = what, .onion = r.onion, .until = now.steady + limit};
    };
    if (!published_) return step(act::publish, policy_.upload_limit);
    if (!probed_) return step(act::probe, policy_.probe_limit);
    // Where nothing answers for the old one, there is nothing to hold back for: the directories are told afterwards.
    if (answers(journal_.current) && keys_.contains(journal_.current)) {
        const auto acknowledged = common(directories_, r.acknowledged);
        if (auto a = ask_directories(without(directories_, acknowledged), without(acknowledged, verified_), *r.onion,
                                     r.compromised, now))
            return a;
        if (!directories_.empty() && (policy_.verify ? verified_ : acknowledged).empty()) return {};
    }
    promote(now);
    return action{.what = act::promote, .onion = journal_.current};
}

std::optional<action> machine::catch_up(moment now) {
    for (auto& r : journal_.retired) {
        const auto left = without(r.named_by, policy_.verify ? verified_ : caught_up_);
        if (left.size() == r.named_by.size()) continue;
        r.named_by = left;
        unsaved_ = true;
    }
    const auto wanted = common(behind(), directories_);
    caught_up_ = common(caught_up_, wanted);
    verified_.clear();
    if (auto a = ask_directories(without(wanted, caught_up_), caught_up_, journal_.current, journal_.ask_first, now))
        return a;
    // An onion that only waited for these may go.
    return look_after_onions(now);
}

action machine::wait(moment now) const {
    auto until = now.steady + longest_wait;
    for (const auto& [what, p] : pauses_)
        if (p.until > now.steady) until = std::min(until, p.until);
    for (const auto& r : journal_.retired) {
        if (is_over(r)) continue;
        until = std::min(until, now.steady + std::min(tick_of(r), limit_of(r) - r.age));
    }
    if (journal_.next && !journal_.running && *journal_.next > now.wall)
        until = std::min(until, now.steady + (*journal_.next - now.wall));
    return {.what = act::wait, .until = until};
}

}  // namespace bento::rotation
