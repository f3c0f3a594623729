// Brings one directory in line with the journal of registrations: tells it what it lacks, in as few requests as may be,
// and finds out why where it refuses.
#pragma once

#include "registrations.hpp"

namespace bento::host {

/// The entry that is registered, signed by its owner and its onion's key. With the code where that was asked for, and
/// is still what was registered.
result<entry::entry> signed_entry(const uuid4& token, const registration& r, const onion::secret_key& onion_key,
                                  const entry::owner_secret& owner, const registrations::options& with, bool with_code);

/// All that it is given by reference must outlive it.
class directory_sync {
  public:
    /// `save` keeps the journal.
    directory_sync(const lookup::address& where, const registrations::options& with, const entry::owner_secret& owner,
                   registration_journal& journal, std::function<result<void>()> save);

    const std::string& name() const { return name_; }
    /// Returns when the directory lacks nothing: what it has not taken it never will, and the journal says why. An
    /// error where it cannot be reached, or will not be asked now: net::errc, lookup::errc; or the journal's.
    task<void> bring();
    void close() { at_.close(); }

  private:
    struct sent {
        std::vector<std::pair<uuid4, std::uint64_t>> what;  // with their numbers
        std::optional<lookup::refusal> refused;
    };

    result<std::vector<entry::entry>> batch_of(const std::vector<uuid4>& tokens, bool with_code) const;
    task<sent> send(const lacking& lacks);
    task<void> look(uuid4 token);
    task<void> settle(const sent& s);
    bool takes_another_road(const error& e, int& left);

    std::string name_;
    lookup::directory at_;
    const registrations::options& with_;
    const entry::owner_secret& owner_;
    registration_journal& journal_;
    std::function<result<void>()> save_;
};

}  // namespace bento::host
