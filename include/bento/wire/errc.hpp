// The errors of the wire room: what a Bento server may not send, what may not be asked of it now, calls that are none.
#pragma once

#include <bento/base/error.hpp>

namespace bento::wire {

enum class errc {
    malformed = 1,  ///< the peer's: bytes that are no message of the Bento protocol
    unexpected,     ///< the peer's: a message that answers nothing we sent
    truncated,      ///< the peer's: the stream ended inside a message, or before an answer
    too_large,      ///< the caller's: over a named limit
    not_utf8,       ///< the caller's: text that is not UTF-8
    session_open,   ///< the caller's: a function is open on this connection; close it first
    no_session,     ///< the caller's: no function is open on this connection, or it has ended
    too_many,       ///< the caller's: too many requests wait for their answers
    bad_call,       ///< not `name(literals...)`; the detail says where and what was expected
    bad_value,      ///< a JSON value that has no Python literal
};
std::string_view to_text(errc e);

}  // namespace bento::wire
BENTO_ERRC(wire);
