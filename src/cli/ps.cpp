// bentoctl ps: the functions that were started from here and may still run.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "records.hpp"
#include "running.hpp"

namespace bento::cli {
namespace {

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
            put_where(o, f.at);
            list.push_back(std::move(o));
        }
        out.line(boost::json::serialize(list));
        return 0;
    }
    if (all.empty()) return 0;
    out.line(fmt::format("{:36}  {:>4}  {}", "ID", "AGE", "CALL"));
    for (const auto& f : all)
        out.line(fmt::format("{}  {:>4}  {}", f.id->text(), age_since(f.since), f.call));
    return 0;
}

}  // namespace

runner declare_ps(CLI::App&) { return ps; }

}  // namespace bento::cli
