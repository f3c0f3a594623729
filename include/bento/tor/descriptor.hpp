// Fetching the descriptor of an onion service, as its callers do.
#pragma once

#include <bento/onion/address.hpp>
#include <bento/tor/controller.hpp>

namespace bento::tor {

struct fetched_descriptor {
    control::relay_name hs_dir;
    std::string descriptor_id;
    std::string text;  ///< the outer layer, encrypted inside
};

/// HSFETCH and what comes of it. `hs_dirs` are relays by fingerprint, each asked; where none is named, tor chooses and
/// asks the next one where one has it not. tor asks an HSDir of its choice only once in 15 minutes and then says
/// nothing: net::errc::timed_out. errc::no_descriptor where all that were asked have said no, with tor's reason as
/// `peer`.
task<fetched_descriptor> fetch_descriptor(controller control, onion::address of, std::vector<std::string> hs_dirs,
                                          time_point deadline);

}  // namespace bento::tor
