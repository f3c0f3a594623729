// Rotations on the control socket: what is wished, and how far it is.
#pragma once

#include <bento/base/errc.hpp>
#include <bento/base/units.hpp>
#include <boost/json.hpp>

#include "rotation.hpp"

namespace bento::host {

struct wish {
    rotation::request what;
    std::optional<std::chrono::milliseconds> if_older;
    bool dry_run = false;
};

/// `{"compromised"?,"grace"?,"if_older"?,"dry_run"?}`, durations as on the command line. base::errc::malformed.
inline result<wish> wish_in(const boost::json::object& with) {
    wish out;
    for (const auto& [name, value] : with) {
        if (name == "compromised" && value.is_bool()) {
            out.what.compromised = value.get_bool();
        } else if (name == "dry_run" && value.is_bool()) {
            out.dry_run = value.get_bool();
        } else if ((name == "grace" || name == "if_older") && value.is_string()) {
            const auto d = parse_duration(value.get_string());
            if (!d) return d.error();
            (name == "grace" ? out.what.grace : out.if_older) = *d;
        } else {
            return error{base::errc::malformed, "\"" + std::string{name} + "\""};
        }
    }
    return out;
}

/// `{"version","step","confirmed","expected","directories","trouble":{"sentence","again_seconds"}|null,
/// "outcome":{"old","new","tokens","behind","sentence"}|null}`
inline boost::json::object to_json(const rotator::progress& p) {
    boost::json::object out{{"version", p.version},
                            {"step", rotation::to_text(p.step)},
                            {"confirmed", p.uploads.confirmed},
                            {"expected", p.uploads.expected},
                            {"directories", p.directories.size()},
                            {"trouble", nullptr},
                            {"outcome", nullptr}};
    if (p.trouble)
        out["trouble"] =
            boost::json::object{{"sentence", p.trouble->sentence},
                                {"again_seconds", std::chrono::ceil<std::chrono::seconds>(p.trouble->again).count()}};
    if (!p.outcome) return out;
    boost::json::array behind;
    for (const auto& d : p.outcome->behind)
        behind.emplace_back(d);
    out["outcome"] = boost::json::object{{"old", p.outcome->before.host()},
                                         {"new", p.outcome->now.host()},
                                         {"tokens", p.outcome->tokens},
                                         {"behind", std::move(behind)},
                                         {"sentence", p.outcome->sentence}};
    return out;
}

}  // namespace bento::host
