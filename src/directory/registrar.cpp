#include "registrar.hpp"

#include <fmt/format.h>

#include <bento/entry/owner.hpp>
#include <boost/json.hpp>

namespace bento::directory {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds busy_pause{5};

/// One sentence for the password and the signatures: who guesses is not told which was wrong.
refusal forbidden() { return {403, "forbidden", "the password or a signature is wrong"}; }

/// About one token, which stands in a member of its own for programs.
refusal about(std::string_view token, int status, std::string type, std::string_view what) {
    refusal out{status, std::move(type), fmt::format("{} {}", token, what)};
    if (const auto parsed = uuid4::parse(token)) out.token = *parsed;
    return out;
}
refusal taken(std::string_view token) { return about(token, 409, "taken", "is registered already"); }
refusal older(std::string_view token) {
    return about(token, 409, "older", "is registered with this number or a higher one");
}
refusal unknown(std::string_view token) { return about(token, 404, "unknown-token", "is not registered"); }
refusal ended(std::string_view token) {
    return about(token, 410, "ended", "was registered, and its registration has ended");
}
refusal busy() { return {503, "busy", "too many registrations at a time", busy_pause}; }

/// The one table from what the store says to what is answered.
refusal from_store(const error& e) {
    if (e.code == store::errc::taken) return taken(e.detail);
    if (e.code == store::errc::stale) return older(e.detail);
    if (e.code == store::errc::not_found) return unknown(e.detail);
    if (e.code == store::errc::not_yours) return forbidden();
    if (e.code == store::errc::full) return {403, "quota", "the account has as many entries as it may"};
    if (e.code == net::errc::busy) return busy();
    return {503, "store", "the directory cannot write at this moment", busy_pause};
}

/// An entry of the store, which we wrote.
result<entry::entry> entry_of(const store::record& r) {
    boost::system::error_code failed;
    const auto v = json::parse(r.document, failed);
    if (failed || !v.is_object()) return error{store::errc::failed, "a document of the store is no JSON"};
    return entry::entry_from_json(v.get_object());
}

/// What is checked and made on a thread of its own: signatures, claims, the password, and the records to be written.
struct judgement {
    std::optional<refusal> refused;
    bool wrong_password = false;
    std::optional<std::string> new_hash;
    std::vector<store::record> records;
    std::string answer;
};

bool signatures_hold(const wish& w, const std::string& directory, const std::string& account) {
    if (!w.is_signed()) return !w.live || entry::verify(*w.live).has_value();
    const auto held = w.dead ? entry::verify(*w.dead) : entry::verify(*w.live);
    return held && entry::verify_claim(w.owner(), directory, account, w.signed_bytes(), w.claim);
}

/// The same entry once more: its answer was lost, and it is sent again.
bool is_there(const wish& w, const store::record& r) {
    if (!w.live || !w.is_signed() || w.seq() != r.seq) return false;
    const auto e = entry_of(r);
    return e && e->signed_by && entry::signed_bytes(*e) == w.signed_bytes();
}

/// The entry as it will stand: a token's name and code are bound for ever with its first registration.
checked<entry::entry> merged(const wish& w, const store::record* there) {
    if (there == nullptr) return *w.live;
    auto old = entry_of(*there);
    if (!old) return from_store(old.error());
    if (w.moved_to) {
        old->onion = *w.moved_to;
        return std::move(*old);
    }
    auto fresh = *w.live;
    if (fresh.name != old->name || fresh.code_sha256 != old->code_sha256)
        return about(w.token.text(), 409, "taken", "is registered with another name or code");
    fresh.code = std::move(old->code);
    return fresh;
}

struct case_file {
    request asked;
    std::vector<store::record> there;  // empty for action::add
    std::string directory;
    std::optional<std::string> password_hash;  // of the account that is there
    bool may_make_account = false;
    std::string nobodys_hash;
    hash_policy policy;
};

result<judgement> judge(const case_file& c) {
    judgement out;
    json::array answer;
    for (std::size_t i = 0; i < c.asked.wishes.size(); ++i) {
        const auto& w = c.asked.wishes[i];
        if (!signatures_hold(w, c.directory, c.asked.account_given)) {
            out.refused = forbidden();
            return out;
        }
        store::record r{w.token, 0, {}, w.seq(), w.dead.has_value(), {}};
        if (w.is_signed()) r.owner = w.owner();
        if (w.dead) {
            const auto document = entry::to_json(*w.dead);
            r.document = json::serialize(document);
            answer.push_back(document);
        } else {
            const auto e = merged(w, c.there.empty() ? nullptr : &c.there[i]);
            if (!e) {
                out.refused = e.error();
                return out;
            }
            answer.push_back(entry::to_json(*e, false));
            if (!c.there.empty() && is_there(w, c.there[i])) continue;
            r.document = json::serialize(entry::to_json(*e));
        }
        out.records.push_back(std::move(r));
    }
    const auto password = c.asked.password.text();
    if (c.password_hash) {
        out.wrong_password = !verify_password(password, *c.password_hash);
    } else if (c.may_make_account) {
        out.new_hash = hash_password(password, c.policy);
    } else {
        // Nobody's password: only so that it takes as long.
        static_cast<void>(verify_password(password, c.nobodys_hash));
        out.wrong_password = true;
    }
    out.answer = json::serialize(json::object{{"entries", std::move(answer)}}) + "\n";
    return out;
}

}  // namespace

registrar::registrar(const options& o, store::directory_store& store)
    : options_{o},
      store_{store},
      nobodys_hash_{hash_password("nobody", o.hash)},
      workers_{{.threads = o.hash_threads, .waiting = o.hash_waiting, .yields = true}} {}

asio::awaitable<checked<std::vector<store::record>>> registrar::find_all(action what, const request& r) {
    std::vector<store::record> out;
    for (const auto& w : r.wishes) {
        auto found = co_await store_.find(w.token);
        if (!found) co_return from_store(found.error());
        auto& there = *found;
        if (what == action::add) {
            if (there) co_return taken(w.token.text());
            continue;
        }
        if (!there) co_return from_store(error{store::errc::not_found, w.token.str()});
        if (there->ended) co_return ended(w.token.text());
        // FW7: the password alone does not move what a key has signed. An unsigned import has no owner to come back.
        if (there->owner && (!w.is_signed() || w.owner() != *there->owner)) co_return forbidden();
        if (there->account == 0 && !there->owner) co_return forbidden();
        if (w.is_signed() && there->owner && w.seq() <= there->seq && !is_there(w, *there))
            co_return older(w.token.text());
        out.push_back(std::move(*there));
    }
    co_return out;
}

asio::awaitable<checked<std::string>> registrar::handle(action what, std::string body, std::string host) {
    // Before anything is read: who floods gets this answer most of the time, and it is to cost little.
    if (workers_.full()) co_return busy();
    auto asked = parse_request(body, what, options_, options_.today());
    if (!asked) co_return asked.error();
    body = {};
    auto there = co_await find_all(what, *asked);
    if (!there) co_return there.error();
    const auto account = asked->account;
    if (const auto pause = attempts_.must_wait(account, clock::now()); pause.count() > 0)
        co_return refusal{429, "too-many-attempts", "too many wrong passwords", pause};
    case_file c;
    c.asked = std::move(*asked);
    c.directory = options_.name.empty() ? host : options_.name;
    c.may_make_account = what == action::add || std::all_of(there->begin(), there->end(),
                                                            [](const store::record& r) { return r.account == 0; });
    c.there = std::move(*there);
    c.nobodys_hash = nobodys_hash_;
    c.policy = options_.hash;
    const auto shared = std::make_shared<case_file>(std::move(c));
    // Twice, where somebody else makes the same account between our look and our writing.
    for (bool again = true;; again = false) {
        const auto known = co_await store_.find_account(account);
        if (!known) co_return from_store(known.error());
        shared->password_hash = *known ? std::optional{(*known)->password_hash} : std::nullopt;
        // Named first: g++ 12 destroys a closure among the arguments of what is awaited twice.
        const auto job = [shared] { return judge(*shared); };
        auto judged = co_await workers_.run(job);
        if (!judged) co_return from_store(judged.error());
        if (judged->refused) co_return *judged->refused;
        if (judged->wrong_password) {
            // Somebody may have been first while we checked.
            const auto still = co_await find_all(what, shared->asked);
            if (!still) co_return still.error();
            attempts_.failed(account, clock::now());
            co_return forbidden();
        }
        attempts_.succeeded(account);
        store::registrant by{account, judged->new_hash};
        auto records = std::move(judged->records);
        result<void> written;
        if (what == action::add)
            written = co_await store_.add(std::move(by), std::move(records), options_.entries_per_account);
        else
            written = co_await store_.replace(std::move(by), std::move(records));
        if (written) co_return std::move(judged->answer);
        if (again && written.error().code == store::errc::taken && written.error().detail.empty()) {
            const auto still = co_await find_all(what, shared->asked);
            if (!still) co_return still.error();
            continue;
        }
        co_return from_store(written.error());
    }
}

}  // namespace bento::directory
