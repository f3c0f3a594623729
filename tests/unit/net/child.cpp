#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <bento/net/child.hpp>
#include <boost/asio/this_coro.hpp>
#include <filesystem>

#include "run.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

net::child::options shell(std::string script) { return {.program = "sh", .arguments = {"-c", std::move(script)}}; }
net::child::options program(std::string name) { return {.program = std::move(name)}; }
time_point soon() { return clock::now() + 10s; }

bool alive(pid_t pid) { return ::kill(pid, 0) == 0; }

}  // namespace

TEST_CASE("a program gets its input, and its output, errors and exit status come back") {
    test::run([](asio::any_io_executor) -> asio::awaitable<void> {
        auto ran = co_await net::run_program(shell("cat; echo oops >&2; exit 3"), "hello", soon());
        REQUIRE(ran);
        CHECK(ran->out == "hello");
        CHECK(ran->err == "oops\n");
        CHECK(ran->status.code() == 3);
        CHECK(ran->status.str() == "exit status 3");
    });
}

TEST_CASE("a program that is not there is an error, not an exit status") {
    test::run([](asio::any_io_executor) -> asio::awaitable<void> {
        auto absent = co_await net::run_program(program("no-such-program-here"), "", soon());
        CHECK(absent.error().code == net::errc::unreachable);
        CHECK(absent.error().peer == "No such file or directory");
        auto folder = co_await net::run_program(program("/tmp"), "", soon());
        CHECK(folder.error().peer == "Permission denied");
    });
}

TEST_CASE("a child sees the descriptors it was given and no other") {
    test::run([](asio::any_io_executor) -> asio::awaitable<void> {
        auto [leaked_read, leaked_write] = net::make_pipe();
        ::dup2(leaked_read.get(), 200);  // without CLOEXEC it would be inherited; dup2 clears that flag
        ::fcntl(200, F_SETFD, FD_CLOEXEC);
        auto [read_end, write_end] = net::make_pipe();
        auto o = shell("echo here >&7; ls /proc/self/fd | tr '\\n' ' '");
        o.descriptors = {{7, write_end.get()}};
        auto ran = co_await net::run_program(std::move(o), "", soon());
        ::close(200);
        REQUIRE(ran);
        CHECK(ran->out == "0 1 2 3 7 ");  // 3 is the folder that ls reads
        char said[8] = {};
        CHECK(::read(read_end.get(), said, sizeof said) == 5);
        CHECK(std::string_view{said} == "here\n");
    });
}

TEST_CASE("output beyond the limit is dropped and does not block the program") {
    test::run([](asio::any_io_executor) -> asio::awaitable<void> {
        auto ran = co_await net::run_program(shell("head -c 1000000 /dev/zero; exit 0"), "", soon(), 1000);
        REQUIRE(ran);
        CHECK(ran->out.size() == 1000);
        CHECK(ran->status.ok());
    });
}

TEST_CASE("a deadline kills a program that runs on") {
    test::run([](asio::any_io_executor) -> asio::awaitable<void> {
        auto ran = co_await net::run_program(shell("exec sleep 1000"), "", clock::now() + 50ms);
        CHECK(ran.error().code == net::errc::timed_out);
    });
}

TEST_CASE("waiting with a deadline leaves the child running; going out of scope kills and reaps it") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        pid_t pid = 0;
        {
            auto sleeper = net::child::start(executor, {.program = "sleep", .arguments = {"1000"}});
            REQUIRE(sleeper);
            pid = sleeper->pid();
            const auto waited = co_await sleeper->wait(clock::now() + 30ms);
            CHECK(waited.error().code == net::errc::timed_out);
            CHECK(sleeper->running());
            CHECK(alive(pid));
        }
        CHECK_FALSE(alive(pid));
        auto terminated = net::child::start(executor, {.program = "sleep", .arguments = {"1000"}});
        REQUIRE(terminated);
        terminated->signal(SIGTERM);
        const auto status = co_await terminated->wait(soon());
        REQUIRE(status);
        CHECK(status->str() == "signal 15 (Terminated)");
        CHECK(status->code() == 143);
        CHECK_FALSE(terminated->running());
    });
}
