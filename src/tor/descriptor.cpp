#include <bento/tor/descriptor.hpp>

namespace bento::tor {
namespace {

/// When one HSDir has said no, tor asks the next one at once, or never.
constexpr std::chrono::milliseconds next_request_limit{500};

}  // namespace

task<fetched_descriptor> fetch_descriptor(controller control, onion::address of, std::vector<std::string> hs_dirs,
                                          time_point deadline) {
    std::vector<std::string> names{"HS_DESC", "HS_DESC_CONTENT"};
    auto events = co_await control.subscribe(std::move(names), deadline);
    if (!events) co_return events.error();
    const auto named = hs_dirs.size();
    control::hs_fetch ask;
    ask.service_id = of.service_id();
    ask.servers = std::move(hs_dirs);
    const auto asked = co_await control.execute(std::move(ask), deadline);
    if (!asked) co_return asked.error();
    std::size_t requested = 0, failed = 0;
    std::string reason;
    for (;;) {
        const bool all_said_no = failed > 0 && failed >= std::max(requested, named);
        auto next =
            co_await events->next(all_said_no ? std::min(deadline, clock::now() + next_request_limit) : deadline);
        if (!next && next.error().code == net::errc::timed_out && failed > 0)
            co_return error{errc::no_descriptor, {}, reason};
        if (!next) co_return next.error();
        const auto* event = std::get_if<control::event>(&*next);
        if (event == nullptr) continue;
        if (const auto* content = std::get_if<control::hs_desc_content>(event))
            if (content->address == of.service_id() && content->descriptor.size() > 1)
                co_return fetched_descriptor{content->hs_dir, content->descriptor_id, content->descriptor};
        const auto* step = std::get_if<control::hs_desc>(event);
        if (step == nullptr || step->address != of.service_id()) continue;
        if (step->action == control::hs_desc_action::requested) ++requested;
        if (step->action != control::hs_desc_action::failed || step->reason.starts_with("UPLOAD")) continue;
        ++failed;
        reason = step->reason;
    }
}

}  // namespace bento::tor
