// An HTTP server over listeners: connections, deadlines, bodies and refusals are looked after here; a route says what
// is to be done (RFC 9110, RFC 9112; http::server_connection is the protocol).
#pragma once

#include <bento/http/limits.hpp>
#include <bento/net/listener.hpp>
#include <bento/web/exchange.hpp>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace bento::web {

struct route {
    /// Answers before it returns: for what is at hand.
    using immediate = std::function<result<void>(exchange&)>;
    /// Is cancelled when the client goes away.
    using waiting = std::function<task<void>(exchange&)>;

    http::method method = http::method::get;  ///< GET implies HEAD
    std::string path;                         ///< as it is sent; one that ends with `/*` takes everything below it
    std::variant<immediate, waiting> answer;
    std::uint64_t max_body = 0;  ///< over it 413
    bool json = false;           ///< the body is application/json or has no type; else 415
    /// A waiting answer is cancelled when the client goes away, which costs some system calls; not worth it for one
    /// that waits for next to nothing.
    bool until_gone = true;
};

/// `GET <path>`, the same for everybody: the page for a person, the data for who accepts application/json.
route page_route(std::string path, http::prepared_response page, const std::string& data);
/// `GET <path>`, always this JSON.
route data_route(std::string path, const std::string& data);

/// Answers 404, 405, 408, 413, 414, 415, 431 and malformed requests itself, as application/problem+json; and 503 while
/// the bodies of all requests are as much as they may.
class server {
  public:
    struct options {
        http::deadlines deadlines;
        /// Of the bodies of all requests that have come and are not answered: many slow clients must not fill the
        /// memory with theirs.
        std::size_t bodies = std::size_t{64} << 20;
    };

    server(options o, std::vector<route> routes);
    server(server&&) noexcept;
    server& operator=(server&&) noexcept;
    /// Ends every connection.
    ~server();

    void serve(net::listener on);
    /// From the next request on.
    void change_routes(std::vector<route> routes);

  private:
    friend class session;
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace bento::web
