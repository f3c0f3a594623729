#include <bento/control/errc.hpp>

namespace bento::control {

std::string_view to_text(errc e) {
    switch (e) {
        case errc::disconnected:
            return "the connection to tor has ended";
        case errc::malformed_reply:
            return "tor's answer is not of the control protocol";
        case errc::line_too_long:
            return "a line of tor's answer is too long";
        case errc::data_too_long:
            return "the data in tor's answer is too long";
        case errc::reply_too_long:
            return "tor's answer is too long";
        case errc::not_a_control_port:
            return "this is not a control port";
        case errc::timed_out:
            return "tor did not answer in time";
        case errc::too_many_pending:
            return "more commands wait for tor than allowed";
        case errc::invalid_argument:
            return "not sent to tor";
        case errc::unexpected_reply:
            return "tor's answer is not the one to this command";
        case errc::unrecognized:
            return "tor does not know this";
        case errc::unavailable:
            return "tor cannot do this now";
        case errc::rejected:
            return "tor refused";
        case errc::authentication_required:
            return "tor asks for authentication";
        case errc::authentication_failed:
            return "tor refused the authentication";
        case errc::onion_collision:
            return "tor has this onion service already";
        case errc::no_such_onion:
            return "tor has no such onion service on this connection";
        case errc::password_needed:
            return "tor asks for a password";
        case errc::cookie_unusable:
            return "tor's authentication cookie cannot be used";
        case errc::impostor:
            return "what answers is not the tor that wrote the cookie";
        case errc::no_method:
            return "tor offers no known way to authenticate";
    }
    return "unknown error";
}

}  // namespace bento::control
