// One HTTP/1.1 connection, seen from the client. As strict as the server's side: what answers may be hostile.
#pragma once

#include <bento/http/limits.hpp>
#include <bento/http/message.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace bento::http {

/// A response's head, owned.
struct response_head {
    int status = 0;
    unsigned minor = 1;
    std::vector<std::pair<std::string, std::string>> fields;
    /// Case-insensitive; the first of this name.
    std::string_view find(std::string_view name) const;
};

/// A request whole, head and body in one piece, so that it can ride along with a handshake. `host` is the authority.
std::string encode_request(method m, std::string_view host, std::string_view target, std::span<const field> fields,
                           std::string_view body);

class client_connection {
  public:
    struct need_data {};
    struct body {
        std::string_view data;  ///< until the next feed() or next()
    };
    struct response_end {};
    /// Final: what came is no HTTP, or over a limit.
    struct broken {
        std::string_view why;  ///< static
    };
    /// Final: the peer went before the response was whole.
    struct cut {};
    using event = std::variant<need_data, response_head, body, response_end, broken, cut>;

    client_connection();
    client_connection(client_connection&&) noexcept;
    client_connection& operator=(client_connection&&) noexcept;
    ~client_connection();

    /// A request was sent; one at a time.
    void expect_response(method m);
    /// A GET that asks for another protocol was sent. Where the head that comes is a 101, the rest of the connection is
    /// that protocol's, and the bytes that have come already are take_rest().
    void expect_switch();
    std::string take_rest();
    void feed(std::string_view bytes);
    void feed_eof();
    /// Interim responses (1xx) are skipped.
    event next();
    /// After response_end: whether another request may be sent.
    bool reusable() const;

  private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace bento::http
