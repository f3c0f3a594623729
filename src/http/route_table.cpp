#include <bento/http/route_table.hpp>

namespace bento::http {
namespace {

/// What stands in the place of the `*` of a path that ends with `/*`.
std::optional<std::string_view> below(std::string_view pattern, std::string_view path) {
    if (!pattern.ends_with("/*")) return {};
    pattern.remove_suffix(1);
    if (!path.starts_with(pattern)) return {};
    return path.substr(pattern.size());
}

}  // namespace

route_table::match route_table::find(http::method method, std::string_view path) const {
    match out;
    const auto wanted = method == method::head ? method::get : method;
    for (const auto& r : routes_) {
        const auto rest = below(r.path, path);
        if (r.path != path && !rest && path != "*") continue;
        if (r.method == wanted && path != "*") return {match::outcome::found, r.id, {}, rest.value_or("")};
        const auto name = std::string{to_text(r.method)} + (r.method == method::get ? ", HEAD" : "");
        if (out.allow.find(name) == std::string::npos) out.allow += (out.allow.empty() ? "" : ", ") + name;
    }
    if (out.allow.empty()) return out;
    out.allow += ", OPTIONS";
    out.is = method == method::options ? match::outcome::options : match::outcome::method_not_allowed;
    return out;
}

}  // namespace bento::http
