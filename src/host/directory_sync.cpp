#include "directory_sync.hpp"

#include <bento/net/errc.hpp>

namespace bento::host {
namespace {

using at_directory = registration::at_directory;

/// One request through Tor, with the directory's password check before its answer.
constexpr std::chrono::seconds request_limit{60};
/// At a directory, by a circuit of its own each, before it is told that it is not reached.
constexpr int attempts = 3;

}  // namespace

result<entry::entry> signed_entry(const uuid4& token, const registration& r, const onion::secret_key& onion_key,
                                  const entry::owner_secret& owner, const registrations::options& with,
                                  bool with_code) {
    entry::entry out{token, r.name, {}, r.code_sha256, r.onion, {}};
    if (with_code && r.with_code) {
        auto code = with.code_of(token);
        // What was stored when it was registered, or its digest alone.
        if (code && entry::sha256(*code) == r.code_sha256) out.code = std::move(*code);
    }
    out.signed_by = entry::authority{.seq = r.seq, .not_after = r.not_after, .ask_first = r.ask_first};
    entry::sign(out, owner.key(token), onion_key);
    return out;
}

directory_sync::directory_sync(const lookup::address& where, const registrations::options& with,
                               const entry::owner_secret& owner, registration_journal& journal,
                               std::function<result<void>()> save)
    : name_{where.str()},
      at_{where, with.road_to(where)},
      with_{with},
      owner_{owner},
      journal_{journal},
      save_{std::move(save)} {}

/// As many of these as one request may hold.
result<std::vector<entry::entry>> directory_sync::batch_of(const std::vector<uuid4>& tokens, bool with_code) const {
    std::vector<entry::entry> out;
    std::optional<std::pair<onion::address, onion::secret_key>> key;
    std::size_t size = 0;
    for (const auto& token : tokens) {
        const auto& r = journal_.at(token);
        if (!key || key->first != r.onion) {
            auto loaded = with_.key_of(r.onion);
            if (!loaded) return loaded.error();
            key.emplace(r.onion, std::move(*loaded));
        }
        auto e = signed_entry(token, r, key->second, owner_, with_, with_code);
        if (!e) return e.error();
        // JSON may take six bytes for one, and a kilobyte for the other members.
        size += 1024 + 6 * (e->name.size() + (e->code ? e->code->size() : 0));
        if (!out.empty() && (size > lookup::directory::batch_bytes || out.size() == lookup::directory::batch_entries))
            break;
        out.push_back(std::move(*e));
    }
    return out;
}

task<directory_sync::sent> directory_sync::send(const lacking& lacks) {
    sent out;
    const auto deadline = clock::now() + request_limit;
    result<std::optional<lookup::refusal>> answer;
    if (!lacks.add.empty() || !lacks.replace.empty()) {
        const bool add = !lacks.add.empty();
        auto batch = batch_of(add ? lacks.add : lacks.replace, add);
        if (!batch) co_return batch.error();
        for (const auto& e : *batch)
            out.what.emplace_back(e.token, e.seq());
        if (add)
            answer = co_await at_.add(owner_, *batch, deadline);
        else
            answer = co_await at_.replace(owner_, *batch, deadline);
    } else {
        std::vector<entry::tombstone> batch;
        for (const auto& token : lacks.end) {
            if (batch.size() == lookup::directory::batch_entries) break;
            auto& dead = batch.emplace_back(entry::tombstone{.token = token, .seq = journal_.at(token).seq});
            entry::sign(dead, owner_.key(token));
            out.what.emplace_back(token, dead.seq);
        }
        answer = co_await at_.end(owner_, batch, deadline);
    }
    if (!answer) co_return answer.error();
    out.refused = std::move(*answer);
    co_return std::move(out);
}

/// Finds out what the directory has of a token that it will not take.
task<void> directory_sync::look(uuid4 token) {
    const auto answer = co_await at_.find(token, clock::now() + request_limit);
    auto& r = journal_.at(token);
    auto& there = r.at[name_];
    if (const auto* failed = std::get_if<error>(&answer.says)) co_return *failed;
    if (std::holds_alternative<entry::no_entry>(answer.says)) {
        there.acknowledged.reset();
        co_return result<void>{};
    }
    const auto ours = owner_.key(token).public_key();
    if (const auto* dead = std::get_if<entry::tombstone>(&answer.says)) {
        const bool is_ours = dead->owner == ours && entry::verify(*dead);
        // Its end, which was taken, and whose answer was lost.
        if (is_ours && r.ended && dead->seq == r.seq)
            there.acknowledged = r.seq;
        else
            there.refused = std::string{is_ours ? at_directory::ended : at_directory::taken};
        co_return result<void>{};
    }
    const auto& live = std::get<entry::entry>(answer.says);
    if (!live.signed_by || live.signed_by->owner != ours || !entry::verify(live)) {
        there.refused = std::string{at_directory::taken};
        co_return result<void>{};
    }
    there.acknowledged = live.seq();
    if (live.seq() < r.seq) co_return result<void>{};
    const bool same = live.seq() == r.seq && live.onion == r.onion && live.signed_by->not_after == r.not_after &&
                      live.signed_by->ask_first == r.ask_first && !r.ended;
    if (!same) {
        if (with_.warning)
            with_.warning("another server registers " + token.str() +
                          " with this owner secret: is it a copy of this state directory?");
        r.seq = live.seq() + 1;
    }
    co_return result<void>{};
}

task<void> directory_sync::settle(const sent& s) {
    const auto& refused = *s.refused;
    using lookup::errc;
    if (refused.token && !journal_.contains(*refused.token)) co_return errc::not_a_directory;
    if (refused.token && (refused.why == errc::taken || refused.why == errc::older)) {
        const auto looked = co_await look(*refused.token);
        if (!looked) co_return looked;
        // A batch is taken whole: where one of it is ours, the others are there, too.
        if (refused.why == errc::taken && journal_.at(*refused.token).at[name_].acknowledged)
            for (const auto& [token, seq] : s.what)
                if (auto& there = journal_.at(token).at[name_]; !there.acknowledged) there.acknowledged = 0;
        co_return result<void>{};
    }
    if (refused.token) {
        auto& there = journal_.at(*refused.token).at[name_];
        if (refused.why == errc::unknown_token) {
            there.acknowledged.reset();
            co_return result<void>{};
        }
        if (refused.why == errc::ended || refused.why == errc::invalid) {
            there.refused = refused.why == errc::ended ? std::string{at_directory::ended} : refused.words;
            co_return result<void>{};
        }
    }
    if (refused.why == errc::forbidden) {
        // One of those that may be there is somebody else's.
        bool found_out = false;
        for (const auto& [token, seq] : s.what) {
            if (journal_.at(token).at[name_].acknowledged != 0) continue;
            const auto looked = co_await look(token);
            if (!looked) co_return looked;
            found_out = true;
        }
        if (found_out) co_return result<void>{};
    }
    co_return refused.as_error();
}

/// A road that did not hold, tried at once by another circuit.
bool directory_sync::takes_another_road(const error& e, int& left) {
    if (e.code.category() != make_error_code(net::errc::closed).category() || --left == 0) return false;
    const auto where = at_.where();
    at_ = lookup::directory{where, with_.road_to(where)};
    return true;
}

task<void> directory_sync::bring() {
    int left = attempts;
    for (;;) {
        const auto lacks = lacking_at(journal_, name_);
        if (lacks.empty()) co_return result<void>{};
        const auto s = co_await send(lacks);
        if (!s && takes_another_road(s.error(), left)) continue;
        if (!s) co_return s.error();
        if (s->refused) {
            const auto settled = co_await settle(*s);
            if (!settled && takes_another_road(settled.error(), left)) continue;
            if (!settled) co_return settled;
        } else {
            for (const auto& [token, seq] : s->what)
                journal_.at(token).at[name_].acknowledged = seq;
        }
        if (auto saved = save_(); !saved) co_return saved;
    }
}

}  // namespace bento::host
