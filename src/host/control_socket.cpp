#include "control_socket.hpp"

#include <bento/host/daemon_client.hpp>
#include <boost/json.hpp>

#include "told_error.hpp"

namespace bento::host {

namespace json = boost::json;

namespace {

/// A question names tokens, no code.
constexpr std::uint64_t max_question = 64 * 1024;

task<void> answer(std::shared_ptr<const operation> o, web::exchange& to) {
    boost::system::error_code failed;
    auto with = json::parse(to.body(), failed);
    if (failed || !with.is_object()) co_return to.problem(400, "invalid-request", "the body is no JSON object");
    const auto said = co_await o->answer(std::move(with.get_object()));
    if (!said) co_return to.json(500, json::serialize(to_json(said.error())));
    co_return to.json(200, json::serialize(*said));
}

}  // namespace

result<control_socket> control_socket::open(asio::any_io_executor executor, const state_directory& state,
                                            std::vector<operation> operations) {
    const auto at = state.socket(socket_name);
    if (!at) return error{errc::state, (state / socket_name).string() + " is too long for a socket"};
    auto on = net::listener::listen(std::move(executor), *at, {});
    if (!on) return on.error();
    std::vector<web::route> routes;
    for (auto& o : operations) {
        auto path = "/" + o.question;
        web::route::waiting answers = [o = std::make_shared<const operation>(std::move(o))](web::exchange& to) {
            return answer(o, to);
        };
        routes.push_back({http::method::post, std::move(path), std::move(answers), max_question, true});
    }
    control_socket out{web::server{{}, std::move(routes)}};
    out.server_.serve(std::move(*on));
    return out;
}

}  // namespace bento::host
