// One HTTP/1.1 connection, seen from the server: requests from bytes, responses to bytes (RFC 9112).
//
// Strict: a line ends with CRLF, a field has no space before its colon, a body has one length. What two implementations
// could read in two ways is refused and the connection ends, since behind it may come a request that only one of them
// sees. Requests are answered one at a time: what a client sends ahead waits unparsed.
#pragma once

#include <bento/http/limits.hpp>
#include <bento/http/message.hpp>
#include <bento/http/prepared_response.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace bento::http {

class server_connection {
  public:
    struct need_data {};
    struct request {
        const request_head* head;  ///< until the response is complete
    };
    struct body {
        std::string_view data;  ///< until the next feed() or next()
    };
    struct request_end {};
    /// Not to be acted upon: answer with this status; the connection ends then.
    struct refused {
        int status;
        std::string_view why;  ///< static, for the problem's detail
    };
    /// The peer has gone; there is nothing to answer.
    struct closed {};
    using event = std::variant<need_data, request, body, request_end, refused, closed>;

    server_connection();
    server_connection(server_connection&&) noexcept;
    server_connection& operator=(server_connection&&) noexcept;
    ~server_connection();

    void feed(std::string_view bytes);
    void feed_eof();
    event next();
    /// False while enough is waiting: stop reading.
    bool wants_input() const;
    /// True where nothing of a next request has come: an idle connection may be closed.
    bool idle() const;
    /// The most that the body of this request may have, chunked or not; over it 413. To be called on `request`.
    void limit_body(std::uint64_t size);

    /// `100 Continue`, where the client waits for it and nothing of the body has come.
    void send_continue();
    /// A whole response. Fields may hold no control characters (std::logic_error); Content-Length, Connection and
    /// Transfer-Encoding are made here, Date and Server never.
    void respond(int status, std::span<const field> fields, std::string_view body);
    /// The same without a copy, where nothing waits before it.
    void respond(const prepared_response& all);
    /// A response in pieces: chunked, or until the end of the connection for HTTP/1.0; with `length`, exactly so long.
    void begin(int status, std::span<const field> fields, std::optional<std::uint64_t> length = {});
    void send(std::string_view data);
    void finish();
    /// A response that cannot be finished: the connection is to be cut, so that the client sees that something is
    /// missing.
    void abort();
    /// After this response the connection ends.
    void close_after_response();
    /// 101, on request_end: what the client sends from now on is another protocol's. The fields name it; the bytes that
    /// have come already are take_rest().
    void switch_protocols(std::span<const field> fields);
    std::string take_rest();

    /// Until the next call of another function.
    std::string_view output() const;
    void consume_output(std::size_t size);
    /// Everything is said: close when output() is empty.
    bool must_close() const;
    /// The client is still sending: read for deadlines::lingering before closing.
    bool wants_lingering() const;

  private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace bento::http
