// The errors of the base room: input that is not what it should be, and files.
#pragma once

#include <bento/base/error.hpp>

namespace bento::base {

enum class errc {
    malformed = 1,  ///< text or bytes that do not have the form asked for
    too_long,       ///< input over its named limit
    not_found,      ///< no such file
    not_permitted,  ///< the file exists and may not be read or written
    io,             ///< reading or writing failed for another reason, which the detail names
};
std::string_view to_text(errc e);

}  // namespace bento::base
BENTO_ERRC(base);
