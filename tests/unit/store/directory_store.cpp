#include <bento/base/file.hpp>
#include <bento/store/directory_store.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <set>

#include "run.hpp"
#include "store/sqlite.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using store::directory_store;
using store::record;
using store::registrant;

namespace {

uuid4 token(int n) { return uuid4::parse("00000000-0000-4000-8000-00000000000" + std::to_string(n)).value(); }
record signed_record(int n, std::uint64_t seq, std::uint8_t owner = 1) {
    return {token(n), 0, std::array<std::uint8_t, 32>{owner}, seq, false, "{\"seq\":" + std::to_string(seq) + "}"};
}
registrant fresh(const std::string& name) { return {name, "hash of " + name}; }
registrant known(std::string name) { return {std::move(name), {}}; }

boost::system::error_code code(const auto& r) { return r ? boost::system::error_code{} : r.error().code; }

/// A store in a folder of its own, and its answers without the waiting.
struct fixture {
    fixture() { open(); }
    void open() {
        store.reset();
        store = store::open_sqlite(path()).value();
    }
    std::string path() const { return (folder.path() / "directory.db").string(); }

    result<void> add(registrant by, std::vector<record> r, std::size_t most = 100) {
        return test::run([&](auto) { return store->add(by, r, most); });
    }
    result<void> replace(registrant by, std::vector<record> r) {
        return test::run([&](auto) { return store->replace(by, r); });
    }
    std::string document(int n) {
        auto found = test::run([&](auto) { return store->find(token(n)); }).value();
        return found ? found->document : "none";
    }
    std::string password(std::string name) {
        auto found = test::run([&](auto) { return store->find_account(name); }).value();
        return found ? found->password_hash : "none";
    }

    test::temporary_directory folder;
    std::unique_ptr<directory_store> store;
};

}  // namespace

TEST_CASE("what is registered is found, also by the next process") {
    fixture f;
    CHECK(f.document(1) == "none");
    REQUIRE(f.add(fresh("a"), {signed_record(1, 7), signed_record(2, 8)}));
    CHECK(f.document(1) == "{\"seq\":7}");
    f.open();
    CHECK(f.document(2) == "{\"seq\":8}");
    const auto found = test::run([&](auto) { return f.store->find(token(2)); }).value();
    REQUIRE(found);
    CHECK(found->token == token(2));
    CHECK(found->owner == std::array<std::uint8_t, 32>{1});
    CHECK(found->seq == 8);
    CHECK_FALSE(found->ended);
    CHECK(f.password("a") == "hash of a");
    CHECK(f.password("b") == "none");
}

TEST_CASE("T21: the first registration of a token binds, and a request is taken whole or not at all") {
    fixture f;
    REQUIRE(f.add(fresh("a"), {signed_record(1, 1)}));
    const auto second = f.add(fresh("b"), {signed_record(2, 1), signed_record(1, 2, 9)});
    CHECK(code(second) == store::errc::taken);
    CHECK(second.error().detail == token(1).str());
    CHECK(f.document(1) == "{\"seq\":1}");
    CHECK(f.document(2) == "none");
    CHECK(f.password("b") == "none");
    CHECK(code(f.add(fresh("a"), {signed_record(3, 1)})) == store::errc::taken);
    CHECK(f.password("a") == "hash of a");
    CHECK(f.add(known("a"), {signed_record(3, 1)}));
    CHECK(code(f.add(known("nobody"), {signed_record(4, 1)})) == store::errc::not_yours);
}

TEST_CASE("an account has so many entries at the most") {
    fixture f;
    REQUIRE(f.add(fresh("a"), {signed_record(1, 1), signed_record(2, 1)}, 3));
    CHECK(code(f.add(known("a"), {signed_record(3, 1), signed_record(4, 1)}, 3)) == store::errc::full);
    CHECK(f.document(3) == "none");
    CHECK(f.add(known("a"), {signed_record(3, 1)}, 3));
}

TEST_CASE("an entry is replaced by its own account, with a higher number") {
    fixture f;
    REQUIRE(f.add(fresh("a"), {signed_record(1, 5), signed_record(2, 5)}));
    REQUIRE(f.add(fresh("b"), {signed_record(3, 5)}));
    CHECK(code(f.replace(known("a"), {signed_record(4, 6)})) == store::errc::not_found);
    CHECK(code(f.replace(known("b"), {signed_record(1, 6)})) == store::errc::not_yours);
    CHECK(code(f.replace(known("a"), {signed_record(1, 6), signed_record(2, 5)})) == store::errc::stale);
    CHECK(f.document(1) == "{\"seq\":5}");
    REQUIRE(f.replace(known("a"), {signed_record(1, 6), signed_record(2, 6)}));
    CHECK(f.document(1) == "{\"seq\":6}");
    auto end = signed_record(1, 7);
    end.ended = true;
    REQUIRE(f.replace(known("a"), {end}));
    CHECK(test::run([&](auto) { return f.store->find(token(1)); }).value()->ended);
}

TEST_CASE("T19, T24: passwords and accounts stand in a file of their own, and nobody else may read either") {
    fixture f;
    REQUIRE(f.add(fresh("the-account"), {signed_record(1, 1)}));
    f.store.reset();
    CHECK(f.folder.names() == std::vector<std::string>{"directory-passwords.db", "directory.db"});
    const auto entries = read_file(f.path(), 1 << 20).value();
    CHECK(entries.find("hash of") == std::string::npos);
    const auto passwords = read_file(f.folder.path() / "directory-passwords.db", 1 << 20).value();
    CHECK(passwords.find("hash of the-account") != std::string::npos);
    for (const auto& name : f.folder.names())
        CHECK((std::filesystem::status(f.folder.path() / name).permissions() & std::filesystem::perms::all) ==
              (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("imported entries belong to nobody until their owner comes, and never go back") {
    fixture f;
    const auto import = [&](std::vector<record> r) {
        return test::run([&](auto) { return f.store->import(r); }).value();
    };
    REQUIRE(f.add(fresh("a"), {signed_record(1, 5)}));
    CHECK(import({signed_record(1, 4), signed_record(2, 5), signed_record(3, 1)}) == 2);
    CHECK(f.document(1) == "{\"seq\":5}");
    CHECK(import({signed_record(1, 6), signed_record(2, 9, 9)}) == 1);
    CHECK(f.document(1) == "{\"seq\":6}");
    CHECK(f.document(2) == "{\"seq\":5}");
    REQUIRE(f.replace(fresh("b"), {signed_record(2, 6)}));
    CHECK(code(f.replace(known("a"), {signed_record(2, 7)})) == store::errc::not_yours);
    CHECK(f.replace(known("a"), {signed_record(1, 7)}));
}

TEST_CASE("records come out page by page, each once") {
    fixture f;
    std::vector<record> all;
    for (int i = 0; i < 7; ++i)
        all.push_back(signed_record(i, 1));
    REQUIRE(f.add(fresh("a"), all));
    std::optional<uuid4> after;
    std::vector<std::string> seen;
    for (;;) {
        const auto page = test::run([&](auto) { return f.store->page(after, 3); }).value();
        if (page.empty()) break;
        for (const auto& r : page)
            seen.push_back(r.token.str());
        after = page.back().token;
    }
    CHECK(seen.size() == 7);
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 7);
    CHECK(test::run([&](auto) { return f.store->size(); }).value() == 7);
}

TEST_CASE("what is written is seen at once, within one turn of the loop and from another process") {
    fixture f;
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        const auto before = (co_await f.store->find(token(1))).value();
        CHECK_FALSE(before);
        std::vector<record> records{signed_record(1, 7)};
        asio::co_spawn(executor, f.store->add(fresh("a"), records, 100), asio::detached);
        co_await asio::post(executor, asio::use_awaitable);
        // The worker has it, and the loop does not turn from here on: a look-up waits for nothing.
        const auto give_up = clock::now() + std::chrono::seconds{10};
        for (bool there = false; !there;) {
            REQUIRE(clock::now() < give_up);
            const auto found = co_await f.store->find(token(1));
            REQUIRE(found);
            there = found->has_value();
        }
    });
    const auto other = store::open_sqlite(f.path()).value();
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        const auto before = (co_await f.store->find(token(2))).value();
        CHECK_FALSE(before);
        std::vector<record> records{signed_record(2, 1)};
        const auto taken = (co_await other->import(records)).value();
        CHECK(taken == 1);
        co_await asio::post(executor, asio::use_awaitable);
        const auto after = (co_await f.store->find(token(2))).value();
        CHECK(after);
    });
}

TEST_CASE("T32: a look-up goes down one tree, however many entries there are") {
    fixture f;
    REQUIRE(f.add(fresh("a"), {signed_record(1, 7)}));
    auto db = store::sqlite_database::open(f.path()).value();
    auto plan = db.prepare("EXPLAIN QUERY PLAN SELECT document FROM entries WHERE place = ?1").value();
    REQUIRE(plan.step().value());
    CHECK(plan.text(3) == "SEARCH entries USING INTEGER PRIMARY KEY (rowid=?)");
    plan.reset();
    // Two tokens never share a place here; one that stands at another's is not taken for it.
    REQUIRE(db.execute("UPDATE entries SET token = x'00112233445566778899aabbccddeeff'"));
    CHECK(f.document(1) == "none");
}

TEST_CASE("a file that is no database, or a later program's, is left alone") {
    test::temporary_directory folder;
    const auto path = (folder.path() / "d.db").string();
    std::ofstream{path} << std::string(5000, 'x');
    const auto wrong = store::open_sqlite(path);
    CHECK(code(wrong) == store::errc::failed);
    CHECK(read_file(path, 1 << 20).value() == std::string(5000, 'x'));
    CHECK(code(store::open_sqlite((folder.path() / "none/d.db").string())) == store::errc::failed);
}
