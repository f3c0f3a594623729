#include "sqlite.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <bento/store/directory_store.hpp>
#include <cstring>
#include <utility>

namespace bento::store {
namespace {

/// Another process (an export, a backup) may hold the database for a moment.
constexpr int busy_milliseconds = 5000;

}  // namespace

error sqlite_database::failed(std::string_view doing) const {
    return {errc::failed, std::string{doing}, db_ ? sqlite3_errmsg(db_.get()) : "out of memory"};
}

result<sqlite_database> sqlite_database::open(const std::string& path) {
    // SQLite would make it readable by others; its WAL takes the permissions of the file.
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return error{errc::failed, "opening " + path, std::strerror(errno)};
    ::close(fd);
    sqlite_database out;
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    out.db_.reset(raw);
    if (code != SQLITE_OK) return out.failed("opening " + path);
    sqlite3_busy_timeout(raw, busy_milliseconds);
    // FULL: a commit that was confirmed survives a loss of power. The cache holds the inner pages of a million entries.
    const auto set = out.execute(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
        "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;");
    if (!set) return set.error();
    return out;
}

result<void> sqlite_database::execute(const char* sql) {
    if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed("the database");
    return {};
}

result<sqlite_statement> sqlite_database::prepare(const char* sql) {
    sqlite_statement out;
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK)
        return failed("preparing a statement");
    out.statement_.reset(raw);
    return out;
}

sqlite_statement& sqlite_statement::bind(int place, std::int64_t value) {
    sqlite3_bind_int64(statement_.get(), place, value);
    return *this;
}
sqlite_statement& sqlite_statement::bind(int place, std::string_view text) {
    sqlite3_bind_text64(statement_.get(), place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}
sqlite_statement& sqlite_statement::bind(int place, byte_view blob) {
    sqlite3_bind_blob64(statement_.get(), place, blob.data(), blob.size(), SQLITE_STATIC);
    return *this;
}
sqlite_statement& sqlite_statement::bind_null(int place) {
    sqlite3_bind_null(statement_.get(), place);
    return *this;
}

result<bool> sqlite_statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        sqlite3_reset(statement_.get());
        return false;
    }
    const error out{errc::failed, "the database", sqlite3_errmsg(sqlite3_db_handle(statement_.get()))};
    sqlite3_reset(statement_.get());
    return out;
}

result<void> sqlite_statement::run() {
    for (;;) {
        const auto row = step();
        if (!row) return row.error();
        if (!*row) return {};
    }
}

void sqlite_statement::reset() { sqlite3_reset(statement_.get()); }

std::string_view sqlite_statement::text(int column) const {
    const auto* data = sqlite3_column_text(statement_.get(), column);
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
byte_view sqlite_statement::blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

result<sqlite_transaction> sqlite_transaction::begin(sqlite_database& db) {
    if (auto begun = db.execute("BEGIN IMMEDIATE"); !begun) return begun.error();
    return sqlite_transaction{db};
}

result<void> sqlite_transaction::commit() {
    auto done = db_->execute("COMMIT");
    if (done) db_ = nullptr;
    return done;
}

sqlite_transaction::~sqlite_transaction() {
    // A rollback fails only where SQLite has rolled back by itself.
    if (db_ != nullptr) static_cast<void>(db_->execute("ROLLBACK"));
}

}  // namespace bento::store
