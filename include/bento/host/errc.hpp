// What can go wrong with a server on its state directory.
#pragma once

#include <bento/base/error.hpp>

namespace bento::host {

enum class errc {
    in_use = 1,   ///< another server runs on this state directory
    state,        ///< the state directory cannot be used
    not_running,  ///< no server runs on this state directory
    malformed,    ///< what answers on its socket is no server of ours
    unfinished,   ///< a rotation that was begun, and goes on
    no_onion,     ///< the server that runs publishes no onion
};
std::string_view to_text(errc e);

}  // namespace bento::host
BENTO_ERRC(host);
