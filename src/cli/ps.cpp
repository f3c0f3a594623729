// bentoctl ps: the functions that were started from here and may still run.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "running.hpp"

namespace bento::cli {
namespace {

std::string age_of(const running_function& f) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - f.since).count();
    if (seconds < 120) return fmt::format("{}s", seconds);
    if (seconds < 2 * 3600) return fmt::format("{}m", seconds / 60);
    if (seconds < 48 * 3600) return fmt::format("{}h", seconds / 3600);
    return fmt::format("{}d", seconds / 86400);
}

result<int> ps(const globals& g) {
    const terminal out{g};
    const auto all = all_running(g);
    if (g.json) {
        boost::json::array list;
        for (const auto& f : all) {
            boost::json::object o{{"function_id", f.id->text()},
                                  {"token", f.token},
                                  {"call", f.call},
                                  {"since", std::chrono::system_clock::to_time_t(f.since)}};
            if (!f.at.onion.empty()) o["onion"] = f.at.onion;
            if (f.at.server) o["server"] = f.at.server->str();
            list.push_back(std::move(o));
        }
        out.line(boost::json::serialize(list));
        return 0;
    }
    if (all.empty()) return 0;
    out.line(fmt::format("{:36}  {:>4}  {}", "ID", "AGE", "CALL"));
    for (const auto& f : all)
        out.line(fmt::format("{}  {:>4}  {}", f.id->text(), age_of(f), f.call));
    return 0;
}

}  // namespace

runner declare_ps(CLI::App&) { return ps; }

}  // namespace bento::cli
