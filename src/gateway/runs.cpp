#include "runs.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

namespace bento::gateway {
namespace {

/// How often it is looked for what nobody wants any more, at the least and at the most.
constexpr std::chrono::milliseconds least_pause{50}, most_pause{15'000};

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::unknown_function:
            return "no function with this id runs here";
        case errc::output_gone:
            return "what comes next is not kept any more; name the messages that you have by \"after\"";
        case errc::busy:
            return "as many functions run as may";
        case errc::request_differs:
            return "this request_id was used for another call";
        case errc::code_mismatch:
            return "the code that is stored under this token is another";
        case errc::not_authorised:
            return "not authorised";
        case errc::cannot_end:
            return "the function server cannot end a function: it ends by itself";
        case errc::cannot_delete:
            return "the function server cannot delete a function";
        case errc::cannot_tell:
            return "the function server does not tell what is stored under a token";
        case errc::not_reading:
            return "the function does not read its input";
    }
    return "unknown error";
}

runs::~runs() {
    for (auto& [id, k] : by_id_)
        k.of->stop();
}

void runs::configure(std::shared_ptr<const options> o) {
    if (o->server != options_->server) idle_.clear();
    options_ = std::move(o);
}

/// Empty where none is good any more. One that has waited for long is not trusted: what stands between us and the
/// server may have forgotten it without a word.
client::bento_connection runs::take_idle() {
    while (!idle_.empty()) {
        auto last = std::move(idle_.back());
        idle_.pop_back();
        if (clock::now() - last.since < options_->server_idle &&
            last.to.stream().peek() == net::stream::arrived::nothing)
            return std::move(last.to);
    }
    return {};
}

/// It is idle by the server's own word, which a function can neither say nor add to: who calls next reads nothing that
/// is not the answer.
void runs::keep_idle(client::bento_connection connection) {
    if (idle_.size() < idle_limit && connection.idle()) idle_.push_back({std::move(connection), clock::now()});
}

result<std::optional<runs::begun>> runs::same_request(const call_request& request) const {
    if (!request.request_id) return std::optional<begun>{};
    const auto found = by_request_.find(*request.request_id);
    if (found == by_request_.end()) return std::optional<begun>{};
    const auto& r = found->second.of;
    if (r->token() != *request.token || r->call() != request.call) return errc::request_differs;
    return std::optional{begun{r, true}};
}

task<void> runs::wait_for_turn(time_point deadline) {
    if (live_ >= options_->functions) co_return errc::busy;
    if (starting_ < options_->starting) co_return result<void>{};
    if (waiting_ >= queue_limit) co_return errc::busy;
    struct place {
        explicit place(std::size_t& c) : count{c} { ++count; }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        ~place() { --count; }
        std::size_t& count;
    } const in_queue{waiting_};
    const auto until = std::min(deadline, clock::now() + queue_time);
    while (starting_ >= options_->starting || live_ >= options_->functions)
        if (!co_await turn_->wait(until)) co_return errc::busy;
    co_return result<void>{};
}

task<runs::begun> runs::start(const call_request& request, time_point deadline) {
    const auto self = shared_from_this();
    const auto executor = co_await asio::this_coro::executor;
    if (!turn_) turn_.emplace(executor);
    for (const bool before : {true, false}) {
        auto same = same_request(request);
        if (!same) co_return same.error();
        if (*same) co_return **same;
        if (!before) break;
        if (auto turn = co_await wait_for_turn(deadline); !turn) co_return turn.error();
    }
    ++live_;
    ++starting_;
    auto tell = [weak = weak_from_this(), starts = true,
                 id = request.request_id](const std::shared_ptr<run>& r) mutable {
        const auto here = weak.lock();
        if (!here) return r->stop();
        if (std::exchange(starts, false)) --here->starting_;
        here->changed(r, id);
    };
    run::options with{
        options_->server, *request.token, request.call, take_idle(), options_->reads_ahead ? reserve_ : nullptr,
        std::move(tell)};
    auto of = run::start(executor, std::move(with), deadline);
    if (request.request_id) by_request_.insert_or_assign(*request.request_id, asked{of, clock::now()});
    tidy_later(executor);
    co_return begun{std::move(of)};
}

void runs::changed(const std::shared_ptr<run>& r, const std::optional<uuid4>& request) {
    if (!r->over()) {
        by_id_.emplace(*r->id(), kept{r, request});
    } else {
        --live_;
        if (r->server() == options_->server) keep_idle(r->take_connection());
    }
    // What never ran may be asked for again.
    if (r->never_ran() && request) by_request_.erase(*request);
    if (turn_) turn_->notify_all();
}

result<std::shared_ptr<run>> runs::find(const uuid4& id) const {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return errc::unknown_function;
    return found->second.of;
}

void runs::told(const uuid4& id) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) found->second.told = true;
}

result<void> runs::end(const uuid4& id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return errc::unknown_function;
    if (!found->second.of->over()) {
        if (!options_->end) return errc::cannot_end;
        options_->end(id);
    }
    drop(found);
    return {};
}

void runs::abandon(const uuid4& id) {
    if (end(id)) return;
    if (const auto found = by_id_.find(id); found != by_id_.end()) drop(found);
}

runs::runs_by_id::iterator runs::drop(runs_by_id::iterator i) {
    i->second.of->stop();
    if (i->second.request) by_request_.erase(*i->second.request);
    return by_id_.erase(i);
}

void runs::tidy() {
    const auto now = clock::now();
    std::erase_if(idle_, [&](const auto& c) { return now - c.since >= options_->server_idle; });
    std::erase_if(by_request_, [&](const auto& entry) {
        if (now - entry.second.since <= request_memory) return false;
        if (const auto& id = entry.second.of->id(); id && by_id_.contains(*id)) by_id_.at(*id).request.reset();
        return true;
    });
    std::size_t over = 0, bytes = 0;
    for (auto i = by_id_.begin(); i != by_id_.end();) {
        const auto& [of, request, told] = i->second;
        const auto limit = of->over() || told || request ? clock::duration{options_->ttl}
                                                         : std::min<clock::duration>(options_->ttl, unreachable_limit);
        const bool unwanted = !of->is_read() && now - of->last_used() > limit;
        if (unwanted && !of->over()) {
            if (options_->end) options_->end(i->first);
            of->stop();
        }
        over += of->over() ? 1U : 0U;
        bytes += of->over() ? of->kept() : 0U;
        // What a request began is remembered as long as the request: the same again must not begin another.
        i = unwanted && !request ? drop(i) : std::next(i);
    }
    while (over > remembered_limit || bytes > remembered_bytes) {
        const auto oldest = std::min_element(by_id_.begin(), by_id_.end(), [](const auto& a, const auto& b) {
            const auto age = [](const kept& k) { return std::pair{!k.of->over(), k.of->last_used()}; };
            return age(a.second) < age(b.second);
        });
        --over;
        bytes -= oldest->second.of->kept();
        drop(oldest);
    }
}

void runs::tidy_later(const asio::any_io_executor& executor) {
    if (timer_) return;
    timer_.emplace(executor, std::clamp<clock::duration>(options_->ttl / 4, least_pause, most_pause));
    timer_->async_wait([weak = weak_from_this(), executor](boost::system::error_code code) {
        const auto self = weak.lock();
        if (!self || code) return;
        self->tidy();
        self->timer_.reset();
        if (!self->by_id_.empty() || !self->by_request_.empty() || !self->idle_.empty()) self->tidy_later(executor);
    });
}

}  // namespace bento::gateway
