// bentoctl status: what the daemon of this state directory is doing.
#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include "host_client.hpp"
#include "options.hpp"
#include "records.hpp"
#include "run.hpp"
#include "terminal.hpp"

namespace bento::cli {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds watch_interval{2};

std::string duration_of(std::int64_t seconds) {
    return age_since(std::chrono::system_clock::now() - std::chrono::seconds{seconds});
}

void print(const terminal& out, const json::object& s) {
    for (const auto& v : s.at("onions").as_array()) {
        const auto& o = v.as_object();
        // An address is for who sits here; a log that is kept must not tell it.
        const auto address = out.stdout_is_terminal() ? text_member(o, "onion") : "(hidden; --json tells it)";
        std::string left;
        if (const auto* n = o.if_contains("seconds_left"); n != nullptr && n->is_int64())
            left = ", ends in " + duration_of(n->get_int64());
        const auto age = o.at("age_seconds").is_int64() ? duration_of(o.at("age_seconds").get_int64()) : "?";
        out.line(fmt::format("onion        {}  {}, {} of {} descriptors, key {} old{}", address,
                             text_member(o, "state"), o.at("uploads").to_number<std::uint64_t>(),
                             o.at("expected").to_number<std::uint64_t>(), age, left));
    }
    if (const auto* next = s.if_contains("next_rotation"); next != nullptr && next->is_int64()) {
        const auto then = std::chrono::sys_seconds{std::chrono::seconds{next->get_int64()}};
        const auto left = std::chrono::floor<std::chrono::seconds>(then - std::chrono::system_clock::now());
        out.line("next key     in " + duration_of(std::max<std::int64_t>(left.count(), 0)));
    }
    const auto functions = s.at("functions").to_number<std::uint64_t>();
    std::string running;
    if (!s.at("running").is_null()) running = fmt::format(", {} running", s.at("running").to_number<std::uint64_t>());
    out.line(fmt::format("functions    {} stored, {} bytes{}", functions, s.at("bytes").to_number<std::uint64_t>(),
                         running));
    out.line(fmt::format("registered   {}", s.at("registrations").to_number<std::uint64_t>()));
    for (const auto& v : s.at("directories").as_array()) {
        const auto& o = v.as_object();
        auto line = fmt::format("directory    {}  {} registered", text_member(o, "directory"),
                                o.at("registered").to_number<std::uint64_t>());
        if (const auto n = o.at("lacking").to_number<std::uint64_t>()) line += fmt::format(", {} to come", n);
        if (const auto n = o.at("refused").to_number<std::uint64_t>()) line += fmt::format(", {} refused", n);
        if (o.at("error").is_string()) line += ": " + text_member(o, "error");
        out.line(line);
    }
    for (const auto& v : s.at("degraded").as_array())
        out.line("degraded     " + json::value_to<std::string>(v));
}

task<int> status(const globals& g, bool watch) {
    const terminal out{g};
    for (;;) {
        const auto answer = co_await ask_host(g, "status", {});
        if (!answer) co_return answer.error();
        if (watch && out.stdout_is_terminal()) out.data("\033[H\033[2J");
        if (g.json)
            out.line(json::serialize(*answer));
        else
            print(out, *answer);
        if (!watch) co_return 0;
        asio::steady_timer next{co_await asio::this_coro::executor, watch_interval};
        co_await next.async_wait(asio::use_awaitable);
    }
}

}  // namespace

runner declare_status(CLI::App& options) {
    auto watch = std::make_shared<bool>(false);
    options.add_flag("-w,--watch", *watch, "again every two seconds, until interrupted");
    return [watch](const globals& g) { return run([&] { return status(g, *watch); }); };
}

}  // namespace bento::cli
