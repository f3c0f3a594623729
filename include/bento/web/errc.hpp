// What can go wrong with HTTP over a stream. The road itself has net::errc.
#pragma once

#include <bento/base/error.hpp>

namespace bento::web {

enum class errc {
    malformed = 1,  ///< what answers is no HTTP, or too much of it
    refused,        ///< the server does not switch protocols; its answer's body is the peer's words
};
std::string_view to_text(errc e);

}  // namespace bento::web
BENTO_ERRC(web);
