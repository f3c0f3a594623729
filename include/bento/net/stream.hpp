// A connected byte stream: TCP, a unix socket or a stream through tor, all alike, with one deadline.
#pragma once

#include <bento/base/endpoint.hpp>
#include <bento/net/asio.hpp>
#include <bento/net/errc.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace bento::net {

/// Movable. One reader and one writer at a time. Operations report net::errc::closed, timed_out or unreachable.
class stream {
  public:
    using socket_type = asio::generic::stream_protocol::socket;

    stream() = default;
    explicit stream(socket_type socket);
    stream(stream&&) noexcept;
    stream& operator=(stream&&) noexcept;
    ~stream();

    /// At least one byte, or an error; errc::closed at the end of the stream.
    task<std::size_t> read_some(std::span<char> into);
    /// Is given how many bytes were read; true to read on.
    using taker = std::function<bool(std::size_t)>;
    /// Reads until `take` has enough, each time after all else that is ready now has had its turn: where many are
    /// served at once the peer has mostly spoken by then, and the kernel is not asked in vain. For what is mostly
    /// answered at once: `take` is called by the loop, and the coroutine that waits here is not resumed for each piece.
    task<void> read_each(std::span<char> into, const taker& take);
    /// Everything, or an error.
    task<void> write(std::string_view from);
    /// Both, in this order, without copying them together.
    task<void> write(std::string_view first, std::string_view second);
    /// What fits into the socket's buffer now, which is nearly always all of it; 0 where that is nothing, or an error
    /// that write() will tell.
    std::size_t write_now(std::string_view first, std::string_view second = {});

    /// Waits until bytes or the end of the stream can be read; reads nothing.
    task<void> wait_readable();

    /// What has come and is still unread; reads nothing.
    enum class arrived { nothing, bytes, end };
    arrived peek() const;

    /// Every operation running at this time, or begun later, fails with timed_out. Absolute: reading a byte does not
    /// move it.
    void expires_at(time_point deadline);
    void expires_after(clock::duration d) { expires_at(clock::now() + d); }
    void expires_never() { expires_at(time_point::max()); }

    bool is_open() const;
    /// The peer reads the end of the stream; we can go on reading.
    void shutdown_send();
    /// Ends every operation with errc::closed.
    void close();
    asio::any_io_executor executor() const;
    int native_handle() const;

    /// Connects to a local endpoint, or to an address that the operator named. Sets TCP_NODELAY. The stream it returns
    /// has no deadline.
    static task<stream> connect(endpoint to, time_point deadline);

  private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace bento::net
