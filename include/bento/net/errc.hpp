// What can go wrong on the way to a peer.
#pragma once

#include <bento/base/error.hpp>

namespace bento::net {

enum class errc {
    closed = 1,       ///< the peer closed the connection
    timed_out,        ///< the deadline passed
    refused,          ///< nothing listens there
    unreachable,      ///< no such socket, no permission, or another failure of the system, which the peer's words name
    busy,             ///< as many wait already as may
    address_in_use,   ///< somebody listens there already
    socks_refused,    ///< the proxy answered, but not as SOCKS5 with our authentication
    onion_not_found,  ///< tor: the onion service's descriptor is not at its HSDirs (extended error F0)
    onion_invalid,    ///< tor: the address or its descriptor is not valid (F1, F6)
    onion_unreachable,   ///< tor: introduction or rendezvous failed (F2, F3, F7)
    onion_unauthorised,  ///< tor: the onion asks for client authorisation, and ours is missing or wrong (F4, F5)
    no_route,  ///< tor: the connection could not be made (general failure, network or host unreachable, TTL expired)
};
std::string_view to_text(errc e);

}  // namespace bento::net
BENTO_ERRC(net);
