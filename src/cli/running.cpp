#include "running.hpp"

#include <algorithm>
#include <bento/client/errc.hpp>
#include <boost/json.hpp>

#include "records.hpp"

namespace bento::cli {
namespace {

std::filesystem::path folder(const globals& g) { return g.state_directory / "running"; }

std::optional<running_function> read(const globals& g, const uuid4& id) {
    const auto o = read_record(folder(g), id);
    if (!o) return {};
    return running_function{id, text_member(*o, "token"), text_member(*o, "call"), where_in(*o), since_in(*o)};
}

}  // namespace

result<void> remember(const globals& g, const running_function& f) {
    boost::json::object o{
        {"token", f.token}, {"call", f.call}, {"since", std::chrono::system_clock::to_time_t(f.since)}};
    put_where(o, f.at);
    return write_record(folder(g), *f.id, o);
}

void forget(const globals& g, const uuid4& id) { remove_record(folder(g), id); }

result<running_function> recall(const globals& g, const uuid4& id) {
    auto f = read(g, id);
    if (!f) return client::errc::unknown_function;
    return std::move(*f);
}

std::vector<running_function> all_running(const globals& g) {
    std::vector<running_function> out;
    for (const auto& id : all_records(folder(g)))
        if (auto f = read(g, id)) out.push_back(std::move(*f));
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
    return out;
}

}  // namespace bento::cli
