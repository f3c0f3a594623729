// What can be wrong with an entry of a Bento Function Directory.
#pragma once

#include <bento/base/error.hpp>

namespace bento::entry {

enum class errc {
    malformed = 1,   ///< not the JSON of an entry; the detail names the member
    bad_signature,   ///< a signature does not hold, or the code is not the one that was signed
    expired,         ///< its day has passed
    too_long_lived,  ///< valid for longer than an entry may be
    wrong_owner,     ///< another owner's key than the one that is pinned or that the share string names
    older,           ///< a sequence number below the one already seen
    conflict,        ///< directories give entries that cannot both be true
    ended,           ///< the owner ended the function's registration
    not_found,       ///< no directory has an entry
    code_mismatch,   ///< the code is not the code of the entry
    bad_share,       ///< not TOKEN or TOKEN#FINGERPRINT
    bad_secret,      ///< the owner secret is too short to be one
};
std::string_view to_text(errc e);

}  // namespace bento::entry
BENTO_ERRC(entry);
