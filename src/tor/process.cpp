#include <unistd.h>

#include <array>
#include <bento/tor/process.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>

namespace bento::tor {
namespace {

constexpr auto with_code = asio::as_tuple(asio::use_awaitable);
/// Lines kept: enough for what tor says before it gives up on a configuration.
constexpr std::size_t log_lines = 50;
/// A longer line is cut; tor's own are shorter.
constexpr std::size_t log_line_size = 2000;

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::not_found:
            return "no tor was found";
        case errc::start_failed:
            return "tor did not start";
        case errc::not_bootstrapped:
            return "tor did not reach the Tor network in time";
        case errc::not_published:
            return "the onion service was not published in time";
        case errc::no_descriptor:
            return "the onion service's descriptor is not at the HSDirs";
        case errc::cookie_unreadable:
            return "tor's authentication cookie cannot be read";
    }
    return "unknown error";
}

struct process::state {
    explicit state(asio::any_io_executor executor) : out{executor} {}

    net::child tor;
    net::stream control;
    asio::posix::stream_descriptor out;
    std::deque<std::string> lines;

    void take(std::string_view text, std::string& partial) {
        for (const char c : text) {
            if (c != '\n') {
                if (partial.size() < log_line_size) partial += c;
                continue;
            }
            lines.push_back(std::move(partial));
            partial.clear();
            if (lines.size() > log_lines) lines.pop_front();
        }
    }
};

namespace {

/// Reads tor's log for as long as somebody holds the process.
template <class State>
asio::awaitable<void> read_log(std::weak_ptr<State> weak) {
    std::array<char, 4096> buffer;
    std::string partial;
    for (;;) {
        auto* const out = [&] {
            const auto s = weak.lock();
            return s ? &s->out : nullptr;
        }();
        if (out == nullptr) co_return;
        // Closing the descriptor ends the read before the state goes: see ~process.
        const auto [code, n] = co_await out->async_read_some(asio::buffer(buffer), with_code);
        const auto s = weak.lock();
        if (code || !s) co_return;
        s->take({buffer.data(), n}, partial);
    }
}

asio::awaitable<void> feed(asio::posix::stream_descriptor to, std::string text) {
    // A tor that ended early leaves the rest unread: it is its exit that gets reported.
    co_await asio::async_write(to, asio::buffer(text), with_code);
}

}  // namespace

result<process> process::launch(asio::any_io_executor executor, const options& o) {
    auto [ours, theirs] = net::make_socket_pair();
    auto [in_read, in_write] = net::make_pipe();
    auto [out_read, out_write] = net::make_pipe();
    constexpr int control_number = 3;
    net::child::options start;
    start.program = o.program;
    start.arguments = {
        "-f", "-", "--defaults-torrc", "/dev/null", "--__OwningControllerFD", std::to_string(control_number)};
    start.descriptors = {
        {0, in_read.get()}, {1, out_write.get()}, {2, out_write.get()}, {control_number, theirs.get()}};
    auto tor = net::child::start(executor, start);
    if (!tor) return error{errc::start_failed, o.program, tor.error().peer};

    auto s = std::make_shared<state>(executor);
    s->tor = std::move(*tor);
    s->control = net::stream{net::stream::socket_type{executor, asio::local::stream_protocol{}, ours.release()}};
    s->out.assign(out_read.release());
    asio::co_spawn(executor, read_log(std::weak_ptr{s}), asio::detached);
    asio::co_spawn(executor, feed(asio::posix::stream_descriptor{executor, in_write.release()}, o.torrc),
                   asio::detached);
    process out;
    out.state_ = std::move(s);
    return out;
}

process::process(process&&) noexcept = default;
process& process::operator=(process&&) noexcept = default;
process::~process() = default;

net::stream process::take_control() { return std::move(state_->control); }
task<net::exit_status> process::wait(time_point deadline) { return state_->tor.wait(deadline); }
bool process::running() const { return state_ && state_->tor.running(); }
pid_t process::pid() const { return state_->tor.pid(); }

std::string process::log() const {
    std::string out;
    for (const auto& line : state_->lines)
        out += line + '\n';
    return out;
}

std::string process::complaint() const {
    // The last line is often "see warnings above".
    std::string generic;
    for (auto line = state_->lines.rbegin(); line != state_->lines.rend(); ++line)
        for (const std::string_view level : {"[err] ", "[warn] "})
            if (const auto at = line->find(level); at != std::string::npos) {
                auto text = line->substr(at + level.size());
                if (text.find("see warnings above") == std::string::npos) return text;
                generic = std::move(text);
            }
    return generic;
}

}  // namespace bento::tor
