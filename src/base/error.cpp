#include <bento/base/errc.hpp>

namespace bento {

std::string error::message() const {
    std::string out = detail;
    // A detail that ends a sentence of its own needs no generic text behind it; a bare code needs nothing before it.
    if (out.empty())
        out = code.message();
    else
        out += ": " + code.message();
    if (!peer.empty()) out += " (" + peer + ")";
    return out;
}

void throw_exception_from_error(const error& e, const boost::source_location&) { throw failure{e}; }

namespace base {

std::string_view to_text(errc e) {
    switch (e) {
        case errc::malformed:
            return "malformed";
        case errc::too_long:
            return "too long";
        case errc::not_found:
            return "not found";
        case errc::not_permitted:
            return "permission denied";
        case errc::io:
            return "input/output error";
    }
    return "unknown error";
}

}  // namespace base
}  // namespace bento
