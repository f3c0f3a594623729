#include "stored.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "records.hpp"

namespace bento::cli {
namespace {

std::filesystem::path folder(const globals& g) { return g.state_directory / "stored"; }

}  // namespace

result<void> keep_stored(const globals& g, const stored_here& f) {
    boost::json::object o{{"name", f.name}, {"since", std::chrono::system_clock::to_time_t(f.since)}};
    if (f.owner_token) o["owner_token"] = f.owner_token->text();
    put_where(o, f.at);
    return write_record(folder(g), f.token, o);
}

void drop_stored(const globals& g, const uuid4& token) { remove_record(folder(g), token); }

std::optional<stored_here> find_stored(const globals& g, const uuid4& token) {
    const auto o = read_record(folder(g), token);
    if (!o) return {};
    stored_here out{token, text_member(*o, "name"), {}, where_in(*o), since_in(*o)};
    if (const auto owner = uuid4::parse(text_member(*o, "owner_token"))) out.owner_token = *owner;
    return out;
}

std::vector<stored_here> all_stored(const globals& g) {
    std::vector<stored_here> out;
    for (const auto& token : all_records(folder(g)))
        if (auto f = find_stored(g, token)) out.push_back(std::move(*f));
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
    return out;
}

}  // namespace bento::cli
