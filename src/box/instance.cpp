#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bento/base/file.hpp>
#include <bento/base/random.hpp>
#include <bento/box/instance.hpp>
#include <bento/box/jail.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <cstring>

#include "scripts.hpp"

namespace bento::box {
namespace {

/// Read at a time: large enough for speed, small enough that many runs fit in memory.
constexpr std::size_t read_size = 64 * 1024;
/// What a function's error may say; the rest is dropped.
constexpr std::size_t error_limit = 64 * 1024;
/// Of what bubblewrap or our helper says when it fails.
constexpr std::size_t complaint_limit = 4096;
constexpr std::size_t head_size = 5;
/// What keeping a message or an input costs beside its bytes: a million empty ones must not be free.
constexpr std::size_t item_cost = 128;
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

/// Exactly `size` bytes, or fewer at the end of the stream.
asio::awaitable<std::size_t> read_exactly(net::stream& from, char* into, std::size_t size) {
    std::size_t have = 0;
    while (have < size) {
        const auto n = co_await from.read_some({into + have, size - have});
        if (!n) break;
        have += *n;
    }
    co_return have;
}

std::size_t cost_of(const instance::item& i) {
    const auto* o = std::get_if<instance::output>(&i);
    return item_cost + (o != nullptr ? o->bytes.size() : std::get<instance::failure>(i).text.size());
}

/// The first process of the sandbox's namespace, seen from here; 0 where there is none yet.
pid_t first_of_namespace(pid_t bubblewrap) {
    const auto name = std::to_string(bubblewrap);
    const auto children = read_file("/proc/" + name + "/task/" + name + "/children", complaint_limit);
    pid_t out = 0;
    if (children) std::from_chars(children->data(), children->data() + children->size(), out);
    return out;
}

}  // namespace

instance::instance(asio::any_io_executor executor) : buffer_(read_size), room_{executor}, has_input_{executor} {}

instance::~instance() {
    if (!process_.running()) return;
    stop_processes();
    // Its end is that of the namespace, after which the control group is empty.
    ::pollfd gone{static_cast<int>(::syscall(SYS_pidfd_open, process_.pid(), 0)), POLLIN, 0};
    if (gone.fd >= 0) ::poll(&gone, 1, static_cast<int>(std::chrono::milliseconds{exit_grace}.count()));
    net::unique_fd{gone.fd};
    process_.kill();
}

result<std::shared_ptr<instance>> instance::prepare(asio::any_io_executor executor, const launcher& with) try {
    auto group = with.groups.make(with.options.each);
    if (!group) return error{sandbox::errc::start_failed, "its control group"};
    auto [ours, theirs] = net::make_socket_pair();
    auto [stderr_ours, stderr_theirs] = net::make_socket_pair();
    // bubblewrap reads the filter to its end: every start needs a position of its own.
    const net::unique_fd filter{
        ::open(("/proc/self/fd/" + std::to_string(with.filter.get())).c_str(), O_RDONLY | O_CLOEXEC)};
    net::child::options o;
    o.descriptors = {{2, stderr_theirs.get()},
                     {sandbox::messages_descriptor, theirs.get()},
                     {sandbox::filter_descriptor, filter.get()}};
    std::string doors;
    int number = sandbox::filter_descriptor;
    for (const auto& door : group->doors()) {
        o.descriptors.emplace_back(++number, door.get());
        doors += (doors.empty() ? "--doors=" : ",") + std::to_string(number);
    }
    const auto plan = sandbox::make_plan(with.options.each, with.runtime, random_offsets(), driver_script);
    o.program = with.options.helper;
    o.arguments.emplace_back(jail_argument);
    if (!doors.empty()) o.arguments.push_back(doors);
    o.arguments.insert(o.arguments.end(), plan.jail_arguments.begin(), plan.jail_arguments.end());
    o.arguments.emplace_back("--");
    o.arguments.insert(o.arguments.end(), plan.bubblewrap_arguments.begin(), plan.bubblewrap_arguments.end());
    o.environment = std::vector<std::string>{"PATH=/usr/bin:/bin"};
    auto process = net::child::start(executor, o);
    if (!process) return error{sandbox::errc::start_failed, {}, process.error().peer};

    const std::shared_ptr<instance> self{new instance{executor}};
    self->output_limit_ = with.options.output;
    self->wall_ = with.options.each.wall;
    self->process_ = std::move(*process);
    self->group_ = std::move(*group);
    self->group_.close_doors();
    self->messages_ = stream_of(executor, std::move(ours));
    self->complaints_ = stream_of(executor, std::move(stderr_ours));
    asio::co_spawn(executor, run(self), asio::detached);
    return self;
} catch (const std::system_error& e) {  // no descriptor or no memory is left
    return error{sandbox::errc::start_failed, {}, e.what()};
}

void instance::begin(uuid4 id, std::string code, std::string call) {
    id_ = id;
    attended_at_ = clock::now();
    deadline_ = attended_at_ + wall_;
    messages_.expires_at(deadline_);
    auto first = framed('C', code) + framed('K', call);
    asio::co_spawn(messages_.executor(), write_inputs(shared_from_this(), std::move(first)), asio::detached);
}

void instance::changed() {
    for (auto* r : readers_)
        r->notify_all();
}

void instance::push(item i) {
    if (!killed_.empty() && std::holds_alternative<output>(i)) return;
    if (dropping_) {
        const auto* o = std::get_if<output>(&i);
        dropping_ = o != nullptr && !o->ends;
        if (o != nullptr) return;
    }
    unread_size_ += cost_of(i);
    unread_.push_back(std::move(i));
    changed();
}

void instance::join(net::condition* reader) { readers_.push_back(reader); }

void instance::leave(net::condition* reader) {
    const bool was_first = !readers_.empty() && readers_.front() == reader;
    std::erase(readers_, reader);
    attended_at_ = clock::now();
    if (was_first && within_) {
        within_ = false;
        dropping_ = true;
        // What has come of the message goes; push() drops what is still to come.
        while (dropping_ && !unread_.empty()) {
            const auto* o = std::get_if<output>(&unread_.front());
            dropping_ = o != nullptr && !o->ends;
            if (o == nullptr) break;
            unread_size_ -= cost_of(unread_.front());
            unread_.pop_front();
        }
        room_.notify_all();
    }
    changed();
}

std::optional<instance::item> instance::take(net::condition* reader) {
    if (unread_.empty() || readers_.empty() || readers_.front() != reader) return {};
    auto out = std::move(unread_.front());
    unread_.pop_front();
    unread_size_ -= cost_of(out);
    const auto* o = std::get_if<output>(&out);
    within_ = o != nullptr && !o->ends;
    room_.notify_all();
    if (unread_.empty()) changed();  // who waits in line may learn that there is nothing more
    return out;
}

bool instance::input(std::string data) {
    if (ended_ || deaf_ || input_size_ + data.size() + item_cost > input_limit) return false;
    input_size_ += data.size() + item_cost;
    inputs_.push_back(framed('I', data));
    has_input_.notify_all();
    return true;
}

/// Killing bubblewrap would leave the namespace's end to the kernel's next moment; killing the first process in it ends
/// all others, and bubblewrap tells when that is over.
void instance::stop_processes() {
    const auto first = first_of_namespace(process_.pid());
    if (first > 0 && ::kill(first, SIGKILL) == 0) return;
    if (!group_.kill()) process_.signal(SIGKILL);
}

void instance::kill(std::string why) {
    if (ended_ || !killed_.empty()) return;
    killed_ = std::move(why);
    unread_.clear();
    unread_size_ = 0;
    stop_processes();
    room_.notify_all();
    changed();
}

asio::awaitable<void> instance::write_inputs(std::shared_ptr<instance> self, std::string first) {
    if (!co_await self->messages_.write(first)) co_return;
    first = {};
    while (!self->ended_) {
        if (self->inputs_.empty()) {
            co_await self->has_input_.wait();
            continue;
        }
        const auto data = std::move(self->inputs_.front());
        self->inputs_.pop_front();
        if (!co_await self->messages_.write(data)) {
            co_await self->tell_deaf();
            co_return;
        }
        self->input_size_ -= data.size() - head_size + item_cost;
    }
}

/// It has gone, which run() sees as well, or lets nothing in and goes on: then who has it open is told, once here and
/// after that for each further input.
asio::awaitable<void> instance::tell_deaf() {
    deaf_ = true;
    const auto until = clock::now() + exit_grace;
    while (!ended_ && clock::now() < until)
        co_await has_input_.wait(until);
    if (!ended_) push(failure{"the function does not read its input"});
}

/// One message; false where it was cut.
asio::awaitable<bool> instance::read_output(std::uint32_t size) {
    output part;
    part.begins = size;
    std::size_t left = size;
    for (;;) {
        part.bytes.reserve(std::min(left, unread_limit + buffer_.size()));
        // As much as fits into what may wait unread, so that a message cut short has not been announced yet.
        while (left > 0 && part.bytes.size() < unread_limit) {
            const auto n = co_await messages_.read_some({buffer_.data(), std::min(left, buffer_.size())});
            if (!n) break;
            part.bytes.append(buffer_.data(), *n);
            left -= *n;
        }
        part.ends = left == 0;
        if (!part.ends && part.bytes.size() < unread_limit) co_return false;
        while (unread_size_ >= unread_limit && killed_.empty()) {
            const bool in_time = co_await room_.wait(deadline_);
            if (!in_time) co_return false;
        }
        push(std::exchange(part, {}));
        if (left == 0) co_return true;
    }
}

/// What comes over the descriptor is the function's own making: its lengths and types are believed only as far as they
/// concern itself.
asio::awaitable<instance::end> instance::read_messages() {
    std::uint64_t total = 0;
    for (;;) {
        unsigned char head[head_size];
        const auto have = co_await read_exactly(messages_, reinterpret_cast<char*>(head), sizeof head);
        if (have == 0) co_return end::closed;
        if (have < sizeof head) co_return end::cut;
        const auto size = std::uint32_t{head[1]} << 24 | std::uint32_t{head[2]} << 16 | std::uint32_t{head[3]} << 8 |
                          std::uint32_t{head[4]};
        if (head[0] == 'R' && size == 0 && !ready_) {
            ready_ = true;
            changed();
            continue;
        }
        if (head[0] == 'E') {
            std::string text(std::min<std::size_t>(size, error_limit), '\0');
            if (co_await read_exactly(messages_, text.data(), text.size()) < text.size()) co_return end::cut;
            push(failure{std::move(text)});
            co_return end::told;
        }
        total += size + head_size;
        if (head[0] != 'O' || total > output_limit_) {
            const auto* why = head[0] == 'O' ? "the function sent more than it may"
                                             : "the function broke the protocol of its messages";
            push(failure{why});
            co_return end::misbehaved;
        }
        if (!co_await read_output(size)) co_return end::cut;
    }
}

/// A large message that was cut was never sent, unless somebody has begun to read it; he will see that it is cut.
void instance::drop_cut_message() {
    dropping_ = false;
    while (!unread_.empty()) {
        const auto* part = std::get_if<output>(&unread_.back());
        if (part == nullptr || part->ends) return;
        const bool begins = part->begins.has_value();
        unread_size_ -= cost_of(unread_.back());
        unread_.pop_back();
        if (begins) return;
    }
}

/// Why a process that has not said so itself ended badly; empty where that is its own affair.
std::string instance::reason(const net::exit_status& status) const {
    const int code = status.code();
    if (group_.ran_out_of_memory()) return "the function used more memory than it may";
    if (code == 128 + SIGXCPU || code == 128 + SIGKILL) return "the function used more processor time than it may";
    if (complaint_.starts_with("jail: ") || complaint_.starts_with("bwrap: ")) return "the sandbox could not be made";
    if (code > 128 && code < 128 + NSIG) return std::string{"the function was ended by "} + ::strsignal(code - 128);
    return {};
}

asio::awaitable<void> instance::run(std::shared_ptr<instance> self) {
    // They end with the last process of the sandbox, or when the function has closed them and is of no use any more.
    const auto how = co_await self->read_messages();
    const bool late = clock::now() >= self->deadline_;
    if (!late && self->killed_.empty() && how != end::misbehaved)
        co_await self->process_.wait(clock::now() + exit_grace);
    const bool went = !self->process_.running();
    if (!went) self->stop_processes();
    if (!co_await self->process_.wait(clock::now() + exit_grace)) self->process_.signal(SIGKILL);
    const auto status = co_await self->process_.wait();
    self->ended_ = true;
    self->ended_at_ = clock::now();
    self->has_input_.notify_all();
    self->complaint_.resize(complaint_limit);
    self->complaints_.expires_after(exit_grace);
    self->complaint_.resize(co_await read_exactly(self->complaints_, self->complaint_.data(), self->complaint_.size()));
    std::string why;
    if (!self->killed_.empty())
        why = self->killed_;
    else if (late)
        why = "the function ran longer than it may";
    else if (went && how != end::told && status && !status->ok())
        why = self->reason(*status);
    else if (!went && how == end::closed)
        why = "the function closed its messages and went on";
    if (why.empty() && how == end::cut) why = "the function ended within a message";
    self->drop_cut_message();
    if (!why.empty()) self->push(failure{std::move(why)});
    self->messages_.close();
    self->complaints_.close();
    self->process_ = {};
    self->group_ = {};
    self->buffer_ = {};
    self->changed();
}

}  // namespace bento::box
