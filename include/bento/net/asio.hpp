// Asio as this project uses it: compiled once (src/net/asio.cpp), one thread an io_context, coroutines.
#pragma once

#include <bento/base/error.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>

namespace bento {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/// A coroutine that returns a result. Cancelled, it throws boost::system::system_error (operation_aborted).
template <class T>
using task = asio::awaitable<result<T>>;

}  // namespace bento
