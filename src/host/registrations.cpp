#include "registrations.hpp"

#include <bento/net/errc.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <list>

#include "directory_sync.hpp"

namespace bento::host {
namespace {

/// Pauses between attempts at a directory that is not reached.
constexpr std::chrono::seconds first_pause{30}, longest_pause{3600};
/// How often it is looked whether entries are to be renewed; they live for days.
constexpr std::chrono::minutes look_interval{30};

error refused_error(const uuid4& token, const std::string& why) {
    if (why == registration::at_directory::taken) return {lookup::errc::taken, token.str()};
    if (why == registration::at_directory::ended) return {lookup::errc::ended, token.str()};
    return {lookup::errc::invalid, token.str(), why};
}

}  // namespace

struct registrations::state : std::enable_shared_from_this<state> {
    struct peer {
        directory_sync sync;
        std::optional<error> failed;
        std::uint64_t trying = 0;  ///< the generation of the journal that is being brought
        std::uint64_t tried = 0;   ///< the last one that was, or could not be
    };

    state(asio::any_io_executor e, options o, const entry::owner_secret& s, registration_journal j)
        : settings{std::move(o)}, owner{s}, journal{std::move(j)}, executor{e}, changed{e} {
        for (const auto& where : settings.directories)
            peers.push_back({directory_sync{where, settings, owner, journal, [this] { return keep(); }}});
        draw_renewal();
    }

    // --- the journal ---

    /// To the file; and who waits looks at it again.
    result<void> keep() {
        if (auto saved = save_journal(settings.journal, journal); !saved) return saved;
        changed.notify_all();
        return {};
    }
    /// What is to be brought has changed.
    result<void> commit() {
        if (auto kept = keep(); !kept) return kept;
        ++generation;
        return {};
    }
    void warn(const std::string& text) const {
        if (settings.warning) settings.warning(text);
    }

    // --- one directory ---

    static asio::awaitable<void> look_after(std::shared_ptr<state> s, peer& p) {
        auto pause = first_pause;
        for (;;) {
            p.trying = s->generation;
            const auto brought = co_await p.sync.bring();
            p.tried = p.trying;
            p.failed = brought ? std::nullopt : std::optional{brought.error()};
            s->changed.notify_all();
            if (brought)
                pause = first_pause;
            else
                p.sync.close();
            const auto until = brought ? time_point::max() : clock::now() + s->jittered(pause);
            if (!brought) pause = std::min<std::chrono::seconds>(2 * pause, longest_pause);
            while (s->generation == p.tried) {
                const bool notified = co_await s->changed.wait(until);
                if (!notified) break;
            }
        }
    }

    // --- renewal ---

    std::uint32_t random_number() const {
        std::array<std::uint8_t, 4> raw{};
        settings.random(raw);
        return static_cast<std::uint32_t>(raw[0] << 24 | raw[1] << 16 | raw[2] << 8 | raw[3]);
    }
    /// Three quarters to five quarters of it.
    std::chrono::milliseconds jittered(std::chrono::milliseconds d) const {
        const auto share = static_cast<double>(random_number()) / 4294967296.0;
        return std::chrono::milliseconds{
            static_cast<std::int64_t>(static_cast<double>(d.count()) * (0.75 + share / 2))};
    }
    /// Somewhere in a day, so that the hour of a renewal tells nothing.
    void draw_renewal() { renewal_offset = std::chrono::seconds{random_number() % 86'400}; }

    result<bool> renew_due() {
        const auto now = settings.now();
        const auto is_due = [&](const registration& r) {
            return !r.ended &&
                   now >= r.not_after + std::chrono::days{1} - std::chrono::hours{entry::life} / 2 + renewal_offset;
        };
        if (std::none_of(journal.begin(), journal.end(), [&](const auto& item) { return is_due(item.second); }))
            return false;
        // All of them, so that it is one request.
        for (auto& [token, r] : journal)
            if (!r.ended) bump(r);
        draw_renewal();
        if (auto saved = commit(); !saved) return saved.error();
        return true;
    }
    void bump(registration& r) const {
        ++r.seq;
        r.not_after = std::chrono::floor<std::chrono::days>(settings.now()) + entry::life;
    }

    // --- what is asked of us ---

    bool is_settled(const peer& p, const uuid4& token, std::uint64_t since) const {
        const auto& r = journal.at(token);
        const auto there = r.at.find(p.sync.name());
        if (there != r.at.end() && (!there->second.refused.empty() || there->second.acknowledged >= r.seq)) return true;
        return p.tried >= since;
    }

    /// Until every directory has taken or refused this token, or failed.
    task<void> settled(uuid4 token, time_point deadline) {
        if (peers.empty()) co_return lookup::errc::none_configured;
        const auto since = generation;
        const auto all = [&] {
            return std::all_of(peers.begin(), peers.end(), [&](const peer& p) { return is_settled(p, token, since); });
        };
        while (!all()) {
            const bool notified = co_await changed.wait(deadline);
            if (!notified) break;
        }
        const auto& r = journal.at(token);
        std::optional<error> failed;
        for (const auto& p : peers) {
            const auto there = r.at.find(p.sync.name());
            if (there != r.at.end() && there->second.acknowledged >= r.seq) co_return result<void>{};
            if (failed) continue;
            if (there != r.at.end() && !there->second.refused.empty())
                failed = refused_error(token, there->second.refused);
            else
                failed = p.failed.value_or(error{net::errc::timed_out, "directory " + p.sync.name()});
        }
        co_return *failed;
    }

    options settings;
    const entry::owner_secret& owner;
    registration_journal journal;
    asio::any_io_executor executor;
    net::condition changed;
    std::list<peer> peers;
    std::list<asio::cancellation_signal> workers;
    std::uint64_t generation = 1;
    std::chrono::seconds renewal_offset{};
};

registrations::registrations(std::shared_ptr<state> s) : state_{std::move(s)} {}

result<registrations> registrations::open(asio::any_io_executor executor, options o, const entry::owner_secret& owner) {
    auto journal = load_journal(o.journal);
    if (!journal) return journal.error();
    return registrations{std::make_shared<state>(std::move(executor), std::move(o), owner, std::move(*journal))};
}

const entry::owner_secret& registrations::owner() const { return state_->owner; }
const registration_journal& registrations::journal() const { return state_->journal; }

std::vector<registrations::standing> registrations::standings() const {
    std::vector<standing> out;
    for (const auto& p : state_->peers) {
        auto& one = out.emplace_back(standing{p.sync.name(), 0, 0, 0, p.failed});
        for (const auto& [token, r] : state_->journal) {
            const auto there = r.at.find(p.sync.name());
            const bool known = there != r.at.end();
            if (known && !there->second.refused.empty())
                ++one.refused;
            else if (known && there->second.acknowledged >= r.seq)
                one.registered += r.ended ? 0 : 1;
            else if (!r.ended || (known && there->second.acknowledged))
                ++one.lacking;
        }
    }
    return out;
}

std::size_t registrations::size() const {
    return static_cast<std::size_t>(std::count_if(state_->journal.begin(), state_->journal.end(),
                                                  [](const auto& item) { return !item.second.ended; }));
}

result<entry::entry> registrations::entry_of(const uuid4& token) const {
    const auto found = state_->journal.find(token);
    if (found == state_->journal.end()) return error{lookup::errc::unknown_token, token.str()};
    if (found->second.ended) return error{lookup::errc::ended, token.str()};
    auto key = state_->settings.key_of(found->second.onion);
    if (!key) return key.error();
    return signed_entry(token, found->second, *key, state_->owner, state_->settings, true);
}

task<entry::entry> registrations::put(uuid4 token, std::string name, bool with_code, onion::address onion,
                                      time_point deadline) {
    const auto s = state_;
    if (s->peers.empty()) co_return lookup::errc::none_configured;
    const auto code = s->settings.code_of(token);
    if (!code) co_return code.error();
    const auto found = s->journal.find(token);
    if (found != s->journal.end() && found->second.ended) co_return error{lookup::errc::ended, token.str()};
    if (found == s->journal.end()) {
        registration fresh{std::move(name), entry::sha256(*code), with_code, onion};
        fresh.not_after = std::chrono::floor<std::chrono::days>(s->settings.now()) + entry::life;
        s->journal.emplace(token, std::move(fresh));
    } else {
        found->second.onion = onion;
        s->bump(found->second);
    }
    if (auto kept = s->commit(); !kept) co_return kept.error();
    if (const auto done = co_await s->settled(token, deadline); !done) co_return done.error();
    co_return entry_of(token);
}

task<entry::entry> registrations::renew(uuid4 token, time_point deadline) {
    const auto s = state_;
    const auto found = s->journal.find(token);
    if (found == s->journal.end()) co_return error{lookup::errc::unknown_token, token.str()};
    if (found->second.ended) co_return error{lookup::errc::ended, token.str()};
    s->bump(found->second);
    if (auto kept = s->commit(); !kept) co_return kept.error();
    if (const auto done = co_await s->settled(token, deadline); !done) co_return done.error();
    co_return entry_of(token);
}

result<void> registrations::end_soon(const uuid4& token) {
    const auto found = state_->journal.find(token);
    if (found == state_->journal.end() || found->second.ended) return {};
    found->second.ended = true;
    ++found->second.seq;
    return state_->commit();
}

task<entry::tombstone> registrations::end(uuid4 token, time_point deadline) {
    const auto s = state_;
    const auto found = s->journal.find(token);
    if (found == s->journal.end()) co_return error{lookup::errc::unknown_token, token.str()};
    if (auto kept = end_soon(token); !kept) co_return kept.error();
    if (const auto done = co_await s->settled(token, deadline); !done) co_return done.error();
    entry::tombstone out{.token = token, .seq = s->journal.at(token).seq};
    entry::sign(out, s->owner.key(token));
    co_return out;
}

task<void> registrations::move(onion::address onion, bool ask_first, time_point deadline) {
    const auto s = state_;
    for (auto& [token, r] : s->journal) {
        if (r.ended || (r.onion == onion && r.ask_first == ask_first)) continue;
        r.onion = onion;
        r.ask_first = ask_first;
        s->bump(r);
    }
    if (auto kept = s->commit(); !kept) co_return kept.error();
    const auto since = s->generation;
    const auto all = [&] {
        return std::all_of(s->peers.begin(), s->peers.end(), [&](const state::peer& p) { return p.tried >= since; });
    };
    while (!all()) {
        const bool notified = co_await s->changed.wait(deadline);
        if (!notified) break;
    }
    co_return result<void>{};
}

result<void> registrations::point_to(const onion::address& onion, const std::set<onion::address>& here) {
    bool changed = false;
    for (auto& [token, r] : state_->journal) {
        if (r.ended || here.contains(r.onion)) continue;
        r.onion = onion;
        state_->bump(r);
        changed = true;
    }
    return changed ? state_->commit() : result<void>{};
}

bool registrations::has_directories() const { return !state_->peers.empty(); }

result<bool> registrations::renew_due() { return state_->renew_due(); }

asio::awaitable<void> registrations::run() {
    const auto s = state_;
    // What ends the workers lives as long as they do, and so does the state.
    struct at_the_end {
        explicit at_the_end(std::shared_ptr<state> st) : of{std::move(st)} {}
        at_the_end(const at_the_end&) = delete;
        at_the_end& operator=(const at_the_end&) = delete;
        ~at_the_end() {
            for (auto& one : of->workers)
                one.emit(asio::cancellation_type::terminal);
        }
        std::shared_ptr<state> of;
    };
    const at_the_end stop{s};
    for (auto& p : s->peers) {
        const auto ended = [s](std::exception_ptr e) {
            try {
                if (e) std::rethrow_exception(e);
            } catch (const boost::system::system_error& cancelled) {
                if (cancelled.code() != asio::error::operation_aborted) throw;
            }
        };
        asio::co_spawn(s->executor, state::look_after(s, p),
                       asio::bind_cancellation_slot(s->workers.emplace_back().slot(), ended));
    }
    for (;;) {
        if (auto renewed = s->renew_due(); !renewed) s->warn(renewed.error().message());
        net::condition nothing{s->executor};
        co_await nothing.wait(clock::now() + s->jittered(look_interval));
    }
}

}  // namespace bento::host
