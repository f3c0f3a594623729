// What can go wrong with HTTP over a stream. The road itself has net::errc.
#pragma once

#include <bento/base/error.hpp>

namespace bento::web {

enum class errc {
    malformed = 1,  ///< what answers is no HTTP, or too much of it
};
std::string_view to_text(errc e);

}  // namespace bento::web
BENTO_ERRC(web);
