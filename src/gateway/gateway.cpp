#include <bento/gateway/gateway.hpp>
#include <bento/web/server.hpp>

#include "calls.hpp"
#include "page.hpp"

namespace bento::gateway {
namespace {

using calls = task<void> (*)(const options&, web::exchange&, call_request);

task<void> run_call(std::shared_ptr<const options> o, web::exchange& to, calls answer) {
    auto request = parse_call_request(to.body(), o->literal_calls);
    if (!request) co_return to.problem(request.error().status, "invalid-request", request.error().detail);
    co_return co_await answer(*o, to, std::move(*request));
}

task<void> run_store(std::shared_ptr<const options> o, web::exchange& to) {
    auto request = parse_store(to.body());
    if (!request) co_return to.problem(request.error().status, "invalid-request", request.error().detail);
    co_return co_await answer_store(*o, to, std::move(*request));
}

web::route page_route(const options& o) {
    return {http::method::get, "/", [html = html_page(o), json = json_page(o)](web::exchange& to) {
                const auto accept = http::find(to.head().fields, "Accept").value_or("");
                if (accept.find("application/json") != std::string_view::npos) return to.json(200, json);
                const http::field fields[] = {
                    {"Content-Type", "text/html; charset=utf-8"},
                    {"Cache-Control", "no-store"},
                    {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}};
                return to.respond(200, fields, html);
            }};
}

std::vector<web::route> routes(options from) {
    const auto o = std::make_shared<const options>(std::move(from));
    std::vector<web::route> out{page_route(*o)};
    const auto action = [&](bool enabled, const char* path, web::route::waiting answer) {
        if (enabled) out.push_back({http::method::post, path, std::move(answer), o->max_body, true});
    };
    action(o->store, "/store", [o](web::exchange& to) { return run_store(o, to); });
    action(o->exec, "/exec", [o](web::exchange& to) { return run_call(o, to, answer_exec); });
    action(o->open, "/open", [o](web::exchange& to) { return run_call(o, to, answer_open); });
    return out;
}

}  // namespace

struct gateway::state {
    explicit state(const options& o) : http{{o.http}, routes(o)} {}
    web::server http;
};

gateway::gateway(options o) : state_{std::make_unique<state>(o)} {}
gateway::gateway(gateway&&) noexcept = default;
gateway& gateway::operator=(gateway&&) noexcept = default;
gateway::~gateway() = default;

void gateway::configure(options o) { state_->http.change_routes(routes(std::move(o))); }
void gateway::serve(net::listener on) { state_->http.serve(std::move(on)); }

}  // namespace bento::gateway
