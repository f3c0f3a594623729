// Small JSON files of one folder of the state directory, one an id, mode 0600: what was started and stored from here.
#pragma once

#include <bento/base/error.hpp>
#include <bento/base/uuid4.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "caller.hpp"

namespace bento::cli {

/// Makes the folder, mode 0700.
result<void> write_record(const std::filesystem::path& folder, const uuid4& id, const boost::json::object& o);
/// Nothing where there is none, or where it is not what write_record() wrote.
std::optional<boost::json::object> read_record(const std::filesystem::path& folder, const uuid4& id);
void remove_record(const std::filesystem::path& folder, const uuid4& id);
std::vector<uuid4> all_records(const std::filesystem::path& folder);

/// A member that is a string; empty where it is none.
std::string text_member(const boost::json::object& o, std::string_view name);
/// "onion" or "server".
void put_where(boost::json::object& o, const where& w);
where where_in(const boost::json::object& o);
/// "since", seconds since 1970.
std::chrono::system_clock::time_point since_in(const boost::json::object& o);
/// How long ago, as `ps` shows it: `12s`, `5m`, `3h`, `9d`.
std::string age_since(std::chrono::system_clock::time_point then);

}  // namespace bento::cli
