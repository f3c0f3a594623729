// The directory's store in SQLite: one file for the entries, one for the password hashes.
//
// Two files cannot be committed as one. The account is committed first: a crash between the two leaves an account
// without entries, which means nothing and is made anew by who registers next.
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <bento/base/encoding.hpp>
#include <bento/net/workers.hpp>
#include <bento/store/directory_store.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "sqlite.hpp"

namespace bento::store {
namespace {

constexpr std::int64_t schema_version = 1;
/// Registrations that wait for the disk.
constexpr std::size_t most_waiting = 4096;

/// An entry lies where the SHA-256 of its token says: a look-up goes down one tree of integers, and reads one page that
/// is not in the cache. Two tokens of one place are met with once in 2^63, and by nobody on purpose.
constexpr const char* directory_schema =
    "CREATE TABLE entries (place INTEGER PRIMARY KEY, token BLOB NOT NULL, account INTEGER NOT NULL, owner BLOB,"
    " seq INTEGER NOT NULL, ended INTEGER NOT NULL, document TEXT NOT NULL) STRICT;"
    "CREATE INDEX entries_by_account ON entries (account);";
constexpr const char* password_schema =
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, password TEXT NOT NULL) STRICT;";

using token_bytes = std::array<std::uint8_t, 16>;

token_bytes packed(const uuid4& token) {
    token_bytes out{};
    std::size_t digit = 0;
    for (const char c : token.text()) {
        if (c == '-') continue;
        const auto value = static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
        out[digit / 2] = static_cast<std::uint8_t>(out[digit / 2] << 4 | value);
        ++digit;
    }
    return out;
}

std::int64_t place_of(const token_bytes& token) {
    std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash{};
    crypto_hash_sha256(hash.data(), token.data(), token.size());
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < 8; ++i)
        out = out << 8 | hash[i];
    return static_cast<std::int64_t>(out >> 1);
}

result<uuid4> unpacked(byte_view raw) {
    auto text = hex_encode(raw);
    if (text.size() != 32) return error{errc::failed, "a token in the database has another size"};
    for (const std::size_t at : {8U, 13U, 18U, 23U})
        text.insert(at, 1, '-');
    return uuid4::parse(text);
}

std::array<std::uint8_t, 32> hashed(std::string_view name) {
    std::array<std::uint8_t, 32> out{};
    crypto_hash_sha256(out.data(), as_byte_view(name).data(), name.size());
    return out;
}

result<sqlite_database> open_with(const std::string& path, const char* schema) {
    auto db = sqlite_database::open(path);
    if (!db) return db;
    auto begun = sqlite_transaction::begin(*db);
    if (!begun) return begun.error();
    auto asked = db->prepare("PRAGMA user_version");
    if (!asked) return asked.error();
    if (auto row = asked->step(); !row) return row.error();
    const auto version = asked->number(0);
    asked->reset();
    if (version > schema_version) return error{errc::newer_version, path};
    if (version == 0) {
        if (auto made = db->execute(schema); !made) return made.error();
        if (auto made = db->execute(fmt::format("PRAGMA user_version={}", schema_version).c_str()); !made)
            return made.error();
    }
    if (auto done = begun->commit(); !done) return done.error();
    return db;
}

constexpr const char* columns = "SELECT token, account, owner, seq, ended, document FROM entries ";
std::string by_place() { return std::string{columns} + "WHERE place = ?1"; }

result<record> record_of(const uuid4& token, const sqlite_statement& row) {
    record out{token,
               row.number(1),
               {},
               static_cast<std::uint64_t>(row.number(3)),
               row.number(4) != 0,
               std::string{row.text(5)}};
    if (!row.is_null(2)) {
        const auto owner = row.blob(2);
        if (owner.size() != 32) return error{errc::failed, "an owner in the database has another size"};
        std::copy(owner.begin(), owner.end(), out.owner.emplace().begin());
    }
    return out;
}

/// By a statement of by_place().
result<std::optional<record>> find_by(sqlite_statement& at_place, const uuid4& token) {
    const auto key = packed(token);
    const auto row = at_place.bind(1, place_of(key)).step();
    if (!row) return row.error();
    if (!*row) return std::optional<record>{};
    const auto there = at_place.blob(0);
    if (!std::equal(there.begin(), there.end(), key.begin(), key.end())) {
        at_place.reset();
        return std::optional<record>{};
    }
    auto out = record_of(token, at_place);
    at_place.reset();
    if (!out) return out.error();
    return std::optional{std::move(*out)};
}

/// Of the database's file, seen in memory in place of being read and copied page by page: of a million entries a
/// look-up costs half as much. The pages are the system's cache, which it takes back when it needs them. SQLite maps it
/// anew after each commit of the writer, which costs a reader of a million entries some 40 ms, a little at a time.
constexpr const char* map_file = "PRAGMA mmap_size=1073741824";

/// What reads on the loop's thread. Each transaction costs SQLite as many system calls as all the rest of a look-up:
/// those of one turn of the loop share one, which is begun anew when something was written meanwhile.
class reader : public std::enable_shared_from_this<reader> {
  public:
    static result<std::shared_ptr<reader>> open(const std::string& path) {
        auto db = sqlite_database::open(path);
        if (!db) return db.error();
        if (auto mapped = db->execute(map_file); !mapped) return mapped.error();
        auto at_place = db->prepare(by_place().c_str());
        if (!at_place) return at_place.error();
        auto begin = db->prepare("BEGIN");
        if (!begin) return begin.error();
        auto end = db->prepare("COMMIT");
        if (!end) return end.error();
        return std::make_shared<reader>(std::move(*db), std::move(*at_place), std::move(*begin), std::move(*end));
    }
    reader(sqlite_database db, sqlite_statement at_place, sqlite_statement begin, sqlite_statement end)
        : db_{std::move(db)}, at_place_{std::move(at_place)}, begin_{std::move(begin)}, end_{std::move(end)} {}

    /// `written` counts what was committed.
    result<std::optional<record>> find(const asio::any_io_executor& executor, const uuid4& token,
                                       std::uint64_t written) {
        if (reading_ && seen_ != written)
            if (auto ended = end(); !ended) return ended.error();
        if (!reading_) {
            if (auto begun = begin_.run(); !begun) return begun.error();
            reading_ = true;
            seen_ = written;
            // Ended when the loop has come round, or has gone. Where it cannot be, the next look-up says so.
            const auto end_turn = [self = shared_from_this()](void*) { static_cast<void>(self->end()); };
            asio::post(executor, [turn = std::shared_ptr<void>{nullptr, end_turn}] {});
        }
        return find_by(at_place_, token);
    }

  private:
    result<void> end() {
        if (!reading_) return {};
        auto ended = end_.run();
        if (ended) reading_ = false;
        return ended;
    }

    sqlite_database db_;
    sqlite_statement at_place_, begin_, end_;
    bool reading_ = false;
    std::uint64_t seen_ = 0;
};

/// What the worker's thread uses, alone.
struct writer {
    sqlite_database entries, passwords;
    sqlite_statement at_place, insert, update, count_of_account, after, count;
    sqlite_statement account_by_name, insert_account, update_account;

    static result<writer> open(const std::string& path, const std::string& password_path) {
        auto entries = open_with(path, directory_schema);
        if (!entries) return entries.error();
        auto passwords = open_with(password_path, password_schema);
        if (!passwords) return passwords.error();
        std::optional<error> failed;
        const auto prepare = [&](sqlite_database& db, const std::string& sql) {
            auto s = db.prepare(sql.c_str());
            if (!s) failed = s.error();
            return s ? std::move(*s) : sqlite_statement{};
        };
        auto at_place = prepare(*entries, by_place());
        auto insert = prepare(*entries, "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        auto update = prepare(*entries,
                              "UPDATE entries SET account = ?3, owner = ?4, seq = ?5, ended = ?6, document = ?7"
                              " WHERE place = ?1 AND token = ?2");
        auto count_of_account = prepare(*entries, "SELECT count(*) FROM entries WHERE account = ?1");
        auto after = prepare(*entries, std::string{columns} + "WHERE place > ?1 ORDER BY place LIMIT ?2");
        auto count = prepare(*entries, "SELECT count(*) FROM entries");
        auto account_by_name = prepare(*passwords, "SELECT id, password FROM accounts WHERE name = ?1");
        auto insert_account = prepare(*passwords, "INSERT INTO accounts (name, password) VALUES (?1, ?2) RETURNING id");
        auto update_account = prepare(*passwords, "UPDATE accounts SET password = ?2 WHERE id = ?1");
        if (failed) return *failed;
        return writer{std::move(*entries),       std::move(*passwords),    std::move(at_place),
                      std::move(insert),         std::move(update),        std::move(count_of_account),
                      std::move(after),          std::move(count),         std::move(account_by_name),
                      std::move(insert_account), std::move(update_account)};
    }

    result<std::optional<record>> find(const uuid4& token) { return find_by(at_place, token); }

    result<std::optional<account>> find_account(std::string_view name) {
        const auto key = hashed(name);
        const auto row = account_by_name.bind(1, byte_view{key}).step();
        if (!row) return row.error();
        if (!*row) return std::optional<account>{};
        account out{account_by_name.number(0), std::string{account_by_name.text(1)}};
        account_by_name.reset();
        return std::optional{std::move(out)};
    }

    result<std::uint64_t> entries_of(std::int64_t account) {
        const auto row = count_of_account.bind(1, account).step();
        if (!row) return row.error();
        const auto n = static_cast<std::uint64_t>(count_of_account.number(0));
        count_of_account.reset();
        return n;
    }

    /// The registrant's account number, within a transaction of `passwords`.
    result<std::int64_t> account_of(const registrant& by) {
        const auto there = find_account(by.account);
        if (!there) return there.error();
        if (!by.new_password_hash) {
            if (!*there) return error{errc::not_yours};
            return (*there)->id;
        }
        if (*there) {
            const auto entries_there = entries_of((*there)->id);
            if (!entries_there) return entries_there.error();
            if (*entries_there > 0) return error{errc::taken};
            if (auto set = update_account.bind(1, (*there)->id).bind(2, *by.new_password_hash).run(); !set)
                return set.error();
            return (*there)->id;
        }
        const auto key = hashed(by.account);
        const auto row = insert_account.bind(1, byte_view{key}).bind(2, *by.new_password_hash).step();
        if (!row) return row.error();
        const auto id = insert_account.number(0);
        if (auto rest = insert_account.run(); !rest) return rest.error();
        return id;
    }

    result<void> write(sqlite_statement& with, const record& r, std::int64_t account) {
        const auto key = packed(r.token);
        with.bind(1, place_of(key)).bind(2, byte_view{key}).bind(3, account);
        if (r.owner)
            with.bind(4, byte_view{*r.owner});
        else
            with.bind_null(4);
        return with.bind(5, static_cast<std::int64_t>(r.seq))
            .bind(6, std::int64_t{r.ended})
            .bind(7, std::string_view{r.document})
            .run();
    }

    /// `change(account)` within transactions of both files.
    template <class Change>
    result<void> as(const registrant& by, Change change) {
        auto in_passwords = sqlite_transaction::begin(passwords);
        if (!in_passwords) return in_passwords.error();
        auto in_entries = sqlite_transaction::begin(entries);
        if (!in_entries) return in_entries.error();
        const auto account = account_of(by);
        if (!account) return account.error();
        if (auto changed = change(*account); !changed) return changed;
        if (auto done = in_passwords->commit(); !done) return done;
        return in_entries->commit();
    }

    result<void> add(const registrant& by, const std::vector<record>& records, std::size_t most) {
        return as(by, [&](std::int64_t account) -> result<void> {
            const auto has = entries_of(account);
            if (!has) return has.error();
            if (*has + records.size() > most) return error{errc::full};
            for (const auto& r : records) {
                const auto there = find(r.token);
                if (!there) return there.error();
                if (*there) return error{errc::taken, r.token.str()};
                if (auto written = write(insert, r, account); !written) return written;
            }
            return {};
        });
    }

    result<void> replace(const registrant& by, const std::vector<record>& records) {
        return as(by, [&](std::int64_t account) -> result<void> {
            for (const auto& r : records) {
                const auto there = find(r.token);
                if (!there) return there.error();
                if (!*there) return error{errc::not_found, r.token.str()};
                if ((*there)->account != account && (*there)->account != 0)
                    return error{errc::not_yours, r.token.str()};
                if (r.owner && r.seq <= (*there)->seq) return error{errc::stale, r.token.str()};
                if (auto written = write(update, r, account); !written) return written;
            }
            return {};
        });
    }

    result<std::size_t> import(const std::vector<record>& records) {
        auto begun = sqlite_transaction::begin(entries);
        if (!begun) return begun.error();
        std::size_t taken = 0;
        for (const auto& r : records) {
            const auto there = find(r.token);
            if (!there) return there.error();
            if (*there && ((*there)->seq >= r.seq || (*there)->owner != r.owner)) continue;
            const auto account = *there ? (*there)->account : 0;
            if (auto written = write(*there ? update : insert, r, account); !written) return written.error();
            ++taken;
        }
        if (auto done = begun->commit(); !done) return done.error();
        return taken;
    }

    result<std::vector<record>> page(const std::optional<uuid4>& behind, std::size_t most) {
        std::vector<record> out;
        after.bind(1, behind ? place_of(packed(*behind)) : -1).bind(2, static_cast<std::int64_t>(most));
        for (;;) {
            const auto row = after.step();
            if (!row) return row.error();
            if (!*row) return out;
            const auto token = unpacked(after.blob(0));
            auto r = token ? record_of(*token, after) : token.error();
            if (!r) {
                after.reset();
                return r.error();
            }
            out.push_back(std::move(*r));
        }
    }

    result<std::uint64_t> size() {
        const auto row = count.step();
        if (!row) return row.error();
        const auto n = static_cast<std::uint64_t>(count.number(0));
        count.reset();
        return n;
    }
};

class sqlite_directory final : public directory_store {
  public:
    sqlite_directory(std::shared_ptr<reader> r, writer w)
        : reader_{std::move(r)}, writer_{std::move(w)}, worker_{{.threads = 1, .waiting = most_waiting}} {}

    task<std::optional<record>> find(uuid4 token) override {
        const auto executor = co_await asio::this_coro::executor;
        co_return reader_->find(executor, token, written_.load(std::memory_order_acquire));
    }
    task<std::optional<account>> find_account(std::string name) override {
        return worker_.run([this, name = std::move(name)] { return writer_.find_account(name); });
    }
    task<void> add(registrant by, std::vector<record> records, std::size_t most) override {
        return worker_.run(
            [this, by = std::move(by), r = std::move(records), most] { return counted(writer_.add(by, r, most)); });
    }
    task<void> replace(registrant by, std::vector<record> records) override {
        return worker_.run(
            [this, by = std::move(by), r = std::move(records)] { return counted(writer_.replace(by, r)); });
    }
    task<std::size_t> import(std::vector<record> records) override {
        return worker_.run([this, r = std::move(records)] { return counted(writer_.import(r)); });
    }
    task<std::vector<record>> page(std::optional<uuid4> after, std::size_t count) override {
        return worker_.run([this, after, count] { return writer_.page(after, count); });
    }
    task<std::uint64_t> size() override {
        return worker_.run([this] { return writer_.size(); });
    }

  private:
    /// Of the worker's thread, before anybody is told.
    template <class Result>
    Result counted(Result written) {
        written_.fetch_add(1, std::memory_order_release);
        return written;
    }

    std::shared_ptr<reader> reader_;
    writer writer_;
    std::atomic<std::uint64_t> written_ = 0;
    net::workers worker_;  // last, so that it ends before what its thread uses
};

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::taken:
            return "registered already";
        case errc::not_found:
            return "not registered";
        case errc::not_yours:
            return "registered by another account";
        case errc::stale:
            return "registered with this number or a higher one already";
        case errc::full:
            return "the account has as many entries as it may";
        case errc::failed:
            return "the store failed";
        case errc::newer_version:
            return "the database was made by a later version of this program";
    }
    return "unknown error";
}

result<std::unique_ptr<directory_store>> open_sqlite(const std::string& path) {
    auto password_path = path;
    if (password_path.ends_with(".db")) password_path.resize(password_path.size() - 3);
    password_path += "-passwords.db";
    auto w = writer::open(path, password_path);
    if (!w) return w.error();
    auto r = reader::open(path);
    if (!r) return r.error();
    return std::unique_ptr<directory_store>{std::make_unique<sqlite_directory>(std::move(*r), std::move(*w))};
}

}  // namespace bento::store
