// What can go wrong on a control connection: in the bytes, in what was asked, in what tor answers.
#pragma once

#include <bento/base/error.hpp>

namespace bento::control {

enum class errc {
    // The connection. Each of these ends it, and everything that waits on it fails with it.
    disconnected = 1,    ///< tor closed the connection, or we did
    malformed_reply,     ///< bytes that are no reply of the control protocol
    line_too_long,       ///< a line over its limit
    data_too_long,       ///< the data of one line over its limit
    reply_too_long,      ///< all lines of a reply together over their limit
    not_a_control_port,  ///< what answers speaks HTTP: the wrong port of tor
    // One command.
    timed_out,         ///< no reply before the deadline; a late one is swallowed
    too_many_pending,  ///< more commands wait than the session allows
    invalid_argument,  ///< an argument that tor would misread; nothing was sent
    unexpected_reply,  ///< a well-formed reply of another command's form
    // What tor answered; its words are the error's `peer`.
    unrecognized,             ///< a command, key, event or option that this tor does not know (510, 552)
    unavailable,              ///< 551: known, but not to be had or done now (no descriptor yet, no circuit)
    rejected,                 ///< any other refusal (500, 512, 513, 550, 553, 554, ...)
    authentication_required,  ///< 514
    authentication_failed,    ///< 515: a wrong password or cookie
    onion_collision,          ///< 550: tor has a service of this address already, on this connection or another
    no_such_onion,            ///< 552: not a service of this connection
    // Authentication, before tor has said no.
    password_needed,  ///< tor takes nothing but a password, and none was given
    cookie_unusable,  ///< the cookie file cannot be read, or does not hold 32 bytes
    impostor,         ///< what answers does not know the cookie it names: it is not the tor that wrote it
    no_method,        ///< tor offers no way to authenticate that we know
};
std::string_view to_text(errc e);

}  // namespace bento::control
BENTO_ERRC(control);
