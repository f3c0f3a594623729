#include <bento/base/encoding.hpp>
#include <bento/base/file.hpp>

#include "entries.hpp"
#include "temporary_directory.hpp"

using namespace bento;
using namespace bento::test;
using entry::owner_secret;

namespace {

owner_secret fixed() { return owner_secret::from_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").value(); }

}  // namespace

TEST_CASE("what is derived differs by purpose, token and directory, and stays the same for ever") {
    const auto s = fixed();
    const auto other = uuid4::parse("00000000-0000-4000-8000-000000000000").value();
    CHECK(s.key(token).public_key() != s.key(other).public_key());
    CHECK(s.owner_token(token) != s.owner_token(other));
    CHECK_FALSE(s.password("a.onion") == s.password("b.onion"));
    CHECK(s.account("a.onion") != s.account("b.onion"));
    CHECK(s.password("a.onion").size() == 43);
    // An owner who comes back with his secret must be the same owner.
    CHECK(hex_encode(s.key(token).public_key()) == "ba5754fc6fec520a86f9b3e473e4d3ab32ca7911816723196dd48afe71792395");
    CHECK(s.password("a.onion").text() == "ug8BfhLo8xqH0QtbBgjvHBq6GeyfAkQZo9skB5yumoA");
    CHECK(s.account("a.onion") == "sqjojnak4mgp5i3nkvxaqtse34cvkriw");
    CHECK(s.owner_token(token).str() == "695785f4-b962-42d2-98c7-b7261cbc4bd5");
    CHECK(entry::fingerprint(s.key(token).public_key()) == "rjlw63dxbo3f3b7xys27mk75h4q5pn36");
}

TEST_CASE("T23: a secret is given by a file, or made, 0600") {
    temporary_directory folder;
    const auto file = folder.path() / "owner";
    const auto made = owner_secret::load_or_make(file);
    REQUIRE(made);
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK(read_file(file, 1000).value().size() >= 44);
    CHECK(owner_secret::load_or_make(file).value().account("d") == made->account("d"));
    REQUIRE(write_file(file, "  AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"));
    CHECK(owner_secret::load(file).value().account("d") == fixed().account("d"));
    REQUIRE(write_file(file, "password\n"));
    CHECK(owner_secret::load(file).error().code == entry::errc::bad_secret);
    CHECK(owner_secret::load_or_make(file).error().code == entry::errc::bad_secret);
    CHECK(read_file(file, 1000).value() == "password\n");
}

TEST_CASE("a share string names the owner") {
    const auto print = entry::fingerprint(owner_key().public_key());
    CHECK(print.size() == 32);
    const auto whole = token.str() + "#" + print;
    const auto s = entry::share::parse(whole);
    REQUIRE(s);
    CHECK(s->token == token);
    CHECK(s->fingerprint == print);
    CHECK(s->str() == whole);
    CHECK_FALSE(entry::share::parse(token.str()).value().fingerprint);
    CHECK(entry::share::parse(token.str() + "#").error().code == entry::errc::bad_share);
    CHECK(entry::share::parse(token.str() + "#" + print.substr(1)).error().code == entry::errc::bad_share);
    CHECK(entry::share::parse(token.str() + "#" + print.substr(1) + "1").error().code == entry::errc::bad_share);
    CHECK(entry::share::parse("x#" + print).error().code == entry::errc::bad_share);
}

TEST_CASE("a claim is good for one directory, one account and one entry") {
    const auto owner = owner_key();
    const auto bytes = entry::signed_bytes(signed_entry(1));
    const auto claim = entry::sign_claim(owner, "a.onion", "account", bytes);
    const auto holds = [&](std::string_view directory, std::string_view account, std::string_view of) {
        return entry::verify_claim(owner.public_key(), directory, account, of, claim);
    };
    CHECK(holds("a.onion", "account", bytes));
    CHECK_FALSE(holds("b.onion", "account", bytes));
    CHECK_FALSE(holds("a.onion", "thief", bytes));
    CHECK_FALSE(holds("a.onionaccount", "", bytes));
    CHECK_FALSE(holds("a.onion", "account", entry::signed_bytes(signed_entry(2))));
}
