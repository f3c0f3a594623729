#include "janitor.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <thread>

namespace bento::testnet {
namespace {

/// The processes that write into the directory die with the one we watch, a moment later: what they still write is
/// removed by another round.
[[noreturn]] void clean_when_gone(int lifeline, const std::filesystem::path& directory) {
    ::setsid();
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
        ::signal(number, SIG_IGN);
    ::prctl(PR_SET_NAME, "testnet-janitor");
    const int null = ::open("/dev/null", O_RDWR);
    for (const int number : {0, 1, 2})
        ::dup2(null, number);
    ::dup2(lifeline, 3);
    ::syscall(SYS_close_range, 4U, ~0U, 0U);
    char byte = 0;
    while (::read(3, &byte, 1) < 0 && errno == EINTR) {
    }
    int rounds_without_work = 0;
    for (int round = 0; round < 200 && rounds_without_work < 2; ++round) {
        std::error_code ignored;  // a file that came while we removed is removed by the next round
        const bool worked = std::filesystem::remove_all(directory, ignored) != 0 || ignored;
        rounds_without_work = worked ? 0 : rounds_without_work + 1;
        if (rounds_without_work < 2) std::this_thread::sleep_for(std::chrono::milliseconds{worked ? 10 : 50});
    }
    ::_exit(0);
}

}  // namespace

janitor janitor::watch(const std::filesystem::path& directory) {
    auto [read_end, write_end] = net::make_pipe();
    const auto absolute = std::filesystem::absolute(directory);
    const auto pid = ::fork();
    if (pid < 0) throw std::system_error{errno, std::generic_category(), "fork"};
    if (pid == 0) {
        write_end.reset();
        clean_when_gone(read_end.get(), absolute);
    }
    janitor out;
    out.lifeline_ = std::move(write_end);
    out.pid_ = pid;
    return out;
}

void janitor::dismiss() {
    if (pid_ == 0) return;
    lifeline_.reset();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
}

}  // namespace bento::testnet
