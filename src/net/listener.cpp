#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bento/net/listener.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

namespace bento::net {
namespace {

using protocol = asio::generic::stream_protocol;
using acceptor_type = asio::basic_socket_acceptor<protocol>;

constexpr auto with_code = asio::as_tuple(asio::use_awaitable);
/// After accept() failed for want of descriptors or memory: long enough to free some, short enough not to be noticed.
constexpr auto accept_pause = std::chrono::milliseconds{50};

protocol::endpoint to_asio(const endpoint& at) {
    if (at.is_unix()) return asio::local::stream_protocol::endpoint{at.path};
    return asio::ip::tcp::endpoint{asio::ip::make_address(at.host), at.port};
}

/// Whether somebody answers on a unix socket: the file alone says nothing, a dead server leaves it behind.
bool is_alive(const endpoint& at) {
    asio::io_context context;
    protocol::socket probe{context};
    boost::system::error_code code;
    probe.connect(to_asio(at), code);
    return !code;
}

}  // namespace

struct listener::state : std::enable_shared_from_this<state> {
    state(asio::any_io_executor e, endpoint w, limits l)
        : executor{e}, acceptor{e}, room{e}, where{std::move(w)}, limit{l} {}

    asio::any_io_executor executor;
    acceptor_type acceptor;
    asio::steady_timer room;  ///< cancelled when a connection has ended or all shall end
    endpoint where;
    limits limit;
    handler handle;
    std::list<asio::cancellation_signal> sessions;
    bool stopped = false;

    asio::awaitable<void> accept_all() {
        const auto self = shared_from_this();
        while (!stopped) {
            if (sessions.size() >= limit.connections) {
                room.expires_at(time_point::max());
                co_await room.async_wait(with_code);
                continue;
            }
            auto [code, socket] = co_await acceptor.async_accept(with_code);
            if (stopped || code == asio::error::operation_aborted) co_return;
            if (code) {
                room.expires_after(accept_pause);
                co_await room.async_wait(with_code);
                continue;
            }
            run(std::move(socket));
        }
    }

    void run(protocol::socket socket) {
        if (!where.is_unix()) {
            boost::system::error_code ignored;  // a peer that has gone already
            socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
        }
        const auto session = sessions.emplace(sessions.end());
        asio::co_spawn(executor, handle(stream{std::move(socket)}),
                       asio::bind_cancellation_slot(session->slot(),
                                                    [self = shared_from_this(), session](const std::exception_ptr&) {
                                                        self->sessions.erase(session);
                                                        self->room.cancel();
                                                    }));
    }

    void stop(bool connections) {
        if (!stopped) {
            stopped = true;
            boost::system::error_code ignored;  // closing a listening socket cannot fail in a way that matters
            acceptor.close(ignored);
            if (where.is_unix()) ::unlink(where.path.c_str());
            room.cancel();
        }
        if (connections)
            for (auto& session : sessions)
                session.emit(asio::cancellation_type::terminal);
    }
};

result<listener> listener::listen(asio::any_io_executor executor, const endpoint& at, limits l) {
    const auto s = std::make_shared<state>(executor, at, l);
    const auto address = to_asio(at);
    boost::system::error_code code;
    s->acceptor.open(address.protocol(), code);
    if (code) return error{errc::unreachable, at.str(), code.message()};
    if (!at.is_unix()) s->acceptor.set_option(acceptor_type::reuse_address{true}, code);
    // The socket must never be open to others, not even between bind and chmod.
    const auto old_mask = ::umask(static_cast<mode_t>(~l.mode & 0777u));
    s->acceptor.bind(address, code);
    if (code == asio::error::address_in_use && at.is_unix() && !is_alive(at)) {
        ::unlink(at.path.c_str());
        s->acceptor.bind(address, code);
    }
    ::umask(old_mask);
    if (code == asio::error::address_in_use) return error{errc::address_in_use, at.str()};
    if (code) return error{errc::unreachable, at.str(), code.message()};
    s->acceptor.listen(l.backlog, code);
    if (code == asio::error::address_in_use) return error{errc::address_in_use, at.str()};
    if (code) return error{errc::unreachable, at.str(), code.message()};
    if (!at.is_unix()) {
        asio::ip::tcp::endpoint bound;
        const auto local = s->acceptor.local_endpoint();
        bound.resize(local.size());
        std::memcpy(bound.data(), local.data(), local.size());
        s->where.port = bound.port();
    }
    return listener{s};
}

listener::listener(listener&&) noexcept = default;
listener& listener::operator=(listener&& other) noexcept {
    if (this != &other) {
        if (state_) state_->stop(true);
        state_ = std::move(other.state_);
    }
    return *this;
}
listener::~listener() {
    if (state_) state_->stop(true);
}

const endpoint& listener::where() const { return state_->where; }
std::size_t listener::connections() const { return state_->sessions.size(); }

void listener::start(handler h) {
    state_->handle = std::move(h);
    asio::co_spawn(state_->executor, state_->accept_all(), asio::detached);
}

void listener::stop(bool connections) {
    if (state_) state_->stop(connections);
}

void allow_descriptors() {
    rlimit both{};
    if (::getrlimit(RLIMIT_NOFILE, &both) != 0) return;
    both.rlim_cur = both.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &both);
}

result<std::uint16_t> free_loopback_port() {
    asio::io_context context;
    auto probe = listener::listen(context.get_executor(), endpoint::tcp("127.0.0.1", 0), {});
    if (!probe) return probe.error();
    return probe->where().port;
}

}  // namespace bento::net
