// bentoctl attach and close: a running function by its id.
#include <boost/asio/this_coro.hpp>

#include "options.hpp"
#include "outputs.hpp"
#include "run.hpp"
#include "running.hpp"

namespace bento::cli {
namespace {

struct attach_options {
    where at;
    std::string id;
    bool no_input = false;
};

struct found_function {
    uuid4 id;
    road by;
};

/// By what was remembered of it, unless the options say where it is.
task<found_function> find(const globals& g, terminal& out, const attach_options& o, time_point deadline) {
    const auto text = text_or_file(o.id);
    if (!text) co_return text.error();
    const auto id = uuid4::parse(*text);
    if (!id) co_return error{id.error().code, "the function id: " + id.error().detail};
    if (!o.at.onion.empty() || o.at.server) {
        auto by = co_await reach(g, out, o.at, deadline);
        if (!by) co_return by.error();
        co_return found_function{*id, std::move(*by)};
    }
    const auto known = recall(g, *id);
    if (!known) co_return known.error();
    const auto wanted = read_share(known->token);
    if (!wanted) co_return wanted.error();
    auto by = co_await reach_function(g, out, known->at, *wanted, false, deadline);
    if (!by) co_return by.error();
    co_return found_function{*id, std::move(*by)};
}

/// What has ended is not listed any more.
void forget_ended(const globals& g, const uuid4& id, const result<void>& done) {
    if (done || done.error().code == client::errc::function_failed ||
        done.error().code == client::errc::unknown_function)
        forget(g, id);
}

task<int> attach(const globals& g, const attach_options& o) {
    terminal out{g};
    const auto deadline = clock::now() + g.timeout;
    auto f = co_await find(g, out, o, deadline);
    if (!f) co_return f.error();
    auto sink = output_to(g, out, co_await asio::this_coro::executor, o.no_input);
    const auto done = co_await f->by.functions->attach(f->id, std::move(sink), deadline);
    forget_ended(g, f->id, done);
    if (!done) co_return done.error();
    co_return 0;
}

task<int> close(const globals& g, const attach_options& o) {
    terminal out{g};
    const auto deadline = clock::now() + g.timeout;
    auto f = co_await find(g, out, o, deadline);
    if (!f) co_return f.error();
    const auto done = co_await f->by.functions->close(f->id, deadline);
    forget_ended(g, f->id, done);
    if (!done) co_return done.error();
    co_return 0;
}

runner declare(CLI::App& options, std::shared_ptr<attach_options> o,
               task<int> (*does)(const globals&, const attach_options&)) {
    options.add_option("ID", o->id, "the function's id, as open --detach and ps print it, or @FILE")->required();
    declare_where(options, o->at);
    return [o, does](const globals& g) { return run([&] { return does(g, *o); }); };
}

}  // namespace

runner declare_attach(CLI::App& options) {
    auto o = std::make_shared<attach_options>();
    options.add_flag("-n,--no-input", o->no_input, "do not read standard input");
    return declare(options, o, attach);
}

runner declare_close(CLI::App& options) { return declare(options, std::make_shared<attach_options>(), close); }

}  // namespace bento::cli
