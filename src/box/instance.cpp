#include <signal.h>
#include <bento/base/random.hpp>
#include <bento/box/instance.hpp>
#include <bento/box/jail.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstring>

#include "scripts.hpp"

namespace bento::box {
namespace {

/// Pieces of a message as they go on: large enough for speed, small enough that many runs fit in memory.
constexpr std::size_t piece_size = 64 * 1024;
/// What a function's error may say; the rest is dropped.
constexpr std::size_t error_limit = 64 * 1024;
/// Inputs that the function has not read.
constexpr std::size_t input_limit = std::size_t{16} << 20;
/// Of what bubblewrap or our helper says when it fails.
constexpr std::size_t complaint_limit = 4096;
constexpr std::size_t head_size = 5;
/// Uptimes are moved by up to 30 days.
constexpr std::uint32_t most_offset = 30U * 24 * 3600;
/// After the messages have ended, a process may take this long to go.
constexpr std::chrono::seconds exit_grace{2};

std::string framed(char kind, std::string_view data) {
    const auto n = static_cast<std::uint32_t>(data.size());
    std::string out{kind, static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
                    static_cast<char>(n)};
    return out.append(data);
}

sandbox::clock_offsets random_offsets() {
    std::uint32_t words[2];
    system_random()({reinterpret_cast<std::uint8_t*>(words), sizeof words});
    return {words[0] % most_offset, words[1] % most_offset};
}

net::stream stream_of(const asio::any_io_executor& executor, net::unique_fd fd) {
    return net::stream{net::stream::socket_type{executor, asio::local::stream_protocol{}, fd.release()}};
}

/// Exactly `size` bytes; false at the end of the stream.
asio::awaitable<bool> read_exactly(net::stream& from, char* into, std::size_t size) {
    while (size > 0) {
        const auto n = co_await from.read_some({into, size});
        if (!n) co_return false;
        into += *n;
        size -= *n;
    }
    co_return true;
}

}  // namespace

instance::instance(asio::any_io_executor executor, uuid4 id) : id_{id}, room_{executor}, has_input_{executor} {}
instance::~instance() = default;

result<std::shared_ptr<instance>> instance::start(asio::any_io_executor executor, const launcher& with, uuid4 id,
                                                  std::string code, std::string call) {
    const auto plan = sandbox::make_plan(with.options.each, with.runtime, random_offsets(), driver_script);
    auto [ours, theirs] = net::make_socket_pair();
    auto [stderr_ours, stderr_theirs] = net::make_socket_pair();
    // bubblewrap reads the filter to its end: every start needs a position of its own.
    const net::unique_fd filter{
        ::open(("/proc/self/fd/" + std::to_string(with.filter.get())).c_str(), O_RDONLY | O_CLOEXEC)};
    net::child::options o;
    o.program = with.options.helper;
    o.arguments.emplace_back(jail_argument);
    o.arguments.insert(o.arguments.end(), plan.jail_arguments.begin(), plan.jail_arguments.end());
    o.arguments.emplace_back("--");
    o.arguments.insert(o.arguments.end(), plan.bubblewrap_arguments.begin(), plan.bubblewrap_arguments.end());
    o.descriptors = {{2, stderr_theirs.get()},
                     {sandbox::messages_descriptor, theirs.get()},
                     {sandbox::filter_descriptor, filter.get()}};
    o.environment = std::vector<std::string>{"PATH=/usr/bin:/bin"};
    auto process = net::child::start(executor, o);
    if (!process) return error{sandbox::errc::start_failed, {}, process.error().peer};

    const std::shared_ptr<instance> self{new instance{executor, id}};
    self->process_ = std::move(*process);
    self->messages_ = stream_of(executor, std::move(ours));
    self->complaints_ = stream_of(executor, std::move(stderr_ours));
    asio::co_spawn(executor, run(self, framed('C', code) + framed('K', call), with.options), asio::detached);
    return self;
}

void instance::changed() {
    for (auto* w : watchers_)
        w->notify_all();
}

void instance::push(item i) {
    if (const auto* data = std::get_if<message_data>(&i)) unread_bytes_ += data->bytes.size();
    unread_.push_back(std::move(i));
    changed();
}

std::optional<instance::item> instance::take(const void* reader) {
    if (unread_.empty() || (within_ != nullptr && within_ != reader)) return {};
    auto out = std::move(unread_.front());
    unread_.pop_front();
    if (const auto* data = std::get_if<message_data>(&out)) unread_bytes_ -= data->bytes.size();
    within_ =
        std::holds_alternative<message_begin>(out) || std::holds_alternative<message_data>(out) ? reader : nullptr;
    room_.notify_all();
    return out;
}

void instance::release(const void* reader) {
    if (within_ != reader) return;
    while (auto rest = take(reader))
        if (std::holds_alternative<message_end>(*rest)) return;
    // The rest of the message has not come yet; nobody will want it without its beginning.
    within_ = this;
}

bool instance::input(std::string data) {
    if (ended_ || input_bytes_ + data.size() > input_limit) return false;
    input_bytes_ += data.size();
    inputs_.push_back(std::move(data));
    has_input_.notify_all();
    return true;
}

void instance::kill() {
    killed_ = true;
    unread_.clear();
    unread_bytes_ = 0;
    process_.signal(SIGKILL);
    room_.notify_all();
}

asio::awaitable<void> instance::write_inputs(std::shared_ptr<instance> self, std::string first) {
    if (!co_await self->messages_.write(first)) co_return;
    first = {};
    while (!self->ended_) {
        if (self->inputs_.empty()) {
            co_await self->has_input_.wait();
            continue;
        }
        const auto data = framed('I', self->inputs_.front());
        self->input_bytes_ -= self->inputs_.front().size();
        self->inputs_.pop_front();
        if (!co_await self->messages_.write(data)) co_return;
    }
}

/// What comes over the descriptor is the function's own making: its lengths and types are believed only as far as they
/// concern itself.
asio::awaitable<void> instance::read_messages(std::uint64_t limit, time_point deadline) {
    std::uint64_t total = 0;
    for (;;) {
        unsigned char head[head_size];
        if (!co_await read_exactly(messages_, reinterpret_cast<char*>(head), sizeof head)) co_return;
        std::uint32_t size = std::uint32_t{head[1]} << 24 | std::uint32_t{head[2]} << 16 | std::uint32_t{head[3]} << 8 |
                             std::uint32_t{head[4]};
        total += size;
        if (total > limit) {
            push(failure{"the function sent more than it may"});
            co_return;
        }
        if (head[0] == 'E') {
            std::string text(std::min<std::size_t>(size, error_limit), '\0');
            if (!co_await read_exactly(messages_, text.data(), text.size())) co_return;
            failed_ = true;
            push(failure{std::move(text)});
            if (size > error_limit) co_return;
            continue;
        }
        if (head[0] != 'O') {
            push(failure{"the function broke the protocol of its messages"});
            co_return;
        }
        push(message_begin{size});
        while (size > 0) {
            while (unread_bytes_ >= unread_limit)
                if (!co_await room_.wait(deadline)) co_return;
            std::string piece(std::min<std::size_t>(size, piece_size), '\0');
            const auto n = co_await messages_.read_some(piece);
            if (!n) co_return;
            piece.resize(*n);
            size -= static_cast<std::uint32_t>(*n);
            push(message_data{std::move(piece)});
            if (within_ == this) release(this);
        }
        push(message_end{});
        if (within_ == this) release(this);
    }
}

asio::awaitable<void> instance::run(std::shared_ptr<instance> self, std::string first, box::options limits) {
    const auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, write_inputs(self, std::move(first)), asio::detached);
    const auto deadline = clock::now() + limits.each.wall;
    self->messages_.expires_at(deadline);
    // They end with the last process of the sandbox, or when the function has closed them and is of no use any more.
    co_await self->read_messages(limits.output, deadline);
    const bool late = clock::now() >= deadline;
    if (!late) co_await self->process_.wait(clock::now() + exit_grace);
    const bool went = !self->process_.running();
    self->process_.kill();
    const auto status = co_await self->process_.wait();
    self->ended_ = true;
    self->has_input_.notify_all();
    if (self->killed_) {
        self->push(failure{"the function was ended"});
    } else if (late) {
        self->push(failure{"the function ran longer than it may"});
    } else if (went && !self->failed_ && status && !status->ok()) {
        std::string why(complaint_limit, '\0');
        self->complaints_.expires_after(exit_grace);
        const auto n = co_await self->complaints_.read_some(why);
        why.resize(n ? *n : 0);
        self->complaint_ = why;
        const int code = status->code();
        if (code == 128 + SIGXCPU || code == 128 + SIGKILL)
            self->push(failure{"the function used more processor time than it may"});
        else if (why.starts_with("jail: ") || why.starts_with("bwrap: "))
            self->push(failure{"the sandbox could not be made"});
        else if (code > 128)
            self->push(failure{std::string{"the function was ended by "} + ::strsignal(code - 128)});
    }
    self->messages_.close();
    self->complaints_.close();
    self->ended_at_ = clock::now();
    self->changed();
}

}  // namespace bento::box
