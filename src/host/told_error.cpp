#include "told_error.hpp"

#include <bento/base/errc.hpp>
#include <bento/box/function_store.hpp>
#include <bento/client/errc.hpp>
#include <bento/control/errc.hpp>
#include <bento/entry/errc.hpp>
#include <bento/host/errc.hpp>
#include <bento/lookup/errc.hpp>
#include <bento/net/errc.hpp>
#include <bento/onion/key.hpp>
#include <bento/rotation/journal.hpp>
#include <bento/tor/errc.hpp>
#include <bento/web/errc.hpp>
#include <boost/json.hpp>

namespace bento::host {

namespace json = boost::json;

namespace {

/// The rooms whose errors a daemon can meet.
const boost::system::error_category* category_of(std::string_view name) {
    static const boost::system::error_code one_of_each[] = {
        base::errc::malformed,       box::errc::full,
        client::errc::refused,       control::errc::timed_out,
        entry::errc::expired,        errc::in_use,
        lookup::errc::taken,         net::errc::closed,
        onion::errc::bad_key,        rotation::errc::corrupted,
        bento::tor::errc::not_found, web::errc::malformed,
    };
    for (const auto& code : one_of_each)
        if (code.category().name() == name) return &code.category();
    return nullptr;
}

}  // namespace

json::object to_json(const error& e) {
    return {{"room", e.code.category().name()}, {"value", e.code.value()}, {"detail", e.detail}, {"peer", e.peer}};
}

std::optional<error> error_from_json(const json::object& o) {
    for (const auto* name : {"room", "detail", "peer"})
        if (!o.contains(name) || !o.at(name).is_string()) return {};
    if (!o.contains("value") || !o.at("value").is_int64()) return {};
    const auto* category = category_of(json::value_to<std::string>(o.at("room")));
    if (category == nullptr) return {};
    const auto value = static_cast<int>(o.at("value").get_int64());
    return error{boost::system::error_code{value, *category}, json::value_to<std::string>(o.at("detail")),
                 json::value_to<std::string>(o.at("peer"))};
}

}  // namespace bento::host
