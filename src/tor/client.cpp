#include <fmt/format.h>

#include <bento/tor/client.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

namespace bento::tor {
namespace {

constexpr std::chrono::seconds probe_limit{5};

time_point no_later_than(time_point deadline, std::chrono::seconds limit) {
    return std::min(deadline, clock::now() + limit);
}

bool nobody_there(const error& e) {
    return e.code == net::errc::refused || (e.code == net::errc::unreachable && e.peer == "No such file or directory");
}

/// The first SOCKS port that tor listens on.
task<endpoint> ask_for_socks(controller control, time_point deadline) {
    control::get_info ask;
    ask.keys.emplace_back("net/listeners/socks");
    auto answer = co_await control.execute(std::move(ask), deadline);
    if (!answer) co_return answer.error();
    const auto listeners = control::parse_listeners(answer->at("net/listeners/socks"));
    if (!listeners || listeners->empty()) co_return error{errc::not_found, "tor has no SOCKS port"};
    co_return endpoint::parse(listeners->front());
}

}  // namespace

const std::vector<endpoint>& client::usual_controls() {
    static const std::vector<endpoint> out{endpoint::unix_socket("/run/tor/control"), endpoint::tcp("127.0.0.1", 9051)};
    return out;
}
const std::vector<endpoint>& client::usual_socks() {
    static const std::vector<endpoint> out{endpoint::unix_socket("/run/tor/socks"), endpoint::tcp("127.0.0.1", 9050),
                                           endpoint::tcp("127.0.0.1", 9150)};
    return out;
}

std::optional<std::filesystem::path> client::control_socket() const {
    const auto& at = options_.control ? options_.control : chosen_control_;
    if (own_is_chosen_ || !at || !at->is_unix()) return {};
    return at->path;
}

client::~client() { own_control_.close(); }

task<controller> client::find(time_point deadline) {
    const auto candidates = options_.control  ? std::vector{*options_.control}
                            : chosen_control_ ? std::vector{*chosen_control_}
                                              : usual_controls();
    for (const auto& at : candidates) {
        auto connected = co_await controller::connect(at, options_.with, deadline);
        if (connected) {
            chosen_control_ = at;
            co_return std::move(*connected);
        }
        if (candidates.size() == 1 || !nobody_there(connected.error())) co_return connected.error();
    }
    co_return errc::not_found;
}

task<controller> client::dial(time_point deadline) {
    if (own_is_chosen_ || options_.own == launch::always) co_return co_await start_own(deadline);
    auto connected = co_await find(deadline);
    if (connected || options_.control || options_.own == launch::never || chosen_control_ ||
        connected.error().code != errc::not_found) {
        if (!connected) co_return connected.error();
        auto up = co_await wait_for_bootstrap(*connected, tell_, deadline);
        if (!up) co_return up.error();
        co_return std::move(*connected);
    }
    co_return co_await start_own(deadline);
}

task<controller> client::start_own(time_point deadline) {
    own_is_chosen_ = true;
    const auto executor = co_await asio::this_coro::executor;
    own_control_.close();
    own_.reset();
    std::error_code failed;
    std::filesystem::create_directories(options_.directory, failed);
    if (!failed) std::filesystem::permissions(options_.directory, std::filesystem::perms::owner_all, failed);
    if (failed) co_return error{errc::start_failed, options_.directory.string(), failed.message()};
    const auto folder = std::filesystem::absolute(options_.directory).string();
    const auto torrc = fmt::format(
        "DataDirectory \"{0}\"\nSocksPort unix:\"{0}/socks\" ExtendedErrors\nLog notice stdout\nAvoidDiskWrites 1\n"
        "ClientOnly 1\n{1}\n",
        folder, options_.torrc);
    auto started = process::launch(executor, {options_.program, torrc});
    if (!started) co_return started.error();
    own_.emplace(std::move(*started));
    own_control_ = controller::attach(own_->take_control());
    auto up = co_await wait_for_bootstrap(own_control_, tell_, deadline);
    if (up) co_return own_control_;
    if (up.error().code != control::errc::disconnected) co_return up.error();
    const auto ended = co_await own_->wait(deadline);
    co_return error{errc::start_failed, ended ? ended->str() : std::string{"no exit status"}, own_->complaint()};
}

task<endpoint> client::socks(time_point deadline) {
    if (options_.socks) co_return *options_.socks;
    if (own_is_chosen_ && own_control_.connected()) co_return co_await ask_for_socks(own_control_, deadline);
    if (options_.control || chosen_control_) {
        auto connected = co_await find(no_later_than(deadline, probe_limit));
        if (!connected) co_return connected.error();
        co_return co_await ask_for_socks(*connected, deadline);
    }
    if (options_.own != launch::always)
        for (const auto& at : usual_socks())
            if (co_await net::stream::connect(at, no_later_than(deadline, probe_limit))) co_return at;
    if (options_.own == launch::never) co_return errc::not_found;
    auto own = co_await start_own(deadline);
    if (!own) co_return own.error();
    co_return co_await ask_for_socks(*own, deadline);
}

}  // namespace bento::tor
