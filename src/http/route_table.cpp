#include <bento/http/route_table.hpp>

namespace bento::http {

route_table::match route_table::find(http::method method, std::string_view path) const {
    match out;
    const auto wanted = method == method::head ? method::get : method;
    for (const auto& r : routes_) {
        if (r.path != path && path != "*") continue;
        if (r.method == wanted && path != "*") return {match::outcome::found, r.id, {}};
        const auto name = std::string{to_text(r.method)} + (r.method == method::get ? ", HEAD" : "");
        if (out.allow.find(name) == std::string::npos) out.allow += (out.allow.empty() ? "" : ", ") + name;
    }
    if (out.allow.empty()) return out;
    out.allow += ", OPTIONS";
    out.is = method == method::options ? match::outcome::options : match::outcome::method_not_allowed;
    return out;
}

}  // namespace bento::http
