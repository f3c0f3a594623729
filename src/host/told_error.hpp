// An error on its way from a daemon to a command: which room's, which one, our words and the peer's.
#pragma once

#include <bento/base/error.hpp>
#include <boost/json/object.hpp>
#include <optional>

namespace bento::host {

boost::json::object to_json(const error& e);
/// Nothing where it is not what to_json() makes.
std::optional<error> error_from_json(const boost::json::object& o);

}  // namespace bento::host
