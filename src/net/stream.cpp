#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bento/net/stream.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <utility>

namespace bento::net {
namespace {

constexpr auto with_code = asio::as_tuple(asio::use_awaitable);

/// Lives in the frame of read_each().
struct reading {
    stream::socket_type& from;
    asio::mutable_buffer into;
    const stream::taker& take;
    const bool& expired;
    asio::cancellation_state cancellation{};
    bool enough = false;
    std::exception_ptr thrown{};

    void took(std::size_t n) {
        try {
            enough = !take(n);
        } catch (...) {  // it would leave the loop, which serves others too
            thrown = std::current_exception();
            enough = true;
        }
    }
};

/// A handler that reads again: no coroutine is resumed for a piece.
template <class Handler>
struct read_on {
    reading* all;
    Handler done;

    using executor_type = asio::any_io_executor;
    executor_type get_executor() const noexcept {
        return asio::get_associated_executor(done, all->from.get_executor());
    }
    using cancellation_slot_type = asio::cancellation_slot;
    cancellation_slot_type get_cancellation_slot() const noexcept { return all->cancellation.slot(); }

    void wait_for_turn() { asio::post(all->from.get_executor(), std::move(*this)); }

    /// Its turn: reads what has come by now, and waits where nothing has.
    void operator()() {
        boost::system::error_code code = asio::error::operation_aborted;
        std::size_t n = 0;
        // While it waits for its turn there is nothing that a deadline or a cancellation could cancel.
        if (!all->expired && all->cancellation.cancelled() == asio::cancellation_type::none)
            n = all->from.read_some(all->into, code);
        if (code != asio::error::would_block) return (*this)(code, n);
        auto& from = all->from;
        from.async_read_some(all->into, std::move(*this));
    }
    void operator()(boost::system::error_code code, std::size_t n) {
        if (!code) all->took(n);
        if (code || all->enough) return std::move(done)(code);
        wait_for_turn();
    }
};

struct begin_reading {
    template <class Handler>
    void operator()(Handler done, reading* all) const {
        all->cancellation = asio::cancellation_state{asio::get_associated_cancellation_slot(done)};
        read_on<Handler>{all, std::move(done)}.wait_for_turn();
    }
};

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::closed:
            return "the connection was closed";
        case errc::timed_out:
            return "timed out";
        case errc::refused:
            return "connection refused";
        case errc::unreachable:
            return "cannot be reached";
        case errc::busy:
            return "busy";
        case errc::address_in_use:
            return "already in use";
        case errc::socks_refused:
            return "the proxy does not speak SOCKS5 with our authentication";
        case errc::onion_not_found:
            return "the onion service's descriptor was not found";
        case errc::onion_invalid:
            return "the onion address or its descriptor is not valid";
        case errc::onion_unreachable:
            return "the onion service does not answer";
        case errc::onion_unauthorised:
            return "the onion service asks for client authorisation";
        case errc::no_route:
            return "tor could not make the connection";
    }
    return "unknown error";
}

/// Shared with the timer's handler, which may outlive the stream by one turn of the loop.
struct stream::state : std::enable_shared_from_this<state> {
    explicit state(socket_type s) : socket{std::move(s)}, timer{socket.get_executor()} {
        boost::system::error_code ignored;  // what cannot be set tells so when it is used
        socket.non_blocking(true, ignored);
    }

    socket_type socket;
    asio::steady_timer timer;
    time_point deadline = time_point::max();
    bool armed = false;
    bool expired = false;

    void arm() {
        if (deadline == time_point::max()) return;
        // A timer that fires early looks at the deadline again: moving it later costs nothing.
        if (armed && timer.expiry() <= deadline) return;
        timer.expires_at(deadline);
        armed = true;
        timer.async_wait([self = weak_from_this()](boost::system::error_code code) {
            const auto s = self.lock();
            if (!s || code) return;  // gone, or armed anew
            s->armed = false;
            if (clock::now() < s->deadline) return s->arm();
            s->expired = true;
            boost::system::error_code ignored;  // a socket that cannot be cancelled has no operation left
            s->socket.cancel(ignored);
        });
    }

    error failed(boost::system::error_code code) const {
        if (expired) return errc::timed_out;
        if (code == asio::error::eof || code == asio::error::connection_reset || code == asio::error::broken_pipe ||
            code == asio::error::operation_aborted || code == asio::error::bad_descriptor ||
            code == asio::error::not_connected)
            return errc::closed;
        return {errc::unreachable, {}, code.message()};
    }
};

stream::stream(socket_type socket) : state_{std::make_shared<state>(std::move(socket))} {}
stream::stream(stream&&) noexcept = default;
stream& stream::operator=(stream&& other) noexcept {
    if (this != &other) {
        close();
        state_ = std::move(other.state_);
    }
    return *this;
}
stream::~stream() { close(); }

task<std::size_t> stream::read_some(std::span<char> into) {
    const auto s = state_;
    if (!s || !s->socket.is_open()) co_return errc::closed;
    if (s->expired) co_return errc::timed_out;
    const auto [code, n] = co_await s->socket.async_read_some(asio::buffer(into.data(), into.size()), with_code);
    if (code) co_return s->failed(code);
    co_return n;
}

task<void> stream::read_each(std::span<char> into, const taker& take) {
    const auto s = state_;
    if (!s || !s->socket.is_open()) co_return errc::closed;
    if (s->expired) co_return errc::timed_out;
    reading all{s->socket, asio::buffer(into.data(), into.size()), take, s->expired};
    const auto [code] = co_await asio::async_initiate<decltype(with_code), void(boost::system::error_code)>(
        begin_reading{}, with_code, &all);
    if (all.thrown) std::rethrow_exception(all.thrown);
    if (code) co_return s->failed(code);
    co_return result<void>{};
}

task<void> stream::write(std::string_view from) { return write(from, {}); }

task<void> stream::write(std::string_view first, std::string_view second) {
    const auto s = state_;
    if (!s || !s->socket.is_open()) co_return errc::closed;
    if (s->expired) co_return errc::timed_out;
    auto done = write_now(first, second);
    if (done == first.size() + second.size()) co_return result<void>{};
    std::array<asio::const_buffer, 2> parts{asio::buffer(first), asio::buffer(second)};
    for (auto& part : parts) {
        const auto sent = std::min(done, part.size());
        part += sent;
        done -= sent;
    }
    const auto [code, n] = co_await asio::async_write(s->socket, parts, with_code);
    if (code) co_return s->failed(code);
    co_return result<void>{};
}

std::size_t stream::write_now(std::string_view first, std::string_view second) {
    if (!is_open() || state_->expired) return 0;
    boost::system::error_code told_by_write;
    // Of one part Asio makes a send(), which costs less than a sendmsg().
    if (second.empty()) return state_->socket.write_some(asio::buffer(first), told_by_write);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(first), asio::buffer(second)};
    return state_->socket.write_some(parts, told_by_write);
}

task<void> stream::wait_readable() {
    const auto s = state_;
    if (!s || !s->socket.is_open()) co_return errc::closed;
    if (s->expired) co_return errc::timed_out;
    const auto [code] = co_await s->socket.async_wait(socket_type::wait_read, with_code);
    if (code) co_return s->failed(code);
    co_return result<void>{};
}

stream::arrived stream::peek() const {
    if (!is_open()) return arrived::end;
    char byte = 0;
    const auto n = ::recv(native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0) return arrived::bytes;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? arrived::nothing : arrived::end;
}

void stream::expires_at(time_point deadline) {
    if (!state_) return;
    state_->deadline = deadline;
    state_->expired = false;
    state_->arm();
}

bool stream::is_open() const { return state_ && state_->socket.is_open(); }

void stream::shutdown_send() {
    if (!state_) return;
    boost::system::error_code ignored;  // the peer may have gone already
    state_->socket.shutdown(socket_type::shutdown_send, ignored);
}

void stream::close() {
    if (!state_) return;
    boost::system::error_code
        ignored;  // closing reports only what the kernel could not flush, and TCP has no such report
    state_->socket.close(ignored);
    state_->timer.cancel();
}

asio::any_io_executor stream::executor() const { return state_->socket.get_executor(); }
int stream::native_handle() const { return state_->socket.native_handle(); }

task<stream> stream::connect(endpoint to, time_point deadline) {
    const auto executor = co_await asio::this_coro::executor;
    asio::generic::stream_protocol::endpoint address;
    if (to.is_unix())
        address = asio::local::stream_protocol::endpoint{to.path};
    else
        address = asio::ip::tcp::endpoint{asio::ip::make_address(to.host), to.port};
    stream::socket_type socket{executor};
    boost::system::error_code opened;
    socket.open(address.protocol(), opened);
    if (opened) co_return error{errc::unreachable, to.str(), opened.message()};
    if (!to.is_unix()) socket.set_option(asio::ip::tcp::no_delay{true}, opened);

    stream out{std::move(socket)};
    const auto s = out.state_;
    out.expires_at(deadline);
    const auto [code] = co_await s->socket.async_connect(address, with_code);
    if (s->expired) co_return error{errc::timed_out, to.str()};
    if (code == asio::error::connection_refused) co_return error{errc::refused, to.str()};
    if (code) co_return error{errc::unreachable, to.str(), code.message()};
    out.expires_never();
    co_return out;
}

}  // namespace bento::net
