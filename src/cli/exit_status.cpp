#include <bento/base/errc.hpp>
#include <bento/box/function_store.hpp>
#include <bento/client/errc.hpp>
#include <bento/control/errc.hpp>
#include <bento/entry/errc.hpp>
#include <bento/host/daemon.hpp>
#include <bento/lookup/errc.hpp>
#include <bento/net/errc.hpp>
#include <bento/onion/key.hpp>
#include <bento/rotation/journal.hpp>
#include <bento/sandbox/plan.hpp>
#include <bento/store/directory_store.hpp>
#include <bento/testnet/network.hpp>
#include <bento/tor/errc.hpp>
#include <bento/web/errc.hpp>
#include <bento/wire/errc.hpp>

#include "terminal.hpp"

namespace bento::cli {
namespace {

enum status : int { failed = 1, usage = 2, unreachable = 3, refused = 4, not_found = 5, timed_out = 6, again = 75 };

struct row {
    boost::system::error_code code;
    int status;
    const char* hint;
};

/// What is not here is a plain failure without advice.
const row table[] = {
    {base::errc::malformed, usage, ""},
    {base::errc::too_long, usage, ""},
    {base::errc::not_found, not_found, ""},
    {config::errc::malformed, usage, ""},
    {config::errc::unreadable, usage, ""},
    {onion::errc::bad_address, usage, "an onion address has 56 characters before .onion; copy it whole"},
    {wire::errc::bad_call, usage, "a call is a name and literal arguments, as in add(9, 10)"},
    {net::errc::timed_out, timed_out, ""},
    {net::errc::refused, unreachable, ""},
    {net::errc::unreachable, unreachable, ""},
    {net::errc::closed, unreachable, ""},
    {net::errc::socks_refused, unreachable, "--socks must name tor's SOCKS port"},
    {net::errc::onion_not_found, unreachable, "is the server running, and the address the newest one?"},
    {net::errc::onion_invalid, unreachable, ""},
    {net::errc::onion_unreachable, unreachable, "is the server running?"},
    {net::errc::onion_unauthorised, refused, ""},
    {net::errc::no_route, unreachable, "is the server running, and tor connected?"},
    {net::errc::busy, again, ""},
    {net::errc::address_in_use, failed, ""},
    {tor::errc::not_found, unreachable,
     "start tor, name its port with --control, or leave [tor] launch at \"auto\" to have one started"},
    {tor::errc::start_failed, unreachable, "is the package tor installed?"},
    {tor::errc::not_bootstrapped, timed_out, "is this machine online? bridges go into [tor] torrc"},
    {tor::errc::not_published, again, ""},
    {tor::errc::no_descriptor, not_found, ""},
    {tor::errc::cookie_unreadable, refused,
     "join the group (usermod -aG GROUP USER, then log in again), or set [tor] launch = \"always\" for a tor of your "
     "own"},
    {control::errc::timed_out, timed_out, ""},
    {control::errc::disconnected, unreachable, ""},
    {control::errc::not_a_control_port, unreachable,
     "this is tor's SOCKS or HTTP port: --control wants its ControlPort"},
    {control::errc::malformed_reply, unreachable, "does tor listen there?"},
    {control::errc::authentication_failed, refused,
     "is the password in [tor] password_file the one of HashedControlPassword?"},
    {control::errc::password_needed, refused, "put the password into a file and name it in [tor] password_file"},
    {control::errc::cookie_unusable, refused, ""},
    {control::errc::impostor, refused, "another program listens where tor should"},
    {control::errc::no_method, refused, ""},
    {control::errc::invalid_argument, usage, ""},
    {control::errc::unrecognized, not_found, ""},
    {control::errc::unavailable, not_found, ""},
    {control::errc::rejected, refused, ""},
    {control::errc::no_such_onion, not_found, "a service that is not detached ends with the program that added it"},
    {control::errc::onion_collision, again, "another program has published this onion on the same tor"},
    {client::errc::unknown_token, not_found, ""},
    {client::errc::unknown_function, not_found, ""},
    {client::errc::invalid, usage, ""},
    {client::errc::forbidden, refused, ""},
    {client::errc::busy, again, ""},
    {client::errc::timed_out, timed_out, ""},
    {client::errc::not_a_gateway, unreachable, "is this the address of a Bento server?"},
    {client::errc::malformed, unreachable, ""},
    {web::errc::malformed, unreachable, ""},
    {box::errc::unknown_token, not_found, ""},
    {entry::errc::malformed, refused, ""},
    {entry::errc::bad_signature, refused, ""},
    {entry::errc::expired, refused, "is its server still running? it renews its entries while it does"},
    {entry::errc::too_long_lived, refused, ""},
    {entry::errc::wrong_owner, refused, "ask whoever gave you the token for its share string, TOKEN#FINGERPRINT"},
    {entry::errc::older, refused, "a directory shows what was true once; ask again, or name another with --directory"},
    {entry::errc::conflict, refused, ""},
    {entry::errc::ended, not_found, ""},
    {entry::errc::not_found, not_found, "is it registered at one of these directories? --directory names others"},
    {entry::errc::code_mismatch, refused, ""},
    {entry::errc::bad_share, usage, ""},
    {entry::errc::bad_secret, usage, ""},
    {lookup::errc::none_configured, usage, "name one with --directory, or in [bfd] onions of the configuration"},
    {lookup::errc::bad_address, usage, ""},
    {lookup::errc::not_a_directory, unreachable, "is this the address of a Bento Function Directory?"},
    {lookup::errc::invalid, usage, ""},
    {lookup::errc::forbidden, refused, ""},
    {lookup::errc::taken, refused, ""},
    {lookup::errc::older, refused, ""},
    {lookup::errc::unknown_token, not_found, "bentoctl register makes an entry"},
    {lookup::errc::ended, refused, "an ended registration is never made again: store the function anew"},
    {lookup::errc::quota, refused, ""},
    {lookup::errc::busy, again, ""},
    {lookup::errc::damaged, failed, "remove the file to trust the directories anew, as on the first look-up"},
    {host::errc::not_running, unreachable, "bentoctl serve must run with the same --state-dir"},
    {box::errc::in_use, again, "give each server a --state-dir of its own"},
    {host::errc::in_use, again, "give each server a --state-dir of its own"},
    {host::errc::state, failed, ""},
    {host::errc::unfinished, again, "bentoctl rotate follows it again"},
    {host::errc::no_onion, refused, "who publishes it rotates its key"},
    {rotation::errc::corrupted, failed,
     "restore it from a backup, or move it away: the server then goes on with the keys in onions/"},
    {rotation::errc::too_many, again, "wait until some of them have ended, or use --compromised"},
    {rotation::errc::short_grace, usage, "a longer --grace, or a shorter [bfd] max_stale"},
    {rotation::errc::no_onion, not_found, "bentoctl serve makes the first one"},
    {entry::errc::bad_signature, refused, ""},
    {store::errc::failed, failed, ""},
    {store::errc::newer_version, failed, "run the version that made it, or a later one"},
    {sandbox::errc::no_bubblewrap, failed, "install bubblewrap"},
    {sandbox::errc::no_python, failed, "install python3"},
    {sandbox::errc::no_namespaces, failed,
     "user namespaces must be allowed: sysctl kernel.unprivileged_userns_clone=1"},
    {sandbox::errc::start_failed, failed,
     "functions run in a sandbox or not at all: is bubblewrap installed, and are user namespaces allowed?"},
    {testnet::errc::directory_in_use, usage, "name another with --dir, or end the network there with testnet down"},
    {testnet::errc::not_running, not_found, ""},
    {testnet::errc::not_bootstrapped, timed_out, ""},
    {testnet::errc::start_failed, failed, ""},
};

const row* find(const error& e) {
    for (const auto& r : table)
        if (r.code == e.code) return &r;
    return nullptr;
}

}  // namespace

int exit_status(const error& e) {
    const auto* r = find(e);
    return r != nullptr ? r->status : status::failed;
}

std::string hint_for(const error& e) {
    const auto* r = find(e);
    return r != nullptr ? r->hint : "";
}

}  // namespace bento::cli
