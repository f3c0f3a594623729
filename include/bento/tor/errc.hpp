// What can go wrong with a live tor. What tor itself answers is in control::errc, the road to it in net::errc.
#pragma once

#include <bento/base/error.hpp>

namespace bento::tor {

enum class errc {
    not_found = 1,      ///< no tor answers where one was looked for, and none may be started
    start_failed,       ///< our own tor did not come up: its own words say why
    not_bootstrapped,   ///< tor did not reach the network before the deadline
    not_published,      ///< the descriptor did not reach the HSDirs asked for before the deadline
    no_descriptor,      ///< the HSDirs that were asked do not have the onion service's descriptor
    cookie_unreadable,  ///< tor's authentication cookie cannot be read by this user
};
std::string_view to_text(errc e);

}  // namespace bento::tor
BENTO_ERRC(tor);
