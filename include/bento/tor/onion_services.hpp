// The onion services of one process: added on every control connection anew, their publication watched.
//
// An ephemeral service lives as long as the connection that added it. A supervisor therefore prepares each new one:
// SETEVENTS HS_DESC is confirmed first, then every service is added from its key, so that no event of its descriptors
// is missed.
#pragma once

#include <bento/onion/address.hpp>
#include <bento/tor/controller.hpp>
#include <bento/tor/health.hpp>
#include <bento/tor/publication.hpp>
#include <bento/tor/supervisor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace bento::tor {

/// Proof-of-work defences (tor 0.4.8): callers solve a puzzle that grows with the queue of introductions.
enum class pow_policy {
    off,
    prefer,   ///< where tor knows them: an older one publishes the service without
    require,  ///< control::errc::unrecognized where tor does not know them
};

/// A service and where its streams go.
struct onion_service {
    onion::secret_key key;
    std::uint16_t port = 80;  ///< what callers connect to
    endpoint target;          ///< where tor connects each of their streams to
    /// Beside `port`: each with a target of its own.
    std::vector<control::add_onion::port> more_ports;
    std::uint16_t max_streams = 0;  ///< a circuit's streams at a time, further ones close it; 0 is no limit
    pow_policy pow = pow_policy::off;
    control::add_onion::proof_of_work pow_queue;  ///< what tor serves of the queue under attack
    /// Public keys of the clients that can read the descriptor, 52 characters of base32 each; none: everybody.
    std::vector<std::string> client_auth;
    /// It outlives the connection and this program; prepare() finds it again.
    bool detached = false;
};

/// What is known of one service.
struct onion_status {
    onion::address address;
    bool added = false;       ///< tor has it now
    bool taken_over = false;  ///< tor had it before: of earlier uploads nothing is known
    bool defended = false;    ///< by proof of work
    publication descriptors;
    time_point added_at;
    std::optional<error> last_error;         ///< why tor does not have it, while there is a connection
    std::optional<time_point> not_taken_at;  ///< when that was
    health_state health = health_state::down;
    unsigned repairs = 0;      ///< since it was last reachable by a probe
    time_point refused_until;  ///< where HSDirs refuse its descriptors: when keep_healthy() repairs it
};

/// Reaches for a service as a caller would; an error says that it could not be reached.
using onion_prober = std::function<task<void>(onion::address, time_point deadline)>;

/// A handle: copies are the same services.
class onion_services {
  public:
    /// `changed` is called after each event that changes a status.
    explicit onion_services(asio::any_io_executor executor, std::function<void(const onion_status&)> changed = nullptr);

    /// For a program of one connection: adds every service there. Asks tor what it has already: a service of this
    /// connection stays, a detached one is taken over or, where it is to go with us, ended and added anew. One that
    /// tor does not take has its last_error, the others are there, and keep_healthy() tries again.
    /// Errors: what tor answers to SETEVENTS, or to the first ADD_ONION where it took none.
    task<void> prepare(controller control);
    /// The same for each connection of a supervisor. From here on, what waits for a publication waits for the next
    /// connection, too.
    supervisor::preparer preparer();
    /// Adds it now where there is a connection, and on each later one. control::errc::onion_collision where its address
    /// is in torrc, is here already, or another connection has it and does not end within some seconds, as one of ours
    /// does that tor has not seen die.
    task<onion::address> add(onion_service service, time_point deadline);
    /// Ends it here and at tor; after an error once more. Its rendezvous circuits stay open until the callers go.
    task<void> remove(const onion::address& address, time_point deadline);
    /// Closes every circuit of a service that was removed, and with them its callers' streams.
    task<void> close_circuits(const onion::address& address, time_point deadline);

    /// Waits for HSDirs to have its descriptors. errc::not_published at the deadline, saying how far it came and, where
    /// one was refused, tor's reason; control::errc::disconnected at once where no supervisor makes another connection.
    task<publication::count> wait_published(const onion::address& address, publication::wait what, time_point deadline);
    const onion_status* find(const onion::address& address) const;
    /// Ends a service at tor and adds it again, which makes tor choose introduction points and upload its descriptors
    /// at once.
    task<void> repair(const onion::address& address, time_point deadline);
    /// Watches the health of all of them and repairs, until cancelled. Without a prober, silence alone is judged.
    asio::awaitable<void> keep_healthy(health_policy policy, onion_prober probe = nullptr);
    /// A prober that fetches the descriptor from the HSDirs that have confirmed it.
    onion_prober fetch_prober() const;

  private:
    struct state;
    std::shared_ptr<state> state_;
};

/// A prober that connects to the service's port through tor's SOCKS port, on a circuit of its own each time, and sends
/// nothing.
onion_prober connect_prober(endpoint socks, std::uint16_t port);

}  // namespace bento::tor
