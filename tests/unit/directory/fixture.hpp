// A directory on loopback, what its users send, and what it answers.
#pragma once

#include <bento/directory/directory.hpp>
#include <bento/web/http_client.hpp>

#include "entries.hpp"
#include "run.hpp"
#include "temporary_directory.hpp"

namespace bento::test {

namespace json = boost::json;

constexpr std::string_view directory_name = "directory.onion";

inline directory::options quick_settings() {
    directory::options o;
    o.name = directory_name;
    o.hash.bcrypt_cost = 4;  // the lowest
    o.today = [] { return now; };
    return o;
}

struct served_directory {
    explicit served_directory(const asio::any_io_executor& executor, directory::options o = quick_settings())
        : served{std::move(o), store::open_sqlite((folder.path() / "directory.db").string()).value()} {
        auto on = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
        road.host = directory_name;
        road.direct = on.where();
        served.serve(std::move(on));
    }
    temporary_directory folder;
    directory::directory served;
    web::road road;
};

struct reply {
    int status = 0;
    std::string body;
    std::string retry_after;
    std::string text(std::string_view member) const {
        return json::value_to<std::string>(json::parse(body).at(member));
    }
    std::string type() const { return text("type"); }
    std::string detail() const { return text("detail"); }
    json::object object() const { return json::parse(body).as_object(); }
    json::object entry(std::size_t i = 0) const { return json::parse(body).at("entries").at(i).as_object(); }
};

inline asio::awaitable<reply> ask(web::road road, http::method m, std::string path, std::string body) {
    web::http_client c{std::move(road)};
    const std::vector<http::field> fields{{"Content-Type", "application/json"}};
    auto answer = (co_await c.request(m, std::move(path), fields, std::move(body), clock::now() + 60s)).value();
    co_return reply{answer.head.status, answer.body, std::string{answer.head.find("Retry-After")}};
}
inline asio::awaitable<reply> get(const served_directory& d, std::string path) {
    return ask(d.road, http::method::get, std::move(path), "");
}
inline asio::awaitable<reply> post(const served_directory& d, std::string path, json::object body) {
    return ask(d.road, http::method::post, std::move(path), json::serialize(body));
}
inline asio::awaitable<reply> look_up(const served_directory& d) { return get(d, "/lookup/" + token.str()); }

/// What the owner of a signed entry sends.
inline json::object request_for(const entry::entry& e, std::string_view password = "password",
                                std::string_view account = "account", std::string_view who = "owner") {
    auto one = entry::to_json(e);
    one["claim"] = base64_encode(entry::sign_claim(owner_key(who), directory_name, account, entry::signed_bytes(e)));
    return {{"entries", json::array{one}}, {"password", password}, {"account", account}};
}
/// The thesis' own forms: one entry's members beside the password, and Figure 3.8.
inline json::object bare(const entry::entry& e, std::string_view password) {
    auto one = entry::to_json(e);
    one["password"] = password;
    return one;
}
inline json::object move_to(std::uint8_t onion, std::string_view password, const uuid4& of = token) {
    return {{"token", of.text()}, {"onion", onion_address(onion).host()}, {"password", password}};
}

using play_body = std::function<asio::awaitable<void>(asio::any_io_executor)>;
inline void play(const play_body& body) { run(body, std::chrono::seconds{120}); }

}  // namespace bento::test
