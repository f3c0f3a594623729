#include "running.hpp"

#include <algorithm>
#include <bento/base/file.hpp>
#include <boost/json.hpp>

namespace bento::cli {

namespace json = boost::json;

namespace {

/// A call has up to 1 MiB, and its escapes.
constexpr std::size_t file_limit = std::size_t{8} << 20;

std::filesystem::path folder(const globals& g) { return g.state_directory / "running"; }

std::optional<running_function> read(const std::filesystem::path& file) {
    const auto id = uuid4::parse(file.stem().string());
    const auto text = read_file(file, file_limit);
    if (!id || !text) return {};
    boost::system::error_code failed;
    const auto v = json::parse(*text, failed);
    const auto* o = failed ? nullptr : v.if_object();
    if (o == nullptr) return {};
    const auto member = [&](const char* name) {
        const auto* m = o->if_contains(name);
        return m != nullptr && m->is_string() ? std::string{m->get_string()} : std::string{};
    };
    running_function out;
    out.id = *id;
    out.token = member("token");
    out.call = member("call");
    out.at.onion = member("onion");
    if (const auto server = endpoint::parse(member("server"))) out.at.server = *server;
    if (const auto* since = o->if_contains("since"); since != nullptr && since->is_int64())
        out.since = std::chrono::system_clock::time_point{std::chrono::seconds{since->get_int64()}};
    return out;
}

}  // namespace

result<void> remember(const globals& g, const running_function& f) {
    std::error_code failed;
    std::filesystem::create_directories(folder(g), failed);
    if (!failed) std::filesystem::permissions(folder(g), std::filesystem::perms::owner_all, failed);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(f.since.time_since_epoch()).count();
    json::object o{{"token", f.token}, {"call", f.call}, {"since", seconds}};
    if (!f.at.onion.empty()) o["onion"] = f.at.onion;
    if (f.at.server) o["server"] = f.at.server->str();
    return write_file(folder(g) / (f.id->str() + ".json"), json::serialize(o) + "\n");
}

void forget(const globals& g, const uuid4& id) {
    std::error_code gone;  // already
    std::filesystem::remove(folder(g) / (id.str() + ".json"), gone);
}

result<running_function> recall(const globals& g, const uuid4& id) {
    auto f = read(folder(g) / (id.str() + ".json"));
    if (!f) return client::errc::unknown_function;
    return std::move(*f);
}

std::vector<running_function> all_running(const globals& g) {
    std::vector<running_function> out;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator{folder(g), none})
        if (auto f = read(entry.path())) out.push_back(std::move(*f));
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
    return out;
}

}  // namespace bento::cli
