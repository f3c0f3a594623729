#include "run.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace bento::gateway {

using wire_client = wire::client;

namespace {

constexpr std::chrono::seconds connect_limit{5};

}  // namespace

run::run(asio::any_io_executor executor, options o) : executor_{executor}, with_{std::move(o)}, wake_{executor} {}

run::~run() {
    if (with_.ahead) with_.ahead->used -= drawn_;
}

std::shared_ptr<run> run::start(asio::any_io_executor executor, options o, time_point deadline) {
    const std::shared_ptr<run> self{new run{executor, std::move(o)}};
    asio::co_spawn(executor, pump(self, deadline), asio::detached);
    return self;
}

task<uuid4> run::started(time_point deadline) {
    net::condition wake{executor_};
    const watching here{shared_from_this(), wake};
    while (phase_ == phase::starting)
        if (!co_await wake.wait(deadline)) co_return net::errc::timed_out;
    if (refused_) co_return *refused_;
    co_return *id_;
}

void run::changed() {
    wake_.notify_all();
    for (auto* w : watchers_)
        w->notify_all();
}

void run::stop() {
    stopped_ = true;
    server_.stream().close();
    changed();
}

asio::awaitable<void> run::pump(std::shared_ptr<run> self, time_point deadline) {
    if (auto begun = co_await self->begin(deadline); !begun) {
        self->refused_ = begun.error();
    } else {
        self->phase_ = phase::running;
        self->with_.tell(self);
        self->changed();
        const auto ended = co_await self->read_messages();
        self->lost_ = !ended;
    }
    self->phase_ = phase::over;
    self->with_.tell(self);
    self->with_.tell = nullptr;
    self->server_ = {};
    self->changed();
}

task<void> run::begin(time_point deadline) {
    server_ = std::move(with_.connected);
    if (!server_.stream().is_open()) {
        auto connected =
            co_await client::bento_connection::connect(with_.server, std::min(deadline, clock::now() + connect_limit));
        if (!connected) co_return connected.error();
        server_ = std::move(*connected);
    }
    if (stopped_) co_return net::errc::closed;
    server_.expires_at(deadline);
    asked_ = true;
    const auto id = co_await server_.execute(with_.call, with_.token);
    if (!id) {
        asked_ = id.error().code != client::errc::unknown_token && id.error().code != client::errc::refused;
        co_return id.error();
    }
    if (auto opened = co_await server_.open(*id); !opened) co_return opened.error();
    server_.expires_at(time_point::max());
    id_ = *id;
    co_return result<void>{};
}

void run::push(bool is_failure, std::uint64_t size, std::string bytes, bool last) {
    const bool first = !std::exchange(within_message_, !last);
    if (first) ++messages_;
    kept_ += bytes.size() + sizeof(piece);
    log_.push_back({messages_, size, is_failure, first, last, std::move(bytes)});
    account();
    changed();
}

/// Makes room: what is delivered goes first. A message larger than the log goes while it is read: it cannot be read
/// again then.
void run::trim() {
    const auto end = reader_ == nullptr ? delivered_ : reader_->hold_ ? reader_->from_ : reader_->at_;
    while (kept_ >= limit_ && !log_.empty() && base_ < end) {
        kept_ -= log_.front().bytes.size() + sizeof(piece);
        log_.pop_front();
        ++base_;
    }
    account();
}

bool run::full() const {
    if (kept_ < limit_) return false;
    return !with_.ahead || drawn_ >= reserve::each_limit || with_.ahead->used >= reserve::limit;
}

void run::account() {
    if (!with_.ahead) return;
    with_.ahead->used -= drawn_;
    drawn_ = kept_ > kept_limit ? kept_ - kept_limit : 0;
    with_.ahead->used += drawn_;
}

/// Returns when the function has ended; an error where the server has gone.
task<void> run::read_messages() {
    std::string part;
    std::uint64_t size = 0, seen = 0;
    for (;;) {
        for (trim(); full() && !stopped_; trim())
            co_await wake_.wait();
        auto event = co_await server_.next();
        if (!event) co_return event.error();
        if (const auto* begin = std::get_if<wire_client::output_begin>(&*event)) {
            size = begin->size;
            seen = 0;
            part.clear();
        } else if (const auto* data = std::get_if<wire_client::output_data>(&*event)) {
            seen += data->data.size();
            auto rest = data->data;
            while (!rest.empty()) {
                if (part.size() == piece_size) push(false, size, std::exchange(part, {}), false);
                if (part.empty()) part.reserve(std::min<std::uint64_t>(piece_size, size - seen + rest.size()));
                const auto fits = rest.substr(0, piece_size - part.size());
                part += fits;
                rest.remove_prefix(fits.size());
            }
        } else if (std::holds_alternative<wire_client::output_end>(*event)) {
            push(false, size, std::exchange(part, {}), true);
        } else if (auto* failed = std::get_if<wire_client::function_error>(&*event)) {
            failure_ = failed->text;
            const auto length = failed->text.size();
            push(true, length, std::move(failed->text), true);
        } else if (std::holds_alternative<wire_client::invalid_message>(*event)) {
            input_refused_ = true;
            changed();
        } else {
            co_return result<void>{};  // dead, or dead before it could be opened
        }
    }
}

bool run::input(std::string data) {
    if (over()) return false;
    input_bytes_ += data.size();
    inputs_.push_back(std::move(data));
    if (!std::exchange(writes_inputs_, true))
        asio::co_spawn(executor_, write_inputs(shared_from_this()), asio::detached);
    return true;
}

asio::awaitable<void> run::write_inputs(std::shared_ptr<run> self) {
    while (!self->inputs_.empty() && self->phase_ == phase::running) {
        const auto data = std::move(self->inputs_.front());
        self->inputs_.pop_front();
        // A failure is the end of the connection, which pump() sees and tells.
        if (!co_await self->server_.input(*self->id_, data)) break;
        self->input_bytes_ -= data.size();
        self->changed();
    }
    self->writes_inputs_ = false;
}

std::optional<std::uint64_t> run::place_after(std::optional<std::uint64_t> messages) const {
    const auto end = base_ + log_.size();
    if (!messages) return delivered_ >= base_ ? std::optional{delivered_} : std::nullopt;
    if (*messages > messages_) return {};
    if (*messages == messages_) return end;
    const auto found =
        std::partition_point(log_.begin(), log_.end(), [&](const piece& p) { return p.message <= *messages; });
    if (found == log_.end() || found->message != *messages + 1 || !found->first) return {};
    return base_ + static_cast<std::uint64_t>(found - log_.begin());
}

reader::reader(std::shared_ptr<run> of, std::uint64_t place, std::optional<hold> h)
    : of_{std::move(of)}, hold_{h}, from_{place}, at_{place}, wake_{of_->executor_} {
    auto& r = *of_;
    if (r.reader_ != nullptr) r.reader_->wake_.notify_all();
    r.reader_ = this;
    r.delivered_ = std::max(r.delivered_, place);
    if (hold_) r.limit_ = std::max(r.limit_, hold_->limit);
    r.watch(&wake_);
    r.wake_.notify_all();
}

reader::~reader() {
    of_->unwatch(&wake_);
    of_->use();
    if (of_->reader_ != this) return;
    of_->reader_ = nullptr;
    of_->limit_ = run::kept_limit;
    of_->wake_.notify_all();
}

std::uint64_t reader::messages_before() const {
    const auto& r = *of_;
    if (at_ < r.base_ || at_ - r.base_ >= r.log_.size()) return r.messages_;
    return r.log_[static_cast<std::size_t>(at_ - r.base_)].message - 1;
}

void reader::advance() {
    if (!std::exchange(given_, false)) return;
    const bool ended = of_->log_[static_cast<std::size_t>(at_ - of_->base_)].last;
    ++at_;
    if (ended && !hold_) of_->delivered_ = std::max(of_->delivered_, at_);
    of_->wake_.notify_all();
}

void reader::commit() {
    if (of_->reader_ != this) return;
    advance();
    of_->delivered_ = std::max(of_->delivered_, at_);
}

std::optional<reader::item> reader::try_next() {
    if (of_->reader_ != this) return item{item::kind::taken_over};
    advance();
    auto& r = *of_;
    const auto index = static_cast<std::size_t>(at_ - r.base_);
    if (index >= r.log_.size()) {
        if (r.over()) return item{item::kind::over};
        return {};
    }
    given_ = true;
    const auto& p = r.log_[index];
    return item{p.is_failure ? item::kind::failure : item::kind::output, p.bytes, p.size, p.first, p.last};
}

asio::awaitable<std::optional<reader::item>> reader::next(time_point deadline) {
    for (;;) {
        auto out = try_next();
        if (out) co_return out;
        if (!co_await wake_.wait(deadline)) co_return std::nullopt;
    }
}

}  // namespace bento::gateway
