#include "rotation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bento/base/units.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace bento::host {
namespace {

using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

/// For tor to add or end an onion.
constexpr std::chrono::seconds command_limit{30};
constexpr auto refused_sentence =
    "HSDirs refuse the descriptors of an onion: another server runs with a copy of this state directory, or the clock "
    "was set back";

rotation::moment this_moment() {
    return {clock::now(), std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};
}

std::string list_of(const std::map<std::string, error>& failures) {
    std::string out;
    for (const auto& [directory, why] : failures)
        out += (out.empty() ? "" : "; ") + directory + ": " + why.message();
    return out;
}

/// What did not succeed, as a sentence.
std::string sentence_of(const rotation::machine::trouble& t) {
    using rotation::act;
    const auto why = t.why ? t.why->message() : list_of(t.directories);
    switch (t.what) {
        case act::mint:
        case act::wait:
        case act::promote:
            return "the journal cannot be written: " + why;
        case act::write_key:
            return "the new key cannot be written: " + why;
        case act::add:
            return "tor does not take the onion: " + why;
        case act::publish:
            return "the new onion is not published: " + why;
        case act::probe:
            return "the new onion cannot be reached through Tor: " + why;
        case act::reregister:
            return "not registered at " + why;
        case act::verify:
            return "not shown by " + why;
        case act::drop:
            return "the old onion cannot be ended: " + why;
        case act::unlink:
            return "the old key cannot be removed: " + why;
    }
    return why;
}

/// Logs tell no onions.
std::string without_onions(std::string text) {
    constexpr std::string_view digits = "abcdefghijklmnopqrstuvwxyz234567", suffix = ".onion", instead = "(an onion)";
    for (std::size_t at = text.find_first_of(digits); at != std::string::npos; at = text.find_first_of(digits, at)) {
        auto end = std::min(text.find_first_not_of(digits, at), text.size());
        if (end - at == onion::address::service_id_size) {
            if (std::string_view{text}.substr(end).starts_with(suffix)) end += suffix.size();
            text.replace(at, end - at, instead);
            end = at + instead.size();
        }
        at = end;
    }
    return text;
}

rotation::event outcome_of(const result<void>& r) {
    if (r) return rotation::done{};
    return rotation::failed{r.error()};
}

/// The keys of a state directory and its journal; the first ones where there are none.
struct contents {
    std::map<onion::address, key_file> keys;
    rotation::journal journal;
};

result<contents> read(const state_directory& state, const rotation::policy& p, bool may_make_first) {
    auto keys = state.onion_keys();
    if (!keys) return keys.error();
    auto written = rotation::load(state / "rotation.json");
    if (!written) return written.error();
    if (*written) return contents{std::move(*keys), std::move(**written)};
    if (keys->empty() && may_make_first) {
        auto key = onion::secret_key::generate();
        const auto address = onion::address::of(key.public_key());
        if (auto saved = key.save(state / "onions" / address.service_id()); !saved) return saved.error();
        keys->emplace(address, key_file{std::move(key), this_moment().wall});
    }
    std::vector<std::pair<rotation::wall_time, onion::address>> ages;
    for (const auto& [address, k] : *keys)
        ages.emplace_back(k.written, address);
    auto adopted = rotation::adopt(std::move(ages), p.grace);
    if (!adopted) return adopted.error();
    if (auto saved = rotation::save(state / "rotation.json", *adopted); !saved) return saved.error();
    return contents{std::move(*keys), std::move(*adopted)};
}

}  // namespace

rotation::policy rotation_policy(const config::settings& s) {
    rotation::policy out;
    out.max_age = s.rotation.max_age;
    if (out.max_age)
        out.jitter =
            s.rotation.jitter.value_or(std::min<std::chrono::milliseconds>(*out.max_age / 2, std::chrono::hours{24}));
    out.grace = s.rotation.grace;
    out.least_grace = s.bfd.max_stale;
    out.verify = s.rotation.verify;
    return out;
}

std::vector<std::string> rotation_steps(const rotation::journal& j, const rotation::request& r,
                                        const rotation::policy& p, std::optional<std::size_t> tokens,
                                        std::size_t directories) {
    auto after = j;
    std::vector<std::string> out;
    if (const auto asked = rotation::ask(after, r, p); !asked) return {"nothing: " + asked.error().message()};
    const bool is_new = !j.running && after.running;
    if (!after.running) {
        out.push_back("go on with the last rotation: tell the directories that do not know of it yet");
        return out;
    }
    if (!is_new && !r.compromised) out.push_back("go on with the rotation that is not finished");
    if (r.compromised) out.push_back("end the onion at once, with its connections and circuits");
    if (!after.running->onion) out.push_back("make a key and write its file");
    out.push_back("publish the new onion, and reach it through Tor");
    if (directories == 0)
        out.push_back("tell nobody: no directory is configured");
    else
        out.push_back(fmt::format("register {} at {} {}{}", tokens ? fmt::format("{} tokens", *tokens) : "every token",
                                  directories, directories == 1 ? "directory" : "directories",
                                  p.verify ? ", and look up what they show" : ""));
    if (r.compromised)
        out.push_back("remove the old key");
    else
        out.push_back(
            fmt::format("after {} end the old onion, and remove its key", format_duration(after.running->grace)));
    return out;
}

result<rotation::journal> read_rotation(const std::filesystem::path& directory, const rotation::policy& p) {
    std::error_code absent;
    if (!std::filesystem::exists(directory / "onions", absent)) return rotation::errc::no_onion;
    const auto state = state_directory::open(directory);
    if (!state) return state.error();
    auto found = read(*state, p, false);
    if (!found) return found.error();
    return std::move(found->journal);
}

result<void> leave_request(const std::filesystem::path& directory, const rotation::request& r,
                           const rotation::policy& p) {
    std::error_code absent;
    if (!std::filesystem::exists(directory / "onions", absent)) return rotation::errc::no_onion;
    const auto state = state_directory::open(directory);
    if (!state) return state.error();
    auto found = read(*state, p, false);
    if (!found) return found.error();
    if (auto asked = rotation::ask(found->journal, r, p); !asked) return asked;
    return rotation::save(*state / "rotation.json", found->journal);
}

result<std::unique_ptr<rotator>> rotator::open(asio::any_io_executor executor, const state_directory& state,
                                               tor::onion_services onions, settings s, hands h) {
    auto found = read(state, s.policy, true);
    if (!found) return found.error();
    std::unique_ptr<rotator> out{new rotator{std::move(executor), state, std::move(onions), std::move(found->journal),
                                             std::move(s), std::move(h)}};
    for (auto& [address, k] : found->keys)
        out->keys_.emplace(address, std::move(k.key));
    return out;
}

rotator::rotator(asio::any_io_executor executor, const state_directory& state, tor::onion_services onions,
                 rotation::journal j, settings s, hands h)
    : journal_file_{state / "rotation.json"},
      keys_folder_{state / "onions"},
      onions_{std::move(onions)},
      settings_{std::move(s)},
      hands_{std::move(h)},
      machine_{std::move(j), settings_.policy, settings_.directories, system_random()},
      wake_{executor},
      urgent_{executor},
      changed_{executor} {}

std::filesystem::path rotator::key_file(const onion::address& onion) const { return keys_folder_ / onion.service_id(); }

void rotator::warn(std::string_view text) const {
    if (hands_.warning) hands_.warning(text);
}

task<void> rotator::start() {
    rotation::began with;
    for (const auto& [address, k] : keys_)
        with.keys.insert(address);
    if (!with.keys.contains(current()) && !journal().running)
        warn("the key of the onion is lost: a new onion takes its place");
    const auto& j = journal();
    for (const auto& [address, k] : keys_) {
        const auto retires = [&](const rotation::retiring& r) { return r.onion == address; };
        const bool is_known = address == j.current || (j.running && j.running->onion == address) ||
                              std::any_of(j.retired.begin(), j.retired.end(), retires);
        if (is_known) continue;
        with.keys.erase(address);
        warn("a key in " + keys_folder_.string() + " is not in the journal, and is left alone");
    }
    decide(with);
    while (next_.what == rotation::act::add) {
        const auto added = co_await carry_out(next_);
        const auto* failed = std::get_if<rotation::failed>(&added);
        if (failed != nullptr && next_.onion == current()) co_return failed->why;
        decide(added);
    }
    co_return result<void>{};
}

asio::awaitable<void> rotator::run() {
    for (;;) {
        const auto what = co_await carry_out(next_);
        decide(what);
    }
}

void rotator::configure(settings s) {
    settings_ = std::move(s);
    machine_.configure(settings_.policy, settings_.directories);
    is_overtaken_ = true;
    wake_.notify_all();
}

result<void> rotator::ask(const rotation::request& r) {
    if (auto asked = machine_.ask(r); !asked) return asked;
    is_asked_ = is_overtaken_ = true;
    told_trouble_.clear();
    progress_.outcome.reset();
    progress_.trouble = trouble_in_publishing();
    ++progress_.version;
    changed_.notify_all();
    wake_.notify_all();
    if (r.compromised) urgent_.notify_all();
    return {};
}

bool rotator::is_due(std::chrono::milliseconds age) const {
    return rotation::goes_on(journal()) || rotation::age(journal(), this_moment().wall) >= age;
}

std::vector<std::string> rotator::plan(const rotation::request& r) const {
    return rotation_steps(journal(), r, settings_.policy, hands_.tokens(), settings_.directories.size());
}

asio::awaitable<void> rotator::changed_from(std::uint64_t version) {
    while (progress_.version == version)
        co_await changed_.wait();
}

void rotator::told(const tor::onion_status& s) {
    const auto uploads = s.descriptors.uploads();
    if (next_.what == rotation::act::publish && next_.onion == s.address && progress_.uploads != uploads) {
        progress_.uploads = uploads;
        progress_.trouble = trouble_in_publishing();
        ++progress_.version;
        changed_.notify_all();
    }
    if (!s.descriptors.refused())
        refused_.erase(s.address);
    else if (refused_.insert(s.address).second)
        warn(refused_sentence);
}

/// Why the new onion's publication, which is waited for, does not come to its end.
std::optional<rotation_trouble> rotator::trouble_in_publishing() const {
    const auto* s = next_.what == rotation::act::publish ? onions_.find(*next_.onion) : nullptr;
    if (s == nullptr || !s->descriptors.refused()) return {};
    const auto left = s->refused_until - clock::now();
    return rotation_trouble{refused_sentence, std::max(std::chrono::ceil<std::chrono::milliseconds>(left), 0ms)};
}

/// The next action, and what there is to tell.
void rotator::decide(const rotation::event& e) {
    is_overtaken_ = false;
    next_ = machine_.resume(e, this_moment());
    show();
}

void rotator::show() {
    using rotation::act;
    const auto& trouble = machine_.last_trouble();
    const bool waits = next_.what == act::wait;
    progress_.step = next_.what;
    progress_.uploads = {};
    progress_.directories = next_.directories;
    progress_.trouble = trouble_in_publishing();
    const bool is_new = trouble && trouble->again > clock::now();
    const auto sentence = waits && is_new ? sentence_of(*trouble) : std::string{};
    if (!sentence.empty()) {
        const auto again = std::chrono::ceil<std::chrono::seconds>(trouble->again - clock::now());
        progress_.trouble = rotation_trouble{sentence, again};
        if (sentence != told_trouble_) warn(without_onions(sentence) + "; trying again in " + format_duration(again));
        told_trouble_ = sentence;
    }
    if (waits && is_asked_ && !journal().running) {
        is_asked_ = false;
        const auto behind = machine_.behind();
        auto before = replaced_;
        if (!before && !journal().retired.empty()) before = journal().retired.back().onion;
        progress_.outcome = rotation_outcome{
            before.value_or(current()), current(), hands_.tokens(), {behind.begin(), behind.end()}, sentence};
        replaced_.reset();
    }
    ++progress_.version;
    changed_.notify_all();
}

asio::awaitable<rotation::event> rotator::carry_out(rotation::action a) {
    using rotation::act;
    if (a.save) {
        const auto saved = rotation::save(journal_file_, journal());
        if (saved) machine_.saved();
        if (!saved && a.what == act::wait && !is_overtaken_) co_await wake_.wait(a.until);
        if (!saved && a.what == act::write_key) keys_.erase(*a.onion);
        // An onion that has to go goes, even where that cannot be written down.
        if (!saved && a.what != act::drop) co_return rotation::failed{saved.error()};
    }
    switch (a.what) {
        case act::wait:
            if (!is_overtaken_) co_await wake_.wait(a.until);
            co_return rotation::passed{};
        case act::mint: {
            auto fresh = onion::secret_key::generate();
            const auto address = onion::address::of(fresh.public_key());
            keys_.emplace(address, std::move(fresh));
            co_return rotation::minted{address};
        }
        case act::write_key:
            co_return write_key(*a.onion);
        case act::promote:
            replaced_ = journal().retired.back().onion;
            if (hands_.promoted) hands_.promoted(*a.onion);
            co_return rotation::done{};
        case act::unlink:
            co_return unlink_key(*a.onion);
        case act::add: {
            if (onions_.find(*a.onion) != nullptr) co_return rotation::done{};
            auto service = hands_.service(keys_.at(*a.onion).clone());
            const auto added = co_await onions_.add(std::move(service), clock::now() + command_limit);
            if (!added) co_return rotation::failed{added.error()};
            co_return rotation::done{};
        }
        case act::drop: {
            const auto event = co_await drop(*a.onion, a.close_circuits);
            co_return event;
        }
        case act::publish:
        case act::probe:
        case act::reregister:
        case act::verify: {
            const auto event = co_await unless_urgent(std::move(a));
            co_return event;
        }
    }
    co_return rotation::passed{};
}

rotation::event rotator::write_key(const onion::address& onion) {
    const auto saved = keys_.at(onion).save(key_file(onion));
    if (!saved) keys_.erase(onion);
    return outcome_of(saved);
}

rotation::event rotator::unlink_key(const onion::address& onion) {
    std::error_code failed;
    std::filesystem::remove(key_file(onion), failed);
    if (failed) return rotation::failed{error{errc::state, keys_folder_.string(), failed.message()}};
    keys_.erase(onion);
    return rotation::done{};
}

asio::awaitable<rotation::event> rotator::drop(onion::address onion, bool close_circuits) {
    const auto deadline = clock::now() + command_limit;
    const auto removed = co_await onions_.remove(onion, deadline);
    if (!removed || !close_circuits) co_return outcome_of(removed);
    const auto closed = co_await onions_.close_circuits(onion, deadline);
    co_return outcome_of(closed);
}

asio::awaitable<rotation::event> rotator::unless_urgent(rotation::action a) {
    rotation::event out = rotation::passed{};
    if (!is_overtaken_) co_await (step(std::move(a), out) || urgent_.wait());
    co_return out;
}

asio::awaitable<void> rotator::step(rotation::action a, rotation::event& out) {
    using rotation::act;
    if (a.what == act::publish) {
        const auto published = co_await onions_.wait_published(*a.onion, settings_.uploads, a.until);
        if (published)
            out = rotation::done{};
        else
            out = rotation::failed{published.error()};
    } else if (a.what == act::probe) {
        const auto reached = co_await hands_.probe(*a.onion, a.until);
        out = outcome_of(reached);
    } else if (a.what == act::reregister) {
        auto failed = co_await hands_.reregister(*a.onion, std::move(a.directories), a.ask_first, a.until);
        out = rotation::told{std::move(failed)};
    } else {
        auto failed = co_await hands_.verify(*a.onion, std::move(a.directories), a.until);
        out = rotation::told{std::move(failed)};
    }
}

std::set<onion::address> rotator::here() const {
    std::set<onion::address> out;
    const auto& j = journal();
    const bool answers = !(j.running && j.running->compromised);
    if (answers || !j.running->onion) out.insert(j.current);
    if (j.running && j.running->onion) out.insert(*j.running->onion);
    for (const auto& r : j.retired)
        if (!r.dropped) out.insert(r.onion);
    std::erase_if(out, [&](const onion::address& a) { return !keys_.contains(a); });
    return out;
}

std::vector<rotator::onion_view> rotator::onions() const {
    std::vector<onion_view> out;
    const auto put = [&](const onion::address& onion, std::string_view state,
                         std::optional<std::chrono::milliseconds> left) {
        const auto* s = onions_.find(onion);
        if (s != nullptr) out.push_back({onion, state, s->descriptors.uploads(), left});
    };
    const auto& j = journal();
    put(j.current, "current", {});
    if (j.running && j.running->onion) put(*j.running->onion, "publishing", {});
    for (const auto& r : j.retired)
        put(r.onion, "retiring", std::max(r.grace - r.age, std::chrono::milliseconds{0}));
    return out;
}

}  // namespace bento::host
