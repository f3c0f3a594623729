#include <bento/gateway/gateway.hpp>
#include <bento/web/server.hpp>

#include "page.hpp"
#include "stored.hpp"

namespace bento::gateway {
namespace {

using http::method;

/// Of bodies without code or data.
constexpr std::uint64_t small_body = 64 * 1024;

http::prepared_response page(const options& o) {
    const http::field fields[] = {{"Content-Type", "text/html; charset=utf-8"}, {"Cache-Control", "no-store"}};
    return {200, fields, html_page(o)};
}

std::vector<web::route> routes(const context& c) {
    const auto& o = *c.with;
    std::vector<web::route> out{web::page_route("/", page(o), json_page(o)),
                                web::data_route("/policy", json_policy(o))};
    const auto action = [&](bool enabled, std::string path, std::uint64_t max_body,
                            task<void> (*answer)(context, web::exchange&)) {
        if (enabled)
            out.push_back({method::post, std::move(path), [c, answer](web::exchange& to) { return answer(c, to); },
                           max_body, true});
    };
    action(o.store, "/store", o.max_body, answer_store);
    action(o.exec, "/exec", o.max_body, answer_exec);
    action(o.open, "/open", o.max_body, answer_open);
    action(o.input, "/input", o.max_body, answer_input);
    action(o.delete_ && (o.offers_delete() || !o.remove), "/delete", small_body, answer_delete);
    action(o.offers_register(), "/register", small_body, answer_register);
    if (o.close)
        out.push_back(
            {method::post, "/close", [c](web::exchange& to) { return answer_close(c, to); }, small_body, true});
    if (o.session) out.push_back({method::get, "/session", [c](web::exchange& to) { return answer_session(c, to); }});
    for (const auto& r : o.routes) {
        const auto answer = [c, r](web::exchange& to) { return answer_custom(c, r, to); };
        out.push_back({method::post, r.path, answer, o.max_body, true});
        // Without arguments it can be visited.
        if (r.arguments.empty()) out.push_back({method::get, r.path, answer});
    }
    return out;
}

}  // namespace

struct gateway::state {
    explicit state(std::shared_ptr<const options> o)
        : all{std::make_shared<runs>(o)}, http{{o->http}, routes({o, all})} {}
    std::shared_ptr<runs> all;
    web::server http;
};

gateway::gateway(options o) : state_{std::make_shared<state>(std::make_shared<const options>(std::move(o)))} {}
gateway::gateway(gateway&&) noexcept = default;
gateway& gateway::operator=(gateway&&) noexcept = default;
gateway::~gateway() = default;

void gateway::configure(options o) {
    const auto now = std::make_shared<const options>(std::move(o));
    state_->all->configure(now);
    state_->http.change_routes(routes({now, state_->all}));
}
void gateway::serve(net::listener on) { state_->http.serve(std::move(on)); }

}  // namespace bento::gateway
