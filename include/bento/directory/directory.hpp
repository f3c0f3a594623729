// A Bento Function Directory: from a token to the onion that answers for it (thesis sections 3.3 and 3.4), over HTTP.
//
// A look-up is answered at once. What changes something is checked in this order, cheapest first: size, form, limits,
// what is registered already; then, on threads that nothing else waits for, the signatures, and the password last.
#pragma once

#include <bento/directory/password.hpp>
#include <bento/entry/entry.hpp>
#include <bento/http/limits.hpp>
#include <bento/net/listener.hpp>
#include <bento/store/directory_store.hpp>
#include <functional>
#include <memory>

namespace bento::directory {

struct options {
    /// What its users call it: its onion's host name. Empty, where it has none of its own: what a request's Host says.
    std::string name;
    hash_policy hash;
    std::size_t max_code = 256 * 1024;
    std::size_t entries_per_account = 1000;
    /// Threads that check signatures and passwords, and how many requests may wait for them.
    std::size_t hash_threads = 1;
    std::size_t hash_waiting = 64;
    std::function<entry::day()> today = entry::today;
    http::deadlines http;
};

/// Of one request: 434 entries without their code take 300 KiB.
inline constexpr std::uint64_t max_request = std::uint64_t{4} << 20;
/// Wrong passwords that one account may be tried with in `attempt_period`.
inline constexpr unsigned most_attempts = 10;
inline constexpr std::chrono::minutes attempt_period{15};

class directory {
  public:
    directory(options o, std::unique_ptr<store::directory_store> store);
    directory(directory&&) noexcept;
    directory& operator=(directory&&) noexcept;
    /// Ends every connection, and waits for what the threads are doing.
    ~directory();

    void serve(net::listener on);
    /// From the next request on.
    void change_limits(std::size_t max_code, std::size_t entries_per_account);
    store::directory_store& store();

  private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Entries and tombstones as one JSON file a token, `TOKEN.json`, in a folder that is made (thesis section 3.3.1). How
/// many. Passwords and accounts stay where they are.
task<std::size_t> export_entries(store::directory_store& from, std::filesystem::path folder);
struct imported {
    std::size_t taken = 0;
    std::size_t present = 0;           ///< there already, as new or newer
    std::vector<std::string> refused;  ///< files that are no entry that holds, each with why
};
/// What such a folder holds; whoever has the owner's key of an entry may re-register it.
task<imported> import_entries(store::directory_store& into, std::filesystem::path folder);

}  // namespace bento::directory
