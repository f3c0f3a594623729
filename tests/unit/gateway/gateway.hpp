// A gateway before a Bento server of the test's own, and a client of it.
#pragma once

#include <bento/gateway/gateway.hpp>
#include <bento/web/http_client.hpp>
#include <boost/json.hpp>

#include "bento_server.hpp"
#include "run.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

namespace bento::test {

inline time_point soon() { return clock::now() + std::chrono::seconds{10}; }

struct hidden_server {
    explicit hidden_server(asio::any_io_executor executor, gateway::options o = {})
        : bento{executor, endpoint::unix_socket((folder.path() / "bento").string())}, front{with(std::move(o))} {
        auto on = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
        at = on.where();
        front.serve(std::move(on));
    }

    gateway::options with(gateway::options o) {
        o.server = bento.at();
        if (!o.end) o.end = [this](const uuid4& id) { return bento.end(id); };
        return o;
    }

    web::http_client client() const {
        web::road r;
        r.host = "test.onion";
        r.direct = at;
        return web::http_client{std::move(r)};
    }

    /// Written with ' for ", and T for the token.
    std::string json(std::string text) const {
        for (std::size_t i = 0; i < text.size(); ++i)
            if (text[i] == '\'') text[i] = '"';
        for (auto i = text.find("\"T\""); i != std::string::npos; i = text.find("\"T\"", i + 1))
            text.replace(i + 1, 1, bento.token().text());
        return text;
    }
    std::string call(const std::string& text, const std::string& more = {}) const {
        return json("{'token':'T','call':'") + text + "\"" + json(more) + "}";
    }

    /// `status body`, the body's last line end cut.
    asio::awaitable<std::string> post(web::http_client& c, std::string path, std::string body) const {
        auto answer = (co_await c.post_json(std::move(path), std::move(body), soon())).value();
        if (answer.body.ends_with('\n')) answer.body.pop_back();
        co_return std::to_string(answer.head.status) + " " + answer.body;
    }
    asio::awaitable<std::string> post(std::string path, std::string body) const {
        auto c = client();
        co_return co_await post(c, std::move(path), std::move(body));
    }
    asio::awaitable<std::string> get(std::string path) const {
        auto c = client();
        auto answer = (co_await c.request(http::method::get, std::move(path), {}, {}, soon())).value();
        if (answer.body.ends_with('\n')) answer.body.pop_back();
        co_return std::to_string(answer.head.status) + " " + answer.body;
    }

    temporary_directory folder;
    test::bento_server bento;
    gateway::gateway front;
    endpoint at;
};

/// A member of the JSON object behind the status.
inline std::string member(const std::string& answer, std::string_view name) {
    const auto v = boost::json::parse(std::string_view{answer}.substr(answer.find('{')));
    const auto& m = v.as_object().at(name);
    return m.is_string() ? std::string{m.as_string()} : boost::json::serialize(m);
}

/// `body(server)` is awaited.
template <class Body>
void with_server(gateway::options o, Body body) {
    run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        hidden_server s{executor, std::move(o)};
        co_await body(s);
    });
}

}  // namespace bento::test
