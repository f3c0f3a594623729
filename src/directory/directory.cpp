#include <bento/base/file.hpp>
#include <bento/directory/directory.hpp>
#include <bento/entry/owner.hpp>
#include <bento/web/server.hpp>

#include "page.hpp"
#include "registrar.hpp"

namespace bento::directory {
namespace {

/// A share string with its `#` and some white space around it.
constexpr std::size_t max_form_value = 80;

constexpr http::field html_fields[] = {{"Content-Type", "text/html; charset=utf-8"},
                                       {"Cache-Control", "no-store"},
                                       {"Referrer-Policy", "no-referrer"},
                                       {"Content-Security-Policy",
                                        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                                        "base-uri 'none'; frame-ancestors 'none'"}};

result<void> html(web::exchange& to, int status, std::string_view text) {
    return to.respond(status, html_fields, text);
}

/// A person's look-up, from the form.
task<void> answer_form(store::directory_store& store, web::exchange& to, entry::day today) {
    const auto value = form_value(to.head().query, "token", max_form_value);
    const auto first = value ? value->find_first_not_of(" \t\r\n") : std::string::npos;
    const auto last = value ? value->find_last_not_of(" \t\r\n") : std::string::npos;
    const auto wanted = first == std::string::npos
                            ? result<entry::share>{error{entry::errc::bad_share}}
                            : entry::share::parse(std::string_view{*value}.substr(first, last - first + 1));
    if (!wanted)
        co_return html(
            to, 422,
            failure_page("No token", "A token is a random UUID, such as 7e620807-59fd-498d-94f9-1722672411ab.",
                         value.value_or("")));
    const auto found = co_await store.find(wanted->token);
    if (!found) {
        const auto sorry = failure_page("No answer", "The directory cannot answer at this moment.", *value);
        co_return html(to, 503, sorry);
    }
    if (!*found) {
        const auto none = failure_page("Not registered", "No function is registered under this token.", *value);
        co_return html(to, 404, none);
    }
    co_return html(to, (*found)->ended ? 410 : 200,
                   entry_page((*found)->document, wanted->fingerprint.value_or(""), today));
}

task<void> answer_lookup(store::directory_store& store, web::exchange& to) {
    const auto token = uuid4::parse(to.rest());
    if (!token) co_return to.problem(422, "invalid-request", "\"token\": " + token.error().detail);
    const auto found = co_await store.find(*token);
    if (!found) {
        const http::field later[] = {{"Retry-After", "5"}};
        co_return to.problem(503, "store", "the directory cannot read at this moment", later);
    }
    if (!*found) co_return to.problem(404, "unknown-token", "no function is registered under this token");
    co_return to.json((*found)->ended ? 410 : 200, (*found)->document);
}

task<void> answer_change(registrar& r, action what, web::exchange& to) {
    std::string host{to.head().host};
    auto answer = co_await r.handle(what, std::move(to.body()), std::move(host));
    if (answer) co_return to.json(what == action::add ? 201 : 200, *answer);
    const auto& refused = answer.error();
    std::vector<http::field> more;
    std::string seconds;
    if (refused.retry_after) {
        seconds = std::to_string(refused.retry_after->count());
        more.push_back({"Retry-After", seconds});
    }
    const auto token = refused.token ? "\"token\":" + http::json_string(refused.token->text()) : std::string{};
    co_return to.problem(refused.status, refused.type, refused.detail, more, token);
}

}  // namespace

struct directory::state {
    state(options o, std::unique_ptr<store::directory_store> s)
        : settings{std::move(o)}, entries{std::move(s)}, changes{settings, *entries}, http{{settings.http}, routes()} {}

    std::vector<web::route> routes() {
        std::vector<web::route> out;
        out.push_back(web::page_route("/", {200, html_fields, information_page(settings)}, information_json(settings)));
        const auto short_wait = [&](std::string path, web::route::waiting answer) {
            web::route r{http::method::get, std::move(path), std::move(answer)};
            r.until_gone = false;
            out.push_back(std::move(r));
        };
        short_wait("/lookup/*", [this](web::exchange& to) { return answer_lookup(*entries, to); });
        short_wait("/lookup", [this](web::exchange& to) { return answer_form(*entries, to, settings.today()); });
        const auto change = [&](std::string path, action what) {
            out.push_back({http::method::post, std::move(path),
                           [this, what](web::exchange& to) { return answer_change(changes, what, to); }, max_request,
                           true});
        };
        change("/register", action::add);
        change("/reregister", action::replace);
        change("/unregister", action::end);
        return out;
    }

    options settings;
    std::unique_ptr<store::directory_store> entries;
    registrar changes;
    web::server http;  // last: its connections use the rest
};

directory::directory(options o, std::unique_ptr<store::directory_store> store)
    : state_{std::make_unique<state>(std::move(o), std::move(store))} {}
directory::directory(directory&&) noexcept = default;
directory& directory::operator=(directory&&) noexcept = default;
directory::~directory() = default;

void directory::serve(net::listener on) { state_->http.serve(std::move(on)); }
void directory::change_limits(std::size_t max_code, std::size_t entries_per_account) {
    state_->settings.max_code = max_code;
    state_->settings.entries_per_account = entries_per_account;
    state_->http.change_routes(state_->routes());
}
store::directory_store& directory::store() { return *state_->entries; }

}  // namespace bento::directory
