#include <algorithm>
#include <bento/entry/choice.hpp>

namespace bento::entry {
namespace {

/// One directory's entry or tombstone that may be believed.
struct candidate {
    const answer* from;
    const entry* live = nullptr;
    const tombstone* dead = nullptr;
    digest document{};

    std::uint64_t seq() const { return live != nullptr ? live->seq() : dead->seq; }
    std::optional<onion::public_key> owner() const {
        if (dead != nullptr) return dead->owner;
        return live->signed_by ? std::optional{live->signed_by->owner} : std::nullopt;
    }
};

digest document_of(const entry& e) {
    if (e.signed_by) return sha256(signed_bytes(e));
    return sha256(e.name + '\0' + std::string{as_text(e.code_sha256)} + e.onion.service_id());
}

/// What the share string and the pin ask of an owner's document.
result<void> check_owner(const share& wanted, const std::optional<pin>& known, const candidate& c) {
    const auto owner = c.owner();
    if (wanted.fingerprint) {
        if (!owner) return error{errc::wrong_owner, "it is unsigned, and the share string names its owner"};
        if (fingerprint(*owner) != *wanted.fingerprint)
            return error{errc::wrong_owner, "its owner is not the one of the share string"};
    }
    if (!known || !known->owner) return {};
    if (!owner) return error{errc::wrong_owner, "it is unsigned, and was signed before"};
    // A share string that names the owner is later knowledge than the pin: another owner is then refused by it alone.
    if (*owner != *known->owner && !wanted.fingerprint)
        return error{errc::wrong_owner, "its owner is not the one known from earlier look-ups"};
    if (*owner != *known->owner) return {};
    if (c.seq() < known->seq)
        return error{errc::older, "it has number " + std::to_string(c.seq()) + ", and number " +
                                      std::to_string(known->seq) + " was seen"};
    if (c.live != nullptr && c.seq() == known->seq && c.document != known->document)
        return error{errc::conflict, "its owner signed two entries with one number"};
    return {};
}

result<void> check(const share& wanted, const std::optional<pin>& known, day now, const candidate& c) {
    const auto& token = c.live != nullptr ? c.live->token : c.dead->token;
    if (token != wanted.token) return error{errc::malformed, "it is the entry of another token"};
    if (auto held = c.live != nullptr ? verify(*c.live) : verify(*c.dead); !held) return held;
    if (auto owned = check_owner(wanted, known, c); !owned) return owned;
    return c.live != nullptr ? check_day(*c.live, now) : result<void>{};
}

/// Whether two documents can both be true.
bool contradict(const candidate& a, const candidate& b) {
    if (a.owner() != b.owner()) return a.owner() && b.owner();
    return a.live != nullptr && b.live != nullptr && a.seq() == b.seq() && a.document != b.document;
}

/// Signed before unsigned, then by number, an end before an entry of the same one.
bool better(const candidate& a, const candidate& b) {
    const auto rank = [](const candidate& c) { return std::tuple{c.owner().has_value(), c.seq(), c.dead != nullptr}; };
    return rank(a) > rank(b);
}

}  // namespace

std::string_view to_text(change c) {
    switch (c) {
        case change::first:
            return "first";
        case change::same:
            return "same";
        case change::owner_signed:
            return "owner-signed";
        case change::unsigned_:
            return "unsigned";
    }
    return "";
}

result<choice> choose(const share& wanted, const std::optional<pin>& known, const std::vector<answer>& answers,
                      day now) {
    std::vector<candidate> valid;
    std::vector<std::string> warnings;
    std::optional<error> refused, unreached;
    bool somebody_has_none = false;
    for (const auto& a : answers) {
        if (std::holds_alternative<no_entry>(a.says)) {
            somebody_has_none = true;
            continue;
        }
        if (const auto* failed = std::get_if<error>(&a.says)) {
            if (!unreached) unreached = *failed;
            warnings.push_back("directory " + a.directory + ": " + failed->message());
            continue;
        }
        candidate c{&a, std::get_if<entry>(&a.says), std::get_if<tombstone>(&a.says), {}};
        if (c.live != nullptr) c.document = document_of(*c.live);
        if (auto fine = check(wanted, known, now, c); !fine) {
            if (!refused) refused = fine.error();
            warnings.push_back("directory " + a.directory + ": " + fine.error().message());
            continue;
        }
        valid.push_back(c);
    }
    if (valid.empty()) {
        if (refused) return *refused;
        if (somebody_has_none || !unreached) return errc::not_found;
        return *unreached;
    }
    const auto best = *std::min_element(valid.begin(), valid.end(), better);
    for (const auto& other : valid) {
        if (contradict(best, other))
            return error{errc::conflict, "a share string TOKEN#FINGERPRINT would tell which owner is meant"};
        if (other.seq() < best.seq())
            warnings.push_back("directory " + other.from->directory + " shows an older entry");
    }
    if (best.dead != nullptr) return errc::ended;
    choice out{*best.live, change::first, {best.owner(), best.seq(), best.document}, std::move(warnings)};
    if (!best.owner())
        out.change = change::unsigned_;
    else if (known && known->document == best.document)
        out.change = change::same;
    else if (known && known->owner == best.owner())
        out.change = change::owner_signed;
    return out;
}

}  // namespace bento::entry
