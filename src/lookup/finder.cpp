#include <bento/lookup/finder.hpp>
#include <bento/net/condition.hpp>
#include <bento/net/errc.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "known.hpp"

namespace bento::lookup {
namespace {

/// Between attempts at a directory.
constexpr std::chrono::milliseconds pause{500};

/// The questions to all directories, while they are out.
struct questions {
    explicit questions(asio::any_io_executor e) : executor{std::move(e)}, answered{executor} {}

    asio::any_io_executor executor;
    net::condition answered;
    std::vector<entry::answer> answers;
    std::list<asio::cancellation_signal> cancel;
    std::size_t out = 0;

    bool has_entry() const {
        return std::any_of(answers.begin(), answers.end(),
                           [](const entry::answer& a) { return std::holds_alternative<entry::entry>(a.says); });
    }
};

/// Asks one directory, again where the road to it does not hold.
asio::awaitable<entry::answer> question(address where, finder::options o, uuid4 token, time_point deadline) {
    for (;;) {
        directory at{where, o.road_to(where)};
        const auto until = std::min(deadline, clock::now() + o.attempt);
        auto answer = co_await at.find(token, until);
        const auto* failed = std::get_if<error>(&answer.says);
        const bool road_failed =
            failed != nullptr && failed->code.category() == make_error_code(net::errc::closed).category();
        const auto again = clock::now() + pause;
        if (!road_failed || again >= deadline) co_return answer;
        asio::steady_timer later{co_await asio::this_coro::executor, again};
        co_await later.async_wait(asio::use_awaitable);
    }
}

void put(const std::shared_ptr<questions>& q, const address& where, const finder::options& o, const uuid4& token,
         time_point deadline) {
    auto& cancel = q->cancel.emplace_back();
    ++q->out;
    asio::co_spawn(
        q->executor, question(where, o, token, deadline),
        asio::bind_cancellation_slot(cancel.slot(), [q, name = where.str()](std::exception_ptr e, entry::answer a) {
            --q->out;
            if (e) a = {name, error{net::errc::timed_out}};
            q->answers.push_back(std::move(a));
            q->answered.notify_all();
        }));
}

/// Who stops waiting ends what is out.
struct end_of_questions {
    explicit end_of_questions(std::shared_ptr<questions> q) : about{std::move(q)} {}
    end_of_questions(const end_of_questions&) = delete;
    end_of_questions& operator=(const end_of_questions&) = delete;
    ~end_of_questions() {
        for (auto& c : about->cancel)
            c.emit(asio::cancellation_type::terminal);
    }
    std::shared_ptr<questions> about;
};

entry::day day_of(std::chrono::system_clock::time_point t) { return std::chrono::floor<std::chrono::days>(t); }

}  // namespace

task<found> finder::find(entry::share wanted, time_point deadline) {
    auto known = load_known(options_.known, wanted.token);
    if (!known) co_return known.error();
    if (*known && !((*known)->last.signed_by && (*known)->last.signed_by->ask_first)) {
        const auto now = options_.now();
        const auto age = now - (*known)->asked;
        // A clock that was set back makes it look young: then it is not believed either.
        if (age >= std::chrono::seconds{0} && age < options_.max_stale) {
            const std::vector<entry::answer> kept{{"", (*known)->last}};
            auto chosen = entry::choose(wanted, (*known)->pin, kept, day_of(now));
            if (chosen) co_return found{std::move(chosen->chosen), chosen->change, {}, true};
        }
    }
    co_return co_await ask(std::move(wanted), deadline);
}

task<found> finder::ask(entry::share wanted, time_point deadline) {
    if (options_.directories.empty()) co_return errc::none_configured;
    auto known = load_known(options_.known, wanted.token);
    if (!known) co_return known.error();

    const auto executor = co_await asio::this_coro::executor;
    const auto q = std::make_shared<questions>(executor);
    {
        const end_of_questions at_the_end{q};
        for (const auto& where : options_.directories)
            put(q, where, options_, wanted.token, deadline);
        auto until = deadline;
        while (q->out > 0) {
            if (until == deadline && q->has_entry()) until = std::min(deadline, clock::now() + options_.stragglers);
            const bool more = co_await q->answered.wait(until);
            if (!more) break;
        }
    }
    auto answers = q->answers;
    for (const auto& where : options_.directories) {
        const auto name = where.str();
        const bool has =
            std::any_of(answers.begin(), answers.end(), [&](const entry::answer& a) { return a.directory == name; });
        if (!has) answers.push_back({name, error{net::errc::timed_out}});
    }

    const auto pin = *known ? std::optional{(*known)->pin} : std::nullopt;
    const auto now = options_.now();
    auto chosen = entry::choose(wanted, pin, answers, day_of(now));
    if (!chosen) co_return chosen.error();
    auto last = chosen->chosen;
    last.code.reset();
    const known_entry fresh{chosen->remember, std::move(last), std::chrono::floor<std::chrono::seconds>(now)};
    if (auto kept = save_known(options_.known, fresh); !kept) co_return kept.error();
    co_return found{std::move(chosen->chosen), chosen->change, std::move(chosen->warnings), false};
}

}  // namespace bento::lookup
