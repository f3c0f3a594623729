// What can go wrong with running functions, between the client and the function server.
#pragma once

#include <bento/base/error.hpp>

namespace bento::gateway {

enum class errc {
    unknown_function = 1,  ///< no function with this id runs here
    output_gone,           ///< what the client wants to read is not kept any more, or was never sent
    busy,                  ///< as many functions as may are running or starting
    request_differs,       ///< this request_id was used for another call
    code_mismatch,         ///< what is stored under the token is not what the client expects
    not_authorised,        ///< the owner token or the credential is not the right one
    cannot_end,            ///< this function server ends no function
    cannot_delete,         ///< this function server deletes none
    cannot_tell,           ///< this function server tells no function's code
    not_reading,           ///< the function has ended, or does not read its input
};
std::string_view to_text(errc e);

}  // namespace bento::gateway
BENTO_ERRC(gateway);
