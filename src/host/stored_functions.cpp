#include "stored_functions.hpp"

#include <boost/asio/this_coro.hpp>

namespace bento::host {

task<stored_functions> stored_functions::start(const config::settings& s, const state_directory& state,
                                               std::string helper) {
    stored_functions out;
    out.limits_ = s.box;
    auto options = box::options::from(s.box, state / "functions");
    options.helper = std::move(helper);
    if (s.gateway.server) {
        // That server's own may lie in functions/ of the same state directory, and a store has one owner.
        options.directory = state / "published";
        auto kept = box::function_store::open(options);
        if (!kept) co_return kept.error();
        out.kept_.emplace(std::move(*kept));
        out.at_ = *s.gateway.server;
        co_return std::move(out);
    }
    auto started = co_await box::server::start(std::move(options));
    if (!started) co_return started.error();
    const auto executor = co_await asio::this_coro::executor;
    const auto at = state.socket("box.sock").value_or(endpoint::tcp("127.0.0.1", 0));
    auto on = net::listener::listen(executor, at, {});
    if (!on) co_return on.error();
    out.at_ = on->where();
    started->serve(std::move(*on));
    out.box_ = std::move(*started);
    co_return std::move(out);
}

result<std::string> stored_functions::code_of(const uuid4& token) const {
    auto found = store().find(token);
    if (!found) return found.error();
    return std::move(found->code);
}

}  // namespace bento::host
