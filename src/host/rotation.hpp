// Carries out what the rotation machine decides; lets others ask for a rotation, and follow it.
#pragma once

#include <bento/host/rotation.hpp>
#include <bento/net/condition.hpp>
#include <bento/tor/onion_services.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "state_directory.hpp"

namespace bento::host {

/// Must outlive its coroutines.
class rotator {
  public:
    using failures = std::map<std::string, error>;  // by directory

    /// What it needs of others.
    struct hands {
        /// The service of a key: where its streams go, and how it is defended.
        std::function<tor::onion_service(onion::secret_key)> service;
        /// Reaches for an onion as a caller does.
        tor::onion_prober probe;
        /// Every registered token for this onion, one request a directory.
        std::function<asio::awaitable<failures>(onion::address onion, std::vector<std::string> directories,
                                                bool ask_first, time_point deadline)>
            reregister;
        /// Which directories do not show it.
        std::function<asio::awaitable<failures>(onion::address onion, std::vector<std::string> directories,
                                                time_point deadline)>
            verify;
        /// How many tokens are registered.
        std::function<std::size_t()> tokens;
        /// From now on this is the onion to tell of.
        std::function<void(const onion::address& onion)> promoted;
        std::function<void(std::string_view text)> warning;
    };

    struct settings {
        rotation::policy policy;
        std::vector<std::string> directories;
        tor::publication::wait uploads = tor::publication::wait::quorum;
    };

    /// Reads the keys and the journal, or makes the first ones. rotation::errc::corrupted, errc::state, base::errc,
    /// onion::errc.
    static result<std::unique_ptr<rotator>> open(asio::any_io_executor executor, const state_directory& state,
                                                 tor::onion_services onions, settings s, hands h);

    /// Brings every onion back that is to answer; the error of the current one is ours.
    task<void> start();
    /// Goes on until cancelled.
    asio::awaitable<void> run();
    void configure(settings s);

    /// rotation::errc::too_many, short_grace.
    result<void> ask(const rotation::request& r);
    /// Whether callers have been told of the current onion for so long, or a rotation is not finished.
    bool is_due(std::chrono::milliseconds age) const;
    /// What a rotation would do, a sentence a step.
    std::vector<std::string> plan(const rotation::request& r) const;

    /// What is being done, for somebody who follows.
    struct progress {
        std::uint64_t version = 0;  ///< another one with each change
        rotation::act step = rotation::act::wait;
        tor::publication::count uploads;          ///< of publish
        std::vector<std::string> directories;     ///< of reregister and verify
        std::optional<rotation_trouble> trouble;  ///< why it waits
        std::optional<rotation_outcome> outcome;  ///< of what was asked last; then nothing more comes
    };
    const progress& now() const { return progress_; }
    /// Waits until it is not this version any more.
    asio::awaitable<void> changed_from(std::uint64_t version);
    /// What onion_services tells of each change.
    void told(const tor::onion_status& s);

    const rotation::journal& journal() const { return machine_.state(); }
    const onion::address& current() const { return journal().current; }

    /// Those whose keys are here and which answer, or will.
    std::set<onion::address> here() const;

    struct onion_view {
        onion::address onion;
        std::string_view state;  ///< publishing, current, retiring
        tor::publication::count uploads;
        std::optional<std::chrono::milliseconds> left;  ///< of the grace of one that retires
    };
    /// Those that answer, the current one first.
    std::vector<onion_view> onions() const;

  private:
    rotator(asio::any_io_executor executor, const state_directory& state, tor::onion_services onions,
            rotation::journal j, settings s, hands h);
    asio::awaitable<rotation::event> carry_out(rotation::action a);
    asio::awaitable<void> step(rotation::action a, rotation::event& out);
    asio::awaitable<rotation::event> unless_urgent(rotation::action a);
    asio::awaitable<rotation::event> drop(onion::address onion, bool close_circuits);
    rotation::event write_key(const onion::address& onion);
    rotation::event unlink_key(const onion::address& onion);
    void decide(const rotation::event& e);
    std::optional<rotation_trouble> trouble_in_publishing() const;
    void show();
    void warn(std::string_view text) const;
    std::filesystem::path key_file(const onion::address& onion) const;

    std::filesystem::path journal_file_;
    std::filesystem::path keys_folder_;
    tor::onion_services onions_;
    settings settings_;
    hands hands_;
    rotation::machine machine_;
    rotation::action next_;
    std::map<onion::address, onion::secret_key> keys_;
    std::set<onion::address> refused_;  // by HSDirs, and told
    std::optional<onion::address> replaced_;
    bool is_asked_ = false;
    bool is_overtaken_ = false;  // somebody asked since the next action was decided
    std::string told_trouble_;
    progress progress_;
    net::condition wake_, urgent_, changed_;
};

}  // namespace bento::host
