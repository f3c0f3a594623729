// SQLite's C interface with values and errors.
#pragma once

#include <sqlite3.h>

#include <bento/base/bytes.hpp>
#include <bento/base/error.hpp>
#include <memory>
#include <optional>
#include <string>

namespace bento::store {

class sqlite_statement;

/// A connection, used by one thread at a time.
class sqlite_database {
  public:
    /// Opened, made where it is not there; WAL, and every commit on the disk before it returns.
    static result<sqlite_database> open(const std::string& path);

    /// One or several statements without results.
    result<void> execute(const char* sql);
    result<sqlite_statement> prepare(const char* sql);
    error failed(std::string_view doing) const;

  private:
    struct closer {
        void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
    };
    std::unique_ptr<sqlite3, closer> db_;
};

/// Prepared once, used often. Bind all parameters, step until done, and it is ready for the next use.
class sqlite_statement {
  public:
    sqlite_statement& bind(int place, std::int64_t value);
    sqlite_statement& bind(int place, std::string_view text);  ///< must live until the statement is done
    sqlite_statement& bind(int place, byte_view blob);         ///< the same
    sqlite_statement& bind_null(int place);

    /// True with a row, false when done.
    result<bool> step();
    /// Steps to the end.
    result<void> run();
    void reset();

    std::int64_t number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
    std::string_view text(int column) const;
    byte_view blob(int column) const;
    bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

  private:
    friend class sqlite_database;
    struct finalizer {
        void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
    };
    std::unique_ptr<sqlite3_stmt, finalizer> statement_;
};

/// Rolls back unless committed.
class sqlite_transaction {
  public:
    static result<sqlite_transaction> begin(sqlite_database& db);
    result<void> commit();

    sqlite_transaction(sqlite_transaction&& other) noexcept : db_{std::exchange(other.db_, nullptr)} {}
    sqlite_transaction& operator=(sqlite_transaction&&) = delete;
    ~sqlite_transaction();

  private:
    explicit sqlite_transaction(sqlite_database& db) : db_{&db} {}
    sqlite_database* db_;
};

}  // namespace bento::store
