#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "house.hpp"

namespace bento::box {
namespace {

/// How often what runs is looked after.
constexpr std::chrono::seconds sweep_period{1};
/// The pool is filled again after a function has had this long to give its first output.
constexpr std::chrono::milliseconds fill_delay{5};

}  // namespace

house::house(asio::any_io_executor executor, launcher l, function_store s)
    : store{std::move(s)}, launch{std::move(l)}, executor_{executor}, wake_{executor} {}

void house::start() {
    asio::co_spawn(executor_, look_after(shared_from_this()), asio::detached);
    wake_.notify_all();
}

void house::stop() {
    stopped_ = true;
    for (const auto& [id, r] : runs_)
        r.function->kill("the server stops");
    for (const auto& w : warm_)
        w->kill("the server stops");
    if (warming_) warming_->kill("the server stops");
    runs_.clear();
    warm_.clear();
    wake_.notify_all();
}

result<std::shared_ptr<instance>> house::a_sandbox() {
    while (!warm_.empty()) {
        auto out = std::move(warm_.front());
        warm_.pop_front();
        if (!out->ended()) return out;
    }
    return instance::prepare(executor_, launch);
}

result<std::shared_ptr<instance>> house::execute(const uuid4& token, std::string call) {
    auto function = store.find(token);
    if (!function) return function.error();
    if (running() >= launch.options.instances) {
        sweep();
        if (running() >= launch.options.instances) return errc::too_many;
    }
    auto sandbox = a_sandbox();
    if (!sandbox) return sandbox.error();
    const auto id = uuid4::generate();
    (*sandbox)->begin(id, std::move(function->code), std::move(call));
    runs_.emplace(id, record{*sandbox, token, clock::now()});
    wake_.notify_all();
    return sandbox;
}

std::shared_ptr<instance> house::find(const uuid4& id) const {
    const auto found = runs_.find(id);
    return found == runs_.end() ? nullptr : found->second.function;
}

void house::settle(const uuid4& id) {
    const auto found = runs_.find(id);
    if (found != runs_.end() && found->second.function->exhausted() && !found->second.function->attended()) bury(found);
}

void house::bury(std::map<uuid4, record>::iterator at) {
    dead_.insert(at->first);
    dead_order_.push_back(at->first);
    runs_.erase(at);
    while (dead_order_.size() > remembered_limit) {
        dead_.erase(dead_order_.front());
        dead_order_.pop_front();
    }
}

std::size_t house::running() const {
    return static_cast<std::size_t>(
        std::count_if(runs_.begin(), runs_.end(), [](const auto& r) { return !r.second.function->ended(); }));
}

std::vector<run> house::runs() const {
    std::vector<run> out;
    const auto now = clock::now();
    for (const auto& [id, r] : runs_) {
        const auto& f = *r.function;
        if (!f.exhausted()) out.push_back({id, r.token, now - r.started, f.ended(), f.attended(), f.unread()});
    }
    std::sort(out.begin(), out.end(), [](const run& a, const run& b) { return a.age > b.age; });
    return out;
}

result<void> house::kill(const uuid4& id) {
    const auto found = runs_.find(id);
    if (found == runs_.end()) return errc::unknown_run;
    found->second.function->kill("the function was ended");
    runs_.erase(found);
    return {};
}

void house::kill_all_of(const uuid4& token) {
    std::erase_if(runs_, [&](const auto& r) {
        if (r.second.token != token) return false;
        r.second.function->kill("the function was deleted");
        return true;
    });
}

void house::sweep() {
    const auto now = clock::now();
    const auto& limits = launch.options;
    std::size_t kept = 0;
    std::vector<std::pair<time_point, uuid4>> left;
    for (auto at = runs_.begin(); at != runs_.end();) {
        const auto here = at++;
        auto& f = *here->second.function;
        if (!f.ended()) {
            if (f.cpu() > limits.each.cpu) f.kill("the function used more processor time than it may");
            if (!f.attended() && now - f.attended_at() > limits.ttl) f.kill("nobody has read from the function");
        } else if (!f.attended()) {
            if (f.exhausted() || now - std::max(f.attended_at(), f.ended_at()) > limits.ttl) {
                bury(here);
            } else {
                kept += f.unread();
                left.emplace_back(f.ended_at(), here->first);
            }
        }
    }
    std::sort(left.begin(), left.end());
    for (const auto& [when, id] : left) {
        if (kept <= kept_limit) break;
        const auto found = runs_.find(id);
        kept -= found->second.function->unread();
        bury(found);
    }
}

asio::awaitable<void> house::look_after(std::shared_ptr<house> self) {
    auto next_sweep = time_point::max();
    while (!self->stopped_) {
        if (!self->filling_ && self->warm_.size() < self->launch.options.warm) {
            self->filling_ = true;
            asio::co_spawn(self->executor_, fill(self), asio::detached);
        }
        const auto now = clock::now();
        if (now >= next_sweep) self->sweep();
        if (self->runs_.empty())
            next_sweep = time_point::max();
        else if (next_sweep == time_point::max() || now >= next_sweep)
            next_sweep = now + sweep_period;
        co_await self->wake_.wait(next_sweep);
    }
}

/// One after the other, so that a burst of calls finds the processors free.
asio::awaitable<void> house::fill(std::shared_ptr<house> self) {
    net::condition changed{self->executor_};
    while (!self->stopped_ && self->warm_.size() < self->launch.options.warm) {
        co_await changed.wait(clock::now() + fill_delay);
        auto sandbox = instance::prepare(self->executor_, self->launch);
        if (!sandbox) break;  // the next call says why
        self->warming_ = *sandbox;
        (*sandbox)->join(&changed);
        while (!(*sandbox)->ready() && !(*sandbox)->ended())
            co_await changed.wait();
        (*sandbox)->leave(&changed);
        self->warming_.reset();
        if ((*sandbox)->ended()) break;
        if (self->stopped_)
            (*sandbox)->kill("the server stops");
        else
            self->warm_.push_back(std::move(*sandbox));
    }
    self->filling_ = false;
}

}  // namespace bento::box
