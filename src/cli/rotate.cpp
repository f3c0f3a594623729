// bentoctl rotate: a new onion in the place of the old one, at a terminal and from cron.
#include <fmt/format.h>

#include <bento/base/units.hpp>
#include <bento/host/rotation.hpp>
#include <boost/json.hpp>

#include "host_client.hpp"
#include "options.hpp"
#include "records.hpp"
#include "run.hpp"
#include "terminal.hpp"

namespace bento::cli {

namespace json = boost::json;

namespace {

struct rotate_options {
    std::chrono::milliseconds if_older{};
    std::chrono::milliseconds grace{};
    bool has_if_older = false;
    bool has_grace = false;
    bool dry_run = false;
    bool compromised = false;
};

std::uint64_t number_member(const json::object& o, std::string_view name) {
    const auto* v = o.if_contains(name);
    boost::system::error_code failed;
    return v != nullptr ? v->to_number<std::uint64_t>(failed) : 0;
}
const json::object* object_member(const json::object& o, std::string_view name) {
    const auto* v = o.if_contains(name);
    return v != nullptr ? v->if_object() : nullptr;
}

void print_steps(terminal& out, const globals& g, const json::object& plan) {
    if (g.json) {
        out.line(json::serialize(plan));
        return;
    }
    for (const auto& step : plan.at("steps").as_array())
        out.line(json::value_to<std::string>(step));
}

/// A bar over the steps, and over the uploads of the longest.
void show(terminal& out, const json::object& progress) {
    const auto step = text_member(progress, "step");
    const auto confirmed = number_member(progress, "confirmed"), expected = number_member(progress, "expected");
    if (step == "mint" || step == "write_key" || step == "add") out.progress("making a key", 5);
    if (step == "publish")
        out.progress("uploading its descriptors to HSDirs",
                     10 + static_cast<unsigned>(expected > 0 ? 50 * confirmed / expected : 0));
    if (step == "probe") out.progress("reaching the new onion through Tor", 65);
    if (step == "reregister") out.progress("telling the directories", 75);
    if (step == "verify") out.progress("looking up what they show", 90);
    if (step == "promote") out.progress("the new onion is the one to tell of", 100);
}

std::string joined(const json::array& names) {
    std::string out;
    for (const auto& name : names)
        out += (out.empty() ? "" : ", ") + json::value_to<std::string>(name);
    return out;
}

result<int> finish(terminal& out, const globals& g, const rotate_options& o, const json::object& outcome) {
    const auto& behind = outcome.at("behind").as_array();
    const auto tokens = number_member(outcome, "tokens");
    if (g.json) {
        json::object done{
            {"old", outcome.at("old")}, {"new", outcome.at("new")}, {"tokens", tokens}, {"completed", behind.empty()}};
        out.line(json::serialize(done));
    } else if (out.stdout_is_terminal()) {
        out.line(text_member(outcome, "new"));
    }
    if (!behind.empty()) {
        const bool is_one = behind.size() == 1;
        const auto meanwhile = o.compromised
                                   ? std::string{"who asks there is sent to the old one"}
                                   : fmt::format("the old one answers until {}", is_one ? "it does" : "they do");
        return error{host::errc::unfinished,
                     fmt::format("the new onion is published, and {} {} not know of it yet ({}); {}", joined(behind),
                                 is_one ? "does" : "do", text_member(outcome, "sentence"), meanwhile)};
    }
    out.say(fmt::format("{} {} to the new onion", tokens, tokens == 1 ? "token leads" : "tokens lead"));
    return 0;
}

/// Until it ends, or the time is over; the server goes on with it in any case.
task<int> follow(const globals& g, terminal& out, const rotate_options& o, json::object progress, time_point deadline) {
    std::string told;
    for (;;) {
        if (const auto* outcome = object_member(progress, "outcome")) {
            out.progress_done();
            co_return finish(out, g, o, *outcome);
        }
        show(out, progress);
        if (const auto* trouble = object_member(progress, "trouble")) {
            const auto sentence = text_member(*trouble, "sentence");
            if (sentence != told)
                out.warn(fmt::format("{}; trying again in {} s", sentence, number_member(*trouble, "again_seconds")));
            told = sentence;
        }
        host::daemon_client daemon{g.state_directory};
        json::object known{{"version", number_member(progress, "version")}};
        auto next = co_await daemon.ask("rotation", std::move(known), deadline);
        if (next) {
            progress = std::move(*next);
            continue;
        }
        out.progress_done();
        if (clock::now() < deadline)
            co_return error{host::errc::unfinished, "the server has ended, and goes on as it starts again"};
        if (told.empty()) told = "no answer within " + format_duration(g.timeout);
        co_return error{host::errc::unfinished, told + "; the old onion answers, and the server goes on"};
    }
}

/// Where no server runs.
result<int> leave(terminal& out, const globals& g, const rotate_options& o, const rotation::request& what) {
    auto s = load_settings(g);
    if (!s) return s.error();
    const auto policy = host::rotation_policy(*s);
    const auto journal = host::read_rotation(g.state_directory, policy);
    if (!journal) return journal.error();
    if (o.has_if_older && !rotation::goes_on(*journal)) {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        if (rotation::age(*journal, now) < o.if_older) return 0;
    }
    if (o.dry_run) {
        json::object plan{{"old", journal->current.host()}};
        auto& steps = plan["steps"].emplace_array();
        steps.emplace_back("wait for bentoctl serve, which does not run");
        for (const auto& step : host::rotation_steps(*journal, what, policy, {}, s->bfd.onions.size()))
            steps.emplace_back(step);
        print_steps(out, g, plan);
        return 0;
    }
    if (auto left = host::leave_request(g.state_directory, what, policy); !left) return left.error();
    return error{host::errc::unfinished, "bentoctl serve does not run; it begins with it as it starts"};
}

task<int> rotate(const globals& g, const rotate_options& o) {
    terminal out{g};
    const auto deadline = clock::now() + g.timeout;
    json::object with{{"compromised", o.compromised}, {"dry_run", o.dry_run}};
    if (o.has_grace) with["grace"] = format_duration(o.grace);
    if (o.has_if_older) with["if_older"] = format_duration(o.if_older);
    auto answer = co_await ask_host(g, "rotate", std::move(with));
    if (!answer && answer.error().code == host::errc::not_running) {
        rotation::request what{.compromised = o.compromised};
        if (o.has_grace) what.grace = o.grace;
        co_return leave(out, g, o, what);
    }
    if (!answer) co_return answer.error();
    if (answer->contains("due")) co_return 0;
    if (answer->contains("steps")) {
        print_steps(out, g, *answer);
        co_return 0;
    }
    co_return co_await follow(g, out, o, std::move(*answer), deadline);
}

}  // namespace

runner declare_rotate(CLI::App& options) {
    auto o = std::make_shared<rotate_options>();
    auto* if_older =
        add_duration(options, "--if-older", o->if_older, "only a key that is so old; otherwise do nothing");
    auto* grace = add_duration(options, "--grace", o->grace, "how long the old onion answers beside the new one");
    options.add_flag("--dry-run", o->dry_run, "tell the steps, do none");
    options.add_flag("--compromised", o->compromised, "the key is in other hands: end the old onion at once")
        ->excludes(if_older)
        ->excludes(grace);
    return [o, if_older, grace](const globals& g) {
        o->has_if_older = if_older->count() > 0;
        o->has_grace = grace->count() > 0;
        return run([&] { return rotate(g, *o); });
    };
}

}  // namespace bento::cli
