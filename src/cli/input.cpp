#include "input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bento/base/errc.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>

namespace bento::cli {
namespace {

/// Of a line: a gateway takes 1 MiB unless its operator changed that.
constexpr std::size_t line_limit = std::size_t{16} << 20;

}  // namespace

bool has_input() {
    struct stat in, null;
    if (::fstat(STDIN_FILENO, &in) != 0) return false;
    if (S_ISCHR(in.st_mode) && ::stat("/dev/null", &null) == 0 && in.st_rdev == null.st_rdev) return false;
    return ::isatty(STDIN_FILENO) != 1 || ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

line_input::line_input(asio::any_io_executor executor) {
    struct stat in;
    if (::fstat(STDIN_FILENO, &in) != 0 || S_ISREG(in.st_mode)) return;
    if (S_ISCHR(in.st_mode) && ::isatty(STDIN_FILENO) != 1) return;  // /dev/null
    // A duplicate, since closing it must not close standard input.
    waits_.emplace(executor, ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
}

task<std::string> line_input::next() {
    for (;;) {
        const auto end = buffer_.find('\n', scanned_);
        if (end != std::string::npos) {
            auto line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            scanned_ = 0;
            co_return line;
        }
        scanned_ = buffer_.size();
        if (ended_) {
            if (buffer_.empty()) co_return base::errc::not_found;
            scanned_ = 0;
            co_return std::exchange(buffer_, {});
        }
        if (buffer_.size() > line_limit) co_return error{base::errc::too_long, "a line of standard input"};
        if (waits_) co_await waits_->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        std::array<char, 16 * 1024> part;
        const auto n = ::read(STDIN_FILENO, part.data(), part.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) co_return error{base::errc::io, "standard input", std::strerror(errno)};
        ended_ = n == 0;
        buffer_.append(part.data(), static_cast<std::size_t>(n));
    }
}

}  // namespace bento::cli
