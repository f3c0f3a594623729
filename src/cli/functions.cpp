// bentoctl functions: list, show and delete what is stored on this host, or was stored from here.
#include <fmt/format.h>

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

std::string text_of(const json::object& o, const char* name) { return text_member(o, name); }

/// What a terminal shows of a name: it may hold anything.
std::string printable(std::string_view name) {
    std::string out;
    for (const char c : name)
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return out;
}

json::object as_json(const stored_here& f) {
    json::object o{{"token", f.token.text()},
                   {"name", f.name},
                   {"owner_token", nullptr},
                   {"since", std::chrono::system_clock::to_time_t(f.since)}};
    if (f.owner_token) o["owner_token"] = f.owner_token->text();
    put_where(o, f.at);
    return o;
}

bool no_host(const error& e) { return e.code == host::errc::not_running; }

void list_stored(const globals& g, const terminal& out) {
    const auto all = all_stored(g);
    if (g.json) {
        json::array list;
        for (const auto& f : all)
            list.push_back(as_json(f));
        out.line(json::serialize(list));
        return;
    }
    if (all.empty()) return;
    out.line(fmt::format("{:36}  {:>4}  {}", "TOKEN", "AGE", "NAME"));
    for (const auto& f : all)
        out.line(fmt::format("{}  {:>4}  {}", f.token.text(), age_since(f.since), printable(f.name)));
}

task<int> list(const globals& g) {
    terminal out{g};
    const auto answer = co_await ask_host(g, "functions", {});
    if (!answer && !no_host(answer.error())) co_return answer.error();
    if (!answer) {
        list_stored(g, out);
        co_return 0;
    }
    const auto& all = answer->at("functions").as_array();
    if (g.json) {
        out.line(json::serialize(all));
        co_return 0;
    }
    if (all.empty()) co_return 0;
    out.line(fmt::format("{:36}  {:>8}  {:10}  {}", "TOKEN", "BYTES", "REGISTERED", "NAME"));
    for (const auto& v : all) {
        const auto& o = v.as_object();
        const auto* state = o.at("damaged").as_bool() ? "damaged" : o.at("registered").as_bool() ? "yes" : "no";
        out.line(fmt::format("{}  {:>8}  {:10}  {}", text_of(o, "token"), o.at("bytes").to_number<std::uint64_t>(),
                             state, printable(text_of(o, "name"))));
    }
    co_return 0;
}

struct one_options {
    std::string token;
};

task<int> show(const globals& g, const one_options& o) {
    terminal out{g};
    const auto wanted = read_share(o.token);
    if (!wanted) co_return wanted.error();
    json::object with{{"token", wanted->token.text()}};
    const auto answer = co_await ask_host(g, "function", std::move(with));
    if (answer) {
        if (g.json)
            out.line(json::serialize(*answer));
        else
            out.data(text_of(*answer, "code"));
        co_return 0;
    }
    if (!no_host(answer.error())) co_return answer.error();
    const auto here = find_stored(g, wanted->token);
    if (!here) co_return error{client::errc::unknown_token, "it was not stored from here"};
    if (g.json) {
        out.line(json::serialize(as_json(*here)));
        co_return 0;
    }
    out.line(fmt::format("name      {}", printable(here->name)));
    if (!here->at.onion.empty()) out.line(fmt::format("onion     {}", here->at.onion));
    if (here->at.server) out.line(fmt::format("server    {}", here->at.server->str()));
    out.line(fmt::format("stored    {} ago", age_since(here->since)));
    out.line(here->owner_token ? "owner     here: register and functions delete work" : "owner     unknown");
    co_return 0;
}

task<int> delete_(const globals& g, const one_options& o) {
    terminal out{g};
    const auto wanted = read_share(o.token);
    if (!wanted) co_return wanted.error();
    json::object with{{"token", wanted->token.text()}};
    const auto answer = co_await ask_host(g, "delete", std::move(with));
    if (answer) {
        drop_stored(g, wanted->token);
        co_return 0;
    }
    if (!no_host(answer.error())) co_return answer.error();
    const auto here = find_stored(g, wanted->token);
    if (!here) co_return error{client::errc::unknown_token, "it was not stored from here"};
    if (!here->owner_token) co_return error{client::errc::forbidden, "its server gave no owner token"};
    const auto deadline = clock::now() + g.timeout;
    const auto r = co_await reach(g, out, here->at, deadline);
    if (!r) co_return r.error();
    const auto removed = co_await r->functions->remove(here->token, *here->owner_token, deadline);
    // What is gone already needs no record either.
    if (removed || removed.error().code == client::errc::unknown_token) drop_stored(g, here->token);
    if (!removed) co_return removed.error();
    co_return 0;
}

}  // namespace

runner declare_functions(CLI::App& options) {
    struct chosen {
        std::string what;
        one_options one;
    };
    auto c = std::make_shared<chosen>();
    options.require_subcommand(1);
    auto* list_command = options.add_subcommand("list", "all of them");
    auto* show_command = options.add_subcommand("show", "one of them: its code on this host, where it is elsewhere");
    auto* delete_command = options.add_subcommand("delete", "delete one, end its runs and its registration");
    for (auto* command : {show_command, delete_command})
        command->add_option("TOKEN", c->one.token, "its token, or @FILE")->required();
    list_command->callback([c] { c->what = "list"; });
    show_command->callback([c] { c->what = "show"; });
    delete_command->callback([c] { c->what = "delete"; });
    return [c](const globals& g) {
        return run([&] {
            return c->what == "list" ? list(g) : c->what == "show" ? show(g, c->one) : delete_(g, c->one);
        });
    };
}

}  // namespace bento::cli
