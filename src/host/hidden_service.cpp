#include "hidden_service.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace bento::host {
namespace {

using namespace asio::experimental::awaitable_operators;

/// After this a publication that is not complete is told, and waited for all the same.
constexpr std::chrono::minutes publication_limit{1};
/// Once one HSDir has a descriptor, the others follow within seconds or not soon.
constexpr std::chrono::seconds completion_limit{20};

/// tor's ADD_ONION reads no quoting: some paths cannot be told to it.
bool can_be_target(const endpoint& at) {
    control::add_onion probe;
    probe.ports.push_back({80, at.str()});
    return static_cast<bool>(probe.encode());
}

tor::onion_service onion_service(const config::settings::onion_settings& s, onion::secret_key key, endpoint target) {
    using policy = config::settings::onion_settings::pow_policy;
    tor::onion_service out{std::move(key)};
    out.port = s.port;
    out.target = std::move(target);
    out.max_streams = s.max_streams;
    out.pow = s.pow == policy::require  ? tor::pow_policy::require
              : s.pow == policy::prefer ? tor::pow_policy::prefer
                                        : tor::pow_policy::off;
    out.pow_queue = {s.pow_queue_rate, s.pow_queue_burst};
    out.client_auth = s.client_auth;
    return out;
}

}  // namespace

endpoint listening_endpoint(const std::optional<endpoint>& told, const state_directory& state, std::string_view socket,
                            bool own_tor) {
    if (told) return *told;
    const auto at = state.socket(socket);
    if (own_tor && at && can_be_target(*at)) return *at;
    return endpoint::tcp("127.0.0.1", 0);
}

hidden_service::hidden_service(asio::any_io_executor executor, const tor::client::options& with, const observer& tell)
    : tell_{tell},
      onions_{executor,
              [this](const tor::onion_status& s) {
                  if (tell_.publishing) tell_.publishing(s.descriptors.uploads());
              }},
      tor_{with, tell.bootstrapping},
      came_back_{executor},
      supervisor_{[this](time_point deadline) { return tor_.dial(deadline); },
                  [this](tor::controller control) { return onions_.prepare(std::move(control)); },
                  [this](const tor::supervisor::status& s) { follow(s); }} {
    if (with.control && with.control->is_unix()) supervisor_.watch(with.control->path);
}

void hidden_service::follow(const tor::supervisor::status& s) {
    if (s.is == tor::supervisor::phase::waiting) {
        was_lost_ = true;
        const auto next = std::chrono::ceil<std::chrono::milliseconds>(s.next_attempt - clock::now());
        if (tell_.tor_lost) tell_.tor_lost(s.last_failure.value_or(error{}), next);
    } else if (s.is == tor::supervisor::phase::connected && std::exchange(was_lost_, false)) {
        if (tell_.tor_back) tell_.tor_back();
        came_back_.notify_all();
    }
}

task<void> hidden_service::connect(time_point deadline) { return supervisor_.connect(deadline); }

task<void> hidden_service::add(const config::settings::onion_settings& s, onion::secret_key key, endpoint target) {
    target_ = target;
    auto service = onion_service(s, std::move(key), std::move(target));
    const bool wants_defences = service.pow != tor::pow_policy::off;
    auto added = co_await onions_.add(std::move(service), clock::now() + publication_limit);
    if (!added) co_return added.error();
    address_ = *added;
    const auto* status = onions_.find(*address_);
    if (wants_defences && status->added && !status->defended && tell_.warning)
        tell_.warning("this tor knows no proof-of-work defences (it is older than 0.4.8); going on without");
    co_return result<void>{};
}

asio::awaitable<void> hidden_service::run() { co_await (supervisor_.run() && announce()); }

asio::awaitable<void> hidden_service::announce() {
    for (;;) {
        co_await wait_until_published();
        if (tell_.ready) tell_.ready(address_, target_);
        co_await came_back_.wait();
    }
}

/// Returns when the onion can be reached, and goes on telling while it cannot.
asio::awaitable<void> hidden_service::wait_until_published() {
    using wait = tor::publication::wait;
    for (;;) {
        const auto first = co_await onions_.wait_published(*address_, wait::first, clock::now() + publication_limit);
        if (first) break;
        if (tell_.warning) tell_.warning(first.error().message() + "; still trying");
    }
    // What is missing now is told by status, and uploaded by tor again within minutes.
    co_await onions_.wait_published(*address_, wait::all, clock::now() + completion_limit);
}

}  // namespace bento::host
