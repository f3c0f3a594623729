#include <bento/wire/errc.hpp>

namespace bento::wire {

std::string_view to_text(errc e) {
    switch (e) {
        case errc::malformed:
            return "not a message of the Bento protocol";
        case errc::unexpected:
            return "the Bento server answered what was not asked";
        case errc::truncated:
            return "the Bento server closed the connection too early";
        case errc::too_large:
            return "too large";
        case errc::not_utf8:
            return "not UTF-8";
        case errc::session_open:
            return "a function is open on this connection";
        case errc::no_session:
            return "no function is open on this connection";
        case errc::too_many:
            return "too many requests wait for their answers";
        case errc::bad_call:
            return "not a call of a function with literal arguments";
        case errc::bad_value:
            return "a value that Python cannot be given";
    }
    return "unknown error";
}

}  // namespace bento::wire
