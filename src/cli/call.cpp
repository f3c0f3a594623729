// bentoctl exec and open: run a function by its token.
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

#include "options.hpp"
#include "outputs.hpp"
#include "run.hpp"
#include "running.hpp"

namespace bento::cli {
namespace {

struct call_options {
    where at;
    std::string token;
    std::string call;
    bool check_code = false;
    bool detach = false;
    bool no_input = false;
};

struct call {
    entry::share function;
    std::string text;
};

result<call> read_call(const call_options& o) {
    auto function = read_share(o.token);
    if (!function) return function.error();
    auto text = text_or_file(o.call);
    if (!text) return text.error();
    return call{std::move(*function), std::move(*text)};
}

task<int> exec(const globals& g, const call_options& o) {
    terminal out{g};
    const auto c = read_call(o);
    if (!c) co_return c.error();
    const auto deadline = clock::now() + g.timeout;
    auto r = co_await reach_function(g, out, o.at, c->function, o.check_code, deadline);
    if (!r) co_return r.error();
    const auto done = co_await r->functions->exec(c->function.token, c->text, deadline);
    if (!done) co_return done.error();
    co_return 0;
}

task<int> open(const globals& g, const call_options& o) {
    terminal out{g};
    const auto c = read_call(o);
    if (!c) co_return c.error();
    const auto deadline = clock::now() + g.timeout;
    auto r = co_await reach_function(g, out, o.at, c->function, o.check_code, deadline);
    if (!r) co_return r.error();
    running_function f;
    f.token = c->function.str();
    f.call = c->text;
    f.at = o.at;
    f.since = std::chrono::system_clock::now();
    const auto started = [&](const uuid4& id) {
        f.id = id;
        if (auto kept = remember(g, f); !kept) out.warn(kept.error().message());
    };
    if (o.detach) {
        const auto id = co_await r->functions->detach(c->function.token, c->text, deadline);
        if (!id) co_return id.error();
        started(*id);
        out.line(g.json ? boost::json::serialize(boost::json::object{{"function_id", id->text()}}) : id->str());
        co_return 0;
    }
    auto sink = output_to(g, out, co_await asio::this_coro::executor, o.no_input);
    sink.started = started;
    const auto done = co_await r->functions->open(c->function.token, c->text, std::move(sink), deadline);
    if (f.id && (done || done.error().code == client::errc::function_failed)) forget(g, *f.id);
    if (!done) co_return done.error();
    co_return 0;
}

runner declare_call(CLI::App& options, std::shared_ptr<call_options> o,
                    task<int> (*does)(const globals&, const call_options&)) {
    options.add_option("TOKEN", o->token, "the function's token or share string, or @FILE")->required();
    options.add_option("CALL", o->call, "such as 'hello()' or 'add(9, 10)', or @FILE")->required();
    options.add_flag("--check-code", o->check_code, "only if the server's code is the directory entry's");
    declare_where(options, o->at);
    return [o, does](const globals& g) { return run([&] { return does(g, *o); }); };
}

}  // namespace

runner declare_exec(CLI::App& options) { return declare_call(options, std::make_shared<call_options>(), exec); }

runner declare_open(CLI::App& options) {
    auto o = std::make_shared<call_options>();
    options.add_flag("--detach", o->detach, "print the function's id and return");
    options.add_flag("-n,--no-input", o->no_input, "do not read standard input");
    return declare_call(options, o, open);
}

}  // namespace bento::cli
