// bentoctl exec and open: run a function by its token.
#include <bento/base/encoding.hpp>
#include <bento/http/problem.hpp>
#include <boost/json.hpp>

#include "caller.hpp"
#include "options.hpp"
#include "run.hpp"

namespace bento::cli {
namespace {

struct call_options {
    where at;
    std::string token;
    std::string call;
    bool detach = false;
};

/// An output: {"data"}, or {"data_base64"} where it is not UTF-8.
std::string as_json(std::string_view output) {
    if (http::is_utf8(output)) return "{\"data\":" + http::json_string(output) + "}";
    return "{\"data_base64\":\"" + base64_encode(as_byte_view(output)) + "\"}";
}

struct call {
    uuid4 token;
    std::string text;
};

result<call> read_call(const call_options& o) {
    const auto token_text = text_or_file(o.token);
    if (!token_text) return token_text.error();
    auto token = uuid4::parse(*token_text);
    if (!token) return error{token.error().code, "the token: " + token.error().detail};
    auto text = text_or_file(o.call);
    if (!text) return text.error();
    return call{*token, std::move(*text)};
}

task<int> exec(const globals& g, const call_options& o) {
    terminal out{g};
    const auto c = read_call(o);
    if (!c) co_return c.error();
    const auto deadline = clock::now() + g.timeout;
    auto r = co_await reach(g, out, o.at, deadline);
    if (!r) co_return r.error();
    const auto done = co_await r->functions->exec(c->token, c->text, deadline);
    if (!done) co_return done.error();
    co_return 0;
}

task<int> open(const globals& g, const call_options& o) {
    terminal out{g};
    const auto c = read_call(o);
    if (!c) co_return c.error();
    const auto deadline = clock::now() + g.timeout;
    auto r = co_await reach(g, out, o.at, deadline);
    if (!r) co_return r.error();
    if (o.detach) {
        const auto id = co_await r->functions->detach(c->token, c->text, deadline);
        if (!id) co_return id.error();
        out.line(g.json ? boost::json::serialize(boost::json::object{{"function_id", id->text()}}) : id->str());
        co_return 0;
    }
    client::output_sink sink;
    std::string whole;  // with --json: one object an output
    bool line_is_open = false;
    sink.data = [&](std::string_view part, bool last) {
        if (!g.json) {
            out.data(part);
            if (!part.empty()) line_is_open = part.back() != '\n';
            // Outputs have no line ends of their own: on a terminal the next one, or the prompt, begins on a new line.
            if (last && line_is_open && out.stdout_is_terminal()) out.data("\n");
            return;
        }
        whole += part;
        if (!last) return;
        out.line(as_json(whole));
        whole.clear();
    };
    sink.failed = [](std::string_view) {};  // it is the error that we return
    const auto done = co_await r->functions->open(c->token, c->text, std::move(sink), deadline);
    if (!done) co_return done.error();
    co_return 0;
}

runner declare_call(CLI::App& options, std::shared_ptr<call_options> o,
                    task<int> (*does)(const globals&, const call_options&)) {
    options.add_option("TOKEN", o->token, "the function's token, or @FILE")->required();
    options.add_option("CALL", o->call, "such as 'hello()' or 'add(9, 10)', or @FILE")->required();
    declare_where(options, o->at);
    return [o, does](const globals& g) { return run([&] { return does(g, *o); }); };
}

}  // namespace

runner declare_exec(CLI::App& options) { return declare_call(options, std::make_shared<call_options>(), exec); }

runner declare_open(CLI::App& options) {
    auto o = std::make_shared<call_options>();
    options.add_flag("--detach", o->detach, "print the function's id and return");
    return declare_call(options, o, open);
}

}  // namespace bento::cli
