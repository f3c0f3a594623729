// Keeps the functions of this host registered at every directory: what the journal says they are to be is brought to
// each of them, in one request with one password check for all, and again when one could not be reached; entries are
// renewed at half their life.
#pragma once

#include <bento/base/random.hpp>
#include <bento/entry/owner.hpp>
#include <bento/lookup/directory.hpp>
#include <bento/net/condition.hpp>
#include <functional>
#include <set>

#include "registration_journal.hpp"

namespace bento::host {

class registrations {
  public:
    struct options {
        std::filesystem::path journal;
        std::vector<lookup::address> directories;
        std::function<web::road(const lookup::address&)> road_to;
        /// The code that is stored under a token.
        std::function<result<std::string>(const uuid4&)> code_of;
        /// The key of an onion of this host.
        std::function<result<onion::secret_key>(const onion::address&)> key_of;
        std::function<void(std::string_view)> warning;
        std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
        random_source random = system_random();
    };

    /// How each directory stands.
    struct standing {
        std::string directory;
        std::size_t registered = 0;   ///< functions of which it has the newest entry
        std::size_t lacking = 0;      ///< of which it does not, yet
        std::size_t refused = 0;      ///< of which it never will
        std::optional<error> failed;  ///< why, where it was not reached
    };

    /// `owner` must outlive it.
    static result<registrations> open(asio::any_io_executor executor, options o, const entry::owner_secret& owner);

    const entry::owner_secret& owner() const;
    const registration_journal& journal() const;
    bool has_directories() const;
    std::vector<standing> standings() const;
    /// The newest entry of a token. lookup::errc::unknown_token, ended.
    result<entry::entry> entry_of(const uuid4& token) const;
    /// Live ones.
    std::size_t size() const;

    /// Registers a function that answers at this onion; one that is registered gets a new number. Returns once every
    /// directory has answered or failed: an error only where none has taken it. lookup::errc::none_configured, taken;
    /// the errors of code_of.
    task<entry::entry> put(uuid4 token, std::string name, bool with_code, onion::address onion, time_point deadline);
    /// The same with a new number. lookup::errc::unknown_token where it is not registered.
    task<entry::entry> renew(uuid4 token, time_point deadline);
    /// Ends it for ever, with a tombstone.
    task<entry::tombstone> end(uuid4 token, time_point deadline);
    /// The same, without waiting: a stored function was deleted. Nothing where it is not registered.
    result<void> end_soon(const uuid4& token);
    /// All of them answer at this onion from now on, and every directory that does not know that is told, or asked
    /// again. `ask_first`: the one before was compromised. Only an error of the journal is one: what a directory lacks
    /// is in standings().
    task<void> move(onion::address onion, bool ask_first, time_point deadline);

    /// The same without waiting, of those that point at none of `here`: the state directory lost a key.
    result<void> point_to(const onion::address& onion, const std::set<onion::address>& here);
    /// Gives new numbers to all entries where one has lived for half its life and some hours; false where none has.
    result<bool> renew_due();
    /// Brings to the directories what they lack, now and whenever it is due. Runs until cancelled.
    asio::awaitable<void> run();

  private:
    struct state;
    explicit registrations(std::shared_ptr<state> s);
    std::shared_ptr<state> state_;
};

}  // namespace bento::host
