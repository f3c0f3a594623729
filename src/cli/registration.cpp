// bentoctl register, reregister and unregister: a function's entry in the directories, by whoever hosts it or stored
// it.
#include <bento/client/errc.hpp>
#include <boost/json.hpp>

#include "host_client.hpp"
#include "options.hpp"
#include "records.hpp"
#include "run.hpp"
#include "stored.hpp"

namespace bento::cli {

namespace json = boost::json;

namespace {

struct registration_options {
    std::string token;
    bool digest_only = false;
};

/// Which directories have not taken it, and why.
void warn_of(terminal& out, const json::object& answer) {
    const auto* list = answer.if_contains("directories");
    if (list == nullptr || !list->is_array()) return;
    for (const auto& d : list->get_array()) {
        const auto* o = d.if_object();
        if (o == nullptr) continue;
        const auto name = "directory " + text_member(*o, "directory") + ": ";
        const auto state = text_member(*o, "state");
        const auto why = text_member(*o, "error");
        if (state == "refused" && why == "taken")
            out.warn(name +
                     "somebody else has registered this token there: share the share string, not the token alone");
        else if (state == "refused")
            out.warn(name + "refused: " + why);
        else if (state == "waiting")
            out.warn(name + (why.empty() ? "no answer yet" : why) + "; it is asked again until it has the entry");
    }
}

void print(terminal& out, const globals& g, const json::object& answer) {
    if (g.json)
        out.line(json::serialize(answer));
    else
        out.line(json::value_to<std::string>(answer.at("share")));
}

/// The server that stores it registers it, for who has its owner token.
task<json::object> register_through(const globals& g, terminal& out, const stored_here& f) {
    const auto deadline = clock::now() + g.timeout;
    const auto r = co_await reach(g, out, f.at, deadline);
    if (!r) co_return r.error();
    const auto text = co_await r->functions->publish(f.token, *f.owner_token, deadline);
    if (!text) co_return text.error();
    boost::system::error_code failed;
    const auto v = json::parse(*text, failed);
    if (failed || !v.is_object()) co_return client::errc::not_a_gateway;
    const auto entry = entry::entry_from_json(v.get_object());
    if (!entry) co_return entry.error();
    if (const auto held = entry::verify(*entry); !held) co_return held.error();
    if (entry->token != f.token || !entry->signed_by) co_return entry::errc::bad_signature;
    json::object answer;
    answer["entry"] = entry::to_json(*entry, false);
    answer["share"] = entry::share{f.token, entry::fingerprint(entry->signed_by->owner)}.str();
    co_return std::move(answer);
}

task<int> register_(const globals& g, const registration_options& o) {
    terminal out{g};
    const auto wanted = read_share(o.token);
    if (!wanted) co_return wanted.error();
    const auto here = find_stored(g, wanted->token);
    if (here && here->owner_token && !here->at.onion.empty()) {
        const auto answer = co_await register_through(g, out, *here);
        if (!answer) co_return answer.error();
        print(out, g, *answer);
        co_return 0;
    }
    json::object with{{"token", wanted->token.text()}, {"digest_only", o.digest_only}};
    const auto answer = co_await ask_host(g, "register", std::move(with));
    if (!answer) co_return answer.error();
    warn_of(out, *answer);
    print(out, g, *answer);
    co_return 0;
}

task<int> reregister(const globals& g, const registration_options& o) {
    terminal out{g};
    const auto wanted = read_share(o.token);
    if (!wanted) co_return wanted.error();
    json::object with{{"token", wanted->token.text()}};
    const auto answer = co_await ask_host(g, "reregister", std::move(with));
    if (!answer) co_return answer.error();
    warn_of(out, *answer);
    print(out, g, *answer);
    co_return 0;
}

task<int> unregister(const globals& g, const registration_options& o) {
    terminal out{g};
    const auto wanted = read_share(o.token);
    if (!wanted) co_return wanted.error();
    json::object with{{"token", wanted->token.text()}};
    const auto answer = co_await ask_host(g, "unregister", std::move(with));
    if (!answer) co_return answer.error();
    warn_of(out, *answer);
    if (g.json) out.line(json::serialize(*answer));
    co_return 0;
}

runner declare(CLI::App& options, const std::shared_ptr<registration_options>& o,
               task<int> (*does)(const globals&, const registration_options&)) {
    options.add_option("TOKEN", o->token, "the function's token, or @FILE")->required();
    return [o, does](const globals& g) { return run([&] { return does(g, *o); }); };
}

}  // namespace

runner declare_register(CLI::App& options) {
    auto o = std::make_shared<registration_options>();
    options.add_flag("--digest-only", o->digest_only, "show the code's SHA-256 in the directories, not the code");
    return declare(options, o, register_);
}
runner declare_reregister(CLI::App& options) {
    return declare(options, std::make_shared<registration_options>(), reregister);
}
runner declare_unregister(CLI::App& options) {
    return declare(options, std::make_shared<registration_options>(), unregister);
}

}  // namespace bento::cli
