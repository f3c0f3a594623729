// What can go wrong when a function is stored or called.
#pragma once

#include <bento/base/error.hpp>

namespace bento::client {

enum class errc {
    refused = 1,       ///< the server will not do it; its words say why
    unknown_token,     ///< no function is stored under this token there
    unknown_function,  ///< no function with this id runs there
    function_failed,   ///< the function ended with an error, which is the peer's words
    no_output,         ///< the function ended without an output
    not_a_gateway,     ///< what answers is HTTP, but no Bento gateway
    malformed,         ///< what answers breaks the protocol
    invalid,           ///< the server found the request wrong; its words say where
    forbidden,         ///< the server asks for an authorisation that we have not
    busy,              ///< the server is full: again later
    timed_out,         ///< the function did not end in the time that the server or we gave it
};
std::string_view to_text(errc e);

}  // namespace bento::client
BENTO_ERRC(client);
