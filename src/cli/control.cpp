#include "control.hpp"

#include "caller.hpp"
#include "options.hpp"

namespace bento::cli {
namespace {

task<int> connect_and_run(const globals& g, const control_body& body) {
    auto settings = load_settings(g);
    if (!settings) co_return settings.error();
    auto options = tor_options(g, *settings, "tor");
    if (!options) co_return options.error();
    const auto deadline = clock::now() + g.timeout;
    tor::client tor{std::move(*options)};
    auto found = co_await tor.find(deadline);
    if (!found) co_return found.error();
    control_session session{g, terminal{g}, std::move(*found), deadline};
    co_return co_await body(session);
}

}  // namespace

result<int> with_control(const globals& g, const control_body& body) {
    return run([&] { return connect_and_run(g, body); });
}

}  // namespace bento::cli
