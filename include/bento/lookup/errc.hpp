// What can go wrong with a directory. What is wrong with an entry has entry::errc, the road there net::errc.
#pragma once

#include <bento/base/error.hpp>

namespace bento::lookup {

enum class errc {
    none_configured = 1,  ///< no directory to ask
    bad_address,          ///< not the address of a directory
    not_a_directory,      ///< what answers is none
    invalid,              ///< the directory does not take the form of what was sent
    forbidden,            ///< the password or a signature is not the right one
    taken,                ///< somebody else has registered the token there
    older,                ///< an entry with this number or a higher one is registered there
    unknown_token,        ///< the token is not registered there
    ended,                ///< the token's registration was ended there, for ever
    quota,                ///< the directory takes no more entries of this server
    busy,                 ///< the directory has too much to do
    damaged,              ///< a file of what is known is not what we wrote
};
std::string_view to_text(errc e);

}  // namespace bento::lookup
BENTO_ERRC(lookup);
