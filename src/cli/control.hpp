// Commands that speak to tor's control port.
#pragma once

#include <bento/tor/client.hpp>
#include <boost/json.hpp>

#include "command.hpp"
#include "run.hpp"
#include "terminal.hpp"

namespace bento::cli {

/// What such a command works with: its tor, and until when.
struct control_session {
    const globals& g;
    terminal out;
    tor::controller control;
    time_point deadline;
};
using control_body = std::function<task<int>(control_session&)>;

/// Connects to the tor that --control or the configuration names, or to the system's; none is started. Then runs
/// `body`, until it ends or the user ends it.
result<int> with_control(const globals& g, const control_body& body);

/// An event as an object: `event` is its name, members that say nothing are left out.
boost::json::object to_json(const control::event& e);
boost::json::object to_json(const control::circuit_event& e);
boost::json::object to_json(const control::stream_event& e);
/// `NAME key=value key=value`, for a person.
std::string to_line(const boost::json::object& event);

}  // namespace bento::cli
