#include "entries.hpp"

using namespace bento;
using namespace bento::test;
using entry::answer;
using entry::pin;

namespace {

const entry::share plain{token, {}};
const entry::share with_fingerprint{token, entry::fingerprint(owner_key().public_key())};

std::vector<answer> say(std::initializer_list<decltype(answer::says)> all) {
    std::vector<answer> out;
    for (const auto& says : all)
        out.push_back({"d" + std::to_string(out.size() + 1), says});
    return out;
}

pin pinned(const entry::entry& e) { return entry::choose(plain, {}, say({e}), now).value().remember; }

boost::system::error_code failure_of(const std::vector<answer>& answers, const std::optional<pin>& known = {},
                                     const entry::share& wanted = plain) {
    const auto c = entry::choose(wanted, known, answers, now);
    return c ? boost::system::error_code{} : c.error().code;
}

}  // namespace

TEST_CASE("the highest number wins, and the one who shows less is told") {
    const auto c = entry::choose(plain, {}, say({signed_entry(3), signed_entry(5, 2), entry::no_entry{}}), now);
    REQUIRE(c);
    CHECK(c->chosen.seq() == 5);
    CHECK(c->change == entry::change::first);
    CHECK(c->warnings == std::vector<std::string>{"directory d1 shows an older entry"});
}

TEST_CASE("what changed is told: first, same, owner-signed, unsigned") {
    const auto change = [](const entry::entry& e, const std::optional<pin>& known) {
        return to_text(entry::choose(plain, known, say({e}), now).value().change);
    };
    CHECK(change(signed_entry(3), {}) == "first");
    CHECK(change(signed_entry(3), pinned(signed_entry(3))) == "same");
    CHECK(change(signed_entry(4, 2), pinned(signed_entry(3))) == "owner-signed");
    CHECK(change(unsigned_entry(), {}) == "unsigned");
    CHECK(change(unsigned_entry(2), pinned(unsigned_entry(1))) == "unsigned");
    CHECK(change(signed_entry(1), pinned(unsigned_entry())) == "first");
}

TEST_CASE("T28: a hijacked onion's entry by another owner is refused") {
    const auto known = pinned(signed_entry(3));
    CHECK(failure_of(say({signed_entry(9, 2, "thief")}), known) == entry::errc::wrong_owner);
    CHECK(failure_of(say({unsigned_entry(2)}), known) == entry::errc::wrong_owner);
    CHECK(failure_of(say({signed_entry(9, 2, "thief")}), {}, with_fingerprint) == entry::errc::wrong_owner);
    CHECK(failure_of(say({unsigned_entry(2)}), {}, with_fingerprint) == entry::errc::wrong_owner);
    // The honest directory beside it is believed.
    const auto c = entry::choose(plain, known, say({signed_entry(9, 2, "thief"), signed_entry(4, 3)}), now);
    REQUIRE(c);
    CHECK(c->chosen.seq() == 4);
    CHECK(c->warnings.size() == 1);
}

TEST_CASE("a directory that serves an old entry is refused by who saw a newer one") {
    CHECK(failure_of(say({signed_entry(2)}), pinned(signed_entry(3))) == entry::errc::older);
    CHECK(failure_of(say({signed_entry(3, 1, "owner", now - std::chrono::days{1})})) == entry::errc::expired);
    CHECK(failure_of(say({signed_entry(3, 1, "owner", now + std::chrono::days{40})})) == entry::errc::too_long_lived);
}

TEST_CASE("two entries of one number by one owner contradict each other") {
    CHECK(failure_of(say({signed_entry(3, 1), signed_entry(3, 2)})) == entry::errc::conflict);
    CHECK(failure_of(say({signed_entry(3, 2)}), pinned(signed_entry(3, 1))) == entry::errc::conflict);
    CHECK(failure_of(say({unsigned_entry(1), unsigned_entry(2)})) == entry::errc::conflict);
}

TEST_CASE("a stranger who registered first at a second directory: nobody is believed without a share string") {
    const auto both = say({signed_entry(3), signed_entry(9, 2, "thief")});
    CHECK(failure_of(both) == entry::errc::conflict);
    CHECK(entry::choose(with_fingerprint, {}, both, now).value().chosen.seq() == 3);
    CHECK(entry::choose(plain, pinned(signed_entry(3)), both, now).value().chosen.seq() == 3);
    // The share string is later knowledge than a pin of the wrong one.
    CHECK(entry::choose(with_fingerprint, pinned(signed_entry(9, 2, "thief")), both, now).value().chosen.seq() == 3);
}

TEST_CASE("a signed entry is preferred to an unsigned one") {
    CHECK(entry::choose(plain, {}, say({unsigned_entry(2), signed_entry(1)}), now).value().chosen.seq() == 1);
}

TEST_CASE("an end counts when it is the newest word of the owner") {
    CHECK(failure_of(say({ended(4), signed_entry(3)})) == entry::errc::ended);
    CHECK(failure_of(say({signed_entry(4), ended(4)})) == entry::errc::ended);
    CHECK(entry::choose(plain, {}, say({ended(3), signed_entry(4)}), now).value().chosen.seq() == 4);
    CHECK(failure_of(say({ended(9, "thief")}), pinned(signed_entry(3))) == entry::errc::wrong_owner);
    auto forged = ended(9);
    forged.seq = 10;
    CHECK(failure_of(say({forged})) == entry::errc::bad_signature);
}

TEST_CASE("nothing found, nobody reached, another token's entry") {
    const error down{entry::errc::malformed, "down"};
    CHECK(failure_of(say({entry::no_entry{}})) == entry::errc::not_found);
    CHECK(failure_of(say({entry::no_entry{}, down})) == entry::errc::not_found);
    CHECK(failure_of(say({down})) == entry::errc::malformed);
    CHECK(entry::choose(plain, {}, say({down, signed_entry(1)}), now).value().warnings.size() == 1);
    const entry::share other{uuid4::generate(), {}};
    CHECK(failure_of(say({signed_entry(1)}), {}, other) == entry::errc::malformed);
    auto forged = signed_entry(1);
    forged.signed_by->seq = 2;
    CHECK(failure_of(say({forged})) == entry::errc::bad_signature);
}
