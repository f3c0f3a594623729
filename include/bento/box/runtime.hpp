// Finding the Python that functions run in.
#pragma once

#include <bento/net/asio.hpp>
#include <bento/sandbox/plan.hpp>

namespace bento::box {

/// Debian's /usr/bin/python3, asked once what it is made of. sandbox::errc::no_python with its own words.
task<sandbox::runtime> find_runtime(std::string python = "/usr/bin/python3");

}  // namespace bento::box
