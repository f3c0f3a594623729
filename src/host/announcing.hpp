// What a rotation tells the directories, and what they show then.
#pragma once

#include "hidden_service.hpp"
#include "registrations.hpp"
#include "rotation.hpp"

namespace bento::host {

/// Every registration for this onion; those of the named directories that lack some, with why.
asio::awaitable<rotator::failures> announce(registrations& r, onion::address onion, std::vector<std::string> names,
                                            bool ask_first, time_point deadline);

/// Looks some tokens up, as a stranger does, at those of `all` that are named; those that show another onion or cannot
/// be asked, with why.
asio::awaitable<rotator::failures> compare(hidden_service& through, const registrations& r,
                                           std::vector<lookup::address> all, onion::address onion,
                                           std::vector<std::string> names, time_point deadline);

}  // namespace bento::host
