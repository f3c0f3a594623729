#include "hidden_service.hpp"

#include <bento/web/http_client.hpp>
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
                  if (changed_) changed_(s);
              }},
      tor_{with, tell.bootstrapping},
      news_{executor},
      supervisor_{[this](time_point deadline) { return tor_.dial(deadline); }, onions_.preparer(),
                  [this](const tor::supervisor::status& s) { follow(s); }} {
    look_for_tor();
}

/// A tor that starts again is noticed at once by its socket.
void hidden_service::look_for_tor() {
    if (const auto socket = tor_.control_socket()) supervisor_.watch(*socket);
}

void hidden_service::follow(const tor::supervisor::status& s) {
    if (s.is == tor::supervisor::phase::connected) look_for_tor();
    if (s.is == tor::supervisor::phase::waiting) {
        was_lost_ = true;
        const auto next = std::chrono::ceil<std::chrono::milliseconds>(s.next_attempt - clock::now());
        if (tell_.tor_lost) tell_.tor_lost(s.last_failure.value_or(error{}), next);
    } else if (s.is == tor::supervisor::phase::connected && std::exchange(was_lost_, false)) {
        if (tell_.tor_back) tell_.tor_back();
        news_.notify_all();
    }
}

task<void> hidden_service::connect(time_point deadline) { return supervisor_.connect(deadline); }

tor::onion_service hidden_service::service_of(const config::settings::onion_settings& s, onion::secret_key key,
                                              endpoint target) {
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

task<void> hidden_service::add(const config::settings::onion_settings& s, onion::secret_key key, endpoint target) {
    auto service = service_of(s, std::move(key), target);
    auto added = co_await onions_.add(std::move(service), clock::now() + publication_limit);
    if (!added) co_return added.error();
    tell_of(*added, s, std::move(target));
    co_return result<void>{};
}

void hidden_service::tell_of(const onion::address& address, const config::settings::onion_settings& s,
                             endpoint target) {
    const auto* status = onions_.find(address);
    const bool is_bare = status != nullptr && status->added && !status->defended;
    if (is_bare && s.pow != config::settings::onion_settings::pow_policy::off && tell_.warning)
        tell_.warning("this tor knows no proof-of-work defences (it is older than 0.4.8); going on without");
    address_ = address;
    target_ = std::move(target);
    news_.notify_all();
}

task<void> hidden_service::reach(onion::address address, std::uint16_t port, time_point deadline) {
    web::road by;
    auto socks = co_await tor_.socks(deadline);
    if (!socks) co_return socks.error();
    by.socks = std::move(*socks);
    by.isolation = {"bentoctl-probe", uuid4::generate().str()};
    by.host = address.host();
    by.port = port;
    web::http_client http{std::move(by)};
    const std::span<const http::field> no_fields;
    const auto answer = co_await http.request(http::method::get, "/", no_fields, {}, deadline);
    // Where only some may come, the descriptor was found, and that we are none of them is no fault.
    if (!answer && answer.error().code != net::errc::onion_unauthorised) co_return answer.error();
    co_return result<void>{};
}

asio::awaitable<void> hidden_service::run() {
    // Without probes: a server that calls itself by the clock can be told by it.
    const tor::health_policy by_silence;
    co_await (supervisor_.run() && announce() && onions_.keep_healthy(by_silence));
}

asio::awaitable<void> hidden_service::announce() {
    for (;;) {
        const auto address = address_;
        if (address) co_await wait_until_published(*address);
        if (address != address_) continue;
        const bool is_there = address && onions_.find(*address) != nullptr;
        if (is_there && tell_.ready) tell_.ready(address, target_);
        co_await news_.wait();
    }
}

/// Returns when the onion can be reached or was removed, and goes on telling while it cannot.
asio::awaitable<void> hidden_service::wait_until_published(onion::address address) {
    using wait = tor::publication::wait;
    for (;;) {
        const auto first = co_await onions_.wait_published(address, wait::first, clock::now() + publication_limit);
        if (first) break;
        if (onions_.find(address) == nullptr) co_return;
        if (tell_.warning) tell_.warning(first.error().message() + "; still trying");
    }
    // What is missing now is told by status, and uploaded by tor again within minutes.
    co_await onions_.wait_published(address, wait::all, clock::now() + completion_limit);
}

}  // namespace bento::host
