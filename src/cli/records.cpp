#include "records.hpp"

#include <fmt/format.h>

#include <bento/base/file.hpp>
#include <boost/json.hpp>

namespace bento::cli {

namespace json = boost::json;

namespace {

/// A call has up to 1 MiB, and its escapes.
constexpr std::size_t file_limit = std::size_t{8} << 20;

std::filesystem::path path_of(const std::filesystem::path& folder, const uuid4& id) {
    return folder / (id.str() + ".json");
}

}  // namespace

result<void> write_record(const std::filesystem::path& folder, const uuid4& id, const json::object& o) {
    // What cannot be made here cannot be written to, and that is told.
    std::error_code told_below;
    std::filesystem::create_directories(folder, told_below);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, told_below);
    return write_file(path_of(folder, id), json::serialize(o) + "\n");
}

std::optional<json::object> read_record(const std::filesystem::path& folder, const uuid4& id) {
    const auto text = read_file(path_of(folder, id), file_limit);
    if (!text) return {};
    boost::system::error_code failed;
    auto v = json::parse(*text, failed);
    if (failed || !v.is_object()) return {};
    return std::move(v.get_object());
}

void remove_record(const std::filesystem::path& folder, const uuid4& id) {
    std::error_code gone;  // already
    std::filesystem::remove(path_of(folder, id), gone);
}

std::vector<uuid4> all_records(const std::filesystem::path& folder) {
    std::vector<uuid4> out;
    std::error_code none;
    for (const auto& file : std::filesystem::directory_iterator{folder, none})
        if (const auto id = uuid4::parse(file.path().stem().string()); id && file.path().extension() == ".json")
            out.push_back(*id);
    return out;
}

std::string text_member(const json::object& o, std::string_view name) {
    const auto* m = o.if_contains(name);
    return m != nullptr && m->is_string() ? std::string{m->get_string()} : std::string{};
}

void put_where(json::object& o, const where& w) {
    if (!w.onion.empty()) o["onion"] = w.onion;
    if (w.server) o["server"] = w.server->str();
}

where where_in(const json::object& o) {
    where out;
    out.onion = text_member(o, "onion");
    if (const auto server = endpoint::parse(text_member(o, "server"))) out.server = *server;
    return out;
}

std::chrono::system_clock::time_point since_in(const json::object& o) {
    const auto* since = o.if_contains("since");
    if (since == nullptr || !since->is_int64()) return {};
    return std::chrono::system_clock::time_point{std::chrono::seconds{since->get_int64()}};
}

std::string age_since(std::chrono::system_clock::time_point then) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - then).count();
    if (seconds < 120) return fmt::format("{}s", seconds);
    if (seconds < 2 * 3600) return fmt::format("{}m", seconds / 60);
    if (seconds < 48 * 3600) return fmt::format("{}h", seconds / 3600);
    return fmt::format("{}d", seconds / 86400);
}

}  // namespace bento::cli
