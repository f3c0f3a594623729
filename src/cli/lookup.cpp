// bentoctl lookup: what the directories say of a token, checked.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "caller.hpp"
#include "options.hpp"
#include "run.hpp"

namespace bento::cli {
namespace {

struct lookup_options {
    std::string token;
    bool code = false;
};

void print(const terminal& out, const lookup::found& f) {
    const auto& e = f.entry;
    const auto row = [&](std::string_view name, std::string_view value) {
        out.line(fmt::format("{:9} {}", name, value));
    };
    row("onion", e.onion.host());
    row("name", e.name);
    if (e.signed_by) {
        row("owner", entry::fingerprint(e.signed_by->owner));
        row("number", fmt::format("{}, good until {}", e.signed_by->seq, entry::to_text(e.signed_by->not_after)));
    } else {
        row("owner", "nobody: only the directory vouches for this entry");
    }
    row("change", entry::to_text(f.change));
    if (!e.code) row("code", "not shown");
    if (e.code) out.line(fmt::format("\n{}", *e.code));
}

boost::json::object as_json(const lookup::found& f) {
    auto out = entry::to_json(f.entry);
    for (const auto* name : {"owner", "seq", "not_after"})
        if (!out.contains(name)) out[name] = nullptr;
    if (!f.entry.code) out["code"] = nullptr;
    out["change"] = entry::to_text(f.change);
    out["fingerprint"] = nullptr;
    if (f.entry.signed_by) out["fingerprint"] = entry::fingerprint(f.entry.signed_by->owner);
    return out;
}

task<int> lookup_(const globals& g, const lookup_options& o) {
    terminal out{g};
    const auto wanted = read_share(o.token);
    if (!wanted) co_return wanted.error();
    const auto deadline = clock::now() + g.timeout;
    const auto r = co_await reach_directories(g, out, deadline);
    if (!r) co_return r.error();
    const auto found = co_await r->finder->ask(*wanted, deadline);
    if (!found) co_return found.error();
    for (const auto& w : found->warnings)
        out.warn(w);
    if (g.json) {
        out.line(boost::json::serialize(as_json(*found)));
    } else if (o.code) {
        if (!found->entry.code) co_return error{entry::errc::not_found, "the entry shows the digest of its code alone"};
        out.data(*found->entry.code);
    } else {
        print(out, *found);
    }
    co_return 0;
}

}  // namespace

runner declare_lookup(CLI::App& options) {
    auto o = std::make_shared<lookup_options>();
    options.add_option("TOKEN", o->token, "the token or share string, or @FILE")->required();
    options.add_flag("--code", o->code, "print the function's code and nothing else");
    return [o](const globals& g) { return run([&] { return lookup_(g, *o); }); };
}

}  // namespace bento::cli
