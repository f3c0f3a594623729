#include <fmt/format.h>

#include <bento/tor/bootstrap.hpp>

namespace bento::tor {

task<void> wait_for_bootstrap(controller control, bootstrap_progress tell, time_point deadline) {
    // Subscribed first, asked second: whatever happens between the two arrives as an event.
    std::vector<std::string> names{"STATUS_CLIENT"};
    auto events = co_await control.subscribe(std::move(names), deadline);
    if (!events) co_return events.error();
    control::get_info ask;
    ask.keys.emplace_back("status/bootstrap-phase");
    auto answer = co_await control.execute(std::move(ask), deadline);
    if (!answer) co_return answer.error();
    auto phase = control::parse_bootstrap_phase(answer->at("status/bootstrap-phase"));
    for (;;) {
        if (phase && tell) tell(phase->progress, phase->summary);
        if (phase && phase->progress >= 100) co_return result<void>{};
        auto next = co_await events->next(deadline);
        if (!next && next.error().code == net::errc::timed_out)
            co_return error{errc::not_bootstrapped, phase ? fmt::format("at {}%", phase->progress) : std::string{},
                            phase ? phase->summary : std::string{}};
        if (!next) co_return next.error();
        if (const auto* event = std::get_if<control::event>(&*next))
            if (const auto* status = std::get_if<control::status_event>(event))
                if (auto moved = control::bootstrap_phase_of(*status)) phase = std::move(moved);
    }
}

}  // namespace bento::tor
