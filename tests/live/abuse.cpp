// Functions that attack: each is contained, and while it rages another function answers and the server serves. Nothing
// here runs outside a sandbox.
#include <dirent.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fstream>

#include "box.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

struct attack {
    const char* name;
    const char* body;  ///< of f()
    const char* told;  ///< a part of what it gives
};

// clang-format off
const attack attacks[] = {
    {"fork-bomb", "n = 0\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(60); os._exit(0)\n        n += 1\nexcept OSError as e: api.send('%d %s' % (e.errno, n < 40))", "[11 True]dead"},
    {"fork-bomb-deep", "def more():\n    while True:\n        try: os.fork()\n        except OSError: pass\nmore()", "processor time than it may}dead"},
    {"thread-bomb", "import threading\nn = 0\ntry:\n    while True:\n        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n        n += 1\nexcept RuntimeError: api.send(str(10 < n < 40))\nos._exit(0)", "[True]dead"},
    {"memory-bomb", "try:\n    x = []\n    while True: x.append(b'x' * (1 << 20))\nexcept MemoryError: x = None; api.send('refused')", "[refused]dead"},
    {"tmpfs-fill", "n = 0\ntry:\n    while True:\n        with open('/tmp/%d' % n, 'wb') as g: g.write(b'x' * (1 << 20))\n        n += 1\nexcept OSError as e: api.send('%d %s' % (e.errno, n <= 64))", "[28 True]dead"},
    {"large-file", "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\ntry:\n    os.truncate(os.open('/tmp/x', os.O_RDWR | os.O_CREAT), 1 << 40)\nexcept OSError as e: api.send(str(e.errno))", "[27]dead"},
    {"disk-fill-anywhere", "bad = []\nfor d in ('/', '/usr', '/usr/lib', '/usr/bin', '/dev', '/lib64'):\n    try: open(d + '/x', 'w'); bad.append(d)\n    except OSError: pass\napi.send(repr(bad))", "[[]]dead"},
    {"inode-fill", "try:\n    for i in range(100000): os.mkdir('/tmp/%d' % i)\nexcept OSError as e: api.send('%d %s' % (e.errno, i < 5000))", "[28 True]dead"},
    {"fd-exhaustion", "try:\n    while True: os.dup(0)\nexcept OSError as e: api.send(str(e.errno))", "[24]dead"},
    {"infinite-loop", "while True: pass", "{the function used more processor time than it may}dead"},
    {"ignore-sigterm", "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass", "{the function used more processor time than it may}dead"},
    {"catastrophic-regex", "import re\nre.match('(a+)+$', 'a' * 64 + 'b')", "{the function used more processor time than it may}dead"},
    {"bigint-bomb", "try: 9 ** 9 ** 9\nexcept MemoryError: pass", "dead"},
    {"output-flood-stdout", "for i in range(1000): os.write(1, b'x' * 65536)\nos.write(2, b'y' * 1000000)\napi.send('written')", "[written]dead"},
    {"giant-frame", "os.write(3, b'O' + struct.pack('>I', 0xffffffff))\ntime.sleep(60)", "{the function sent more than it may}dead"},
    {"api-frame-forgery", "os.write(3, b'Z' + struct.pack('>I', 5) + b'hello')\ntime.sleep(60)", "{the function broke the protocol of its messages}dead"},
    {"second-ready", "os.write(3, b'R' + struct.pack('>I', 0))\ntime.sleep(60)", "{the function broke the protocol of its messages}dead"},
    {"api-partial-frame", "os.write(3, b'O' + struct.pack('>I', 100) + b'half')\nos._exit(0)", "{the function ended within a message}dead"},
    {"api-partial-head", "os.write(3, b'O\\0')\nos._exit(0)", "{the function ended within a message}dead"},
    {"close-stdio", "for n in range(4): os.close(n)\ntime.sleep(60)", "{the function closed its messages and went on}dead"},
    {"kill-all", "try: os.kill(-1, 9)\nexcept OSError as e: api.send(str(e.errno))\nelse: api.send('none')", "dead"},
    {"signal-parent-stop", "out = []\nfor p in (0, os.getppid()):\n    try: os.kill(p, 0); out.append('self')\n    except OSError as e: out.append(e.errno)\napi.send(repr(out))", "dead"},
    {"ptrace", "api.send(repr([call(101, n, 1, 0, 0) for n in (0, 16, 0x4206)] + [call(310, 1, 0, 0, 0, 0, 0), call(311, 1, 0, 0, 0, 0, 0)]))", "[[1, 1, 1, 1, 1]]dead"},
    {"mount", "api.send(repr(sorted({call(n, b'/tmp', b'/tmp', 0, 0, 0) for n in (165, 166, 155, 161, 428, 429, 430, 431, 432, 442)})))", "[[1]]dead"},
    {"userns-nesting", "api.send(repr([call(272, f) for f in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x80)] + [call(56, f | 17, 0, 0, 0, 0) for f in (0x10000000, 0x20000, 0x40000000, 0x20000000)] + [call(435, 0, 0), call(308, 3, 0)]))", "[[1, 1, 1, 1, 1, 1, 1, 1, 1, 38, 1]]dead"},
    {"keyctl", "api.send(repr([call(n, 0, 0, 0, 0, 0) for n in (248, 249, 250)]))", "[[1, 1, 1]]dead"},
    {"write-driver", "bad = []\nfor p in (os.__file__, sys.executable):\n    try: open(p, 'r+b'); bad.append(p)\n    except OSError: pass\napi.send(repr(bad))", "[[]]dead"},
    {"tty-tiocsti", "api.send(repr([call(16, 0, n, b'x') for n in (0x5412, 0x541c, 0x540e)]))", "[[1, 1, 1]]dead"},
    {"symlink-escape", "os.symlink('/etc/passwd', '/tmp/a'); os.symlink('../../../../root', '/tmp/b')\napi.send(repr([os.path.exists('/tmp/a'), os.path.exists('/tmp/b')]))", "[[False, False]]dead"},
    {"deep-recursion", "sys.setrecursionlimit(10 ** 9)\ndef g(): return g() + 1\ng()", "dead"},
    {"segfault", "ctypes.string_at(0)", "{the function was ended by Segmentation fault}dead"},
    {"os-exit-silent", "os._exit(7)", "dead"},
    {"daemonize", "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)\napi.send('gone')", "[gone]dead"},
    {"x32-abi", "call(0x40000000 + 39)\napi.send('reached')", "dead"},
};
// clang-format on

constexpr auto head = R"py(import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.syscall(number, *arguments) == -1 else 'reached %d' % number
def f():
)py";

std::string function_of(const attack& a) {
    std::string out = head;
    for (std::string_view rest = a.body; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        out += "    " + std::string{rest.substr(0, end)} + "\n";
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
}

box::options tight() {
    box::options o;
    o.each.cpu = 1s;
    o.each.wall = 20s;
    return o;
}

/// Another function, which answers all the while; the longest time that took.
asio::awaitable<void> bystand(const test::box_under_test& b, clock::duration& longest) {
    auto c = co_await test::connect(b);
    const auto token = (co_await c.store("echo", "def f():\n    while True: api.send(api.recv())\n")).value();
    const auto id = (co_await c.execute("f()", token)).value();
    (co_await c.open(id)).value();
    net::condition never{co_await asio::this_coro::executor};
    for (;;) {
        const auto begin = clock::now();
        (co_await c.input(id, "x")).value();
        co_await test::read_output(c);
        longest = std::max(longest, clock::now() - begin);
        co_await never.wait(clock::now() + 20ms);
    }
}

std::size_t entries(const std::string& directory) {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator{directory})
        ++n;
    return n;
}

/// Our children, zombies included.
std::size_t children() {
    std::ifstream file{"/proc/self/task/" + std::to_string(::getpid()) + "/children"};
    std::size_t n = 0;
    for (int pid = 0; file >> pid;)
        ++n;
    return n;
}

}  // namespace

TEST_CASE("what attacks is contained, while another function is answered") {
    clock::duration longest{};
    test::run(
        [&](asio::any_io_executor) -> asio::awaitable<void> {
            const auto limits = tight();
            auto b = (co_await test::make_box(limits)).value();
            const auto attack_all = [&]() -> asio::awaitable<void> {
                for (const auto& a : attacks) {
                    const auto code = function_of(a);
                    const auto told = co_await test::call(*b, code, "f()");
                    INFO(a.name);
                    INFO(told);
                    CHECK(told.find("reached") == std::string::npos);
                    CHECK(told.ends_with(a.told));
                }
            };
            co_await (attack_all() || bystand(*b, longest));
        },
        300s);
    CHECK(longest > 0ms);
    CHECK(longest < 2s);
}

TEST_CASE("W6: the memory of all processes together is limited by a control group, or the box says degraded") {
    const std::string code =
        "import os, time\ndef f():\n    for i in range(8):\n        if os.fork() == 0:\n"
        "            x = b'x' * (100 << 20)\n            time.sleep(5)\n            os._exit(0)\n"
        "    died = sum(1 for i in range(8) if os.wait()[1] != 0)\n    api.send('some died' if died else 'all "
        "lived')\n";
    bool degraded = false;
    const auto told = test::run(
        [&](asio::any_io_executor) -> asio::awaitable<std::string> {
            auto b = (co_await test::make_box()).value();
            for (const auto& sentence : b->server.degraded())
                degraded |= sentence.find("memory") != std::string::npos;
            if (degraded) co_return std::string{};
            co_return co_await test::call(*b, code, "f()");
        },
        60s);
    if (!degraded) CHECK((told == "[some died]dead" || told == "{the function used more memory than it may}dead"));
    box::options without;
    without.control_groups = false;
    test::run([&](asio::any_io_executor) -> asio::awaitable<void> {
        auto b = (co_await test::make_box(without)).value();
        CHECK(b->server.degraded().size() == 2);
    });
}

TEST_CASE("W2, W3: after many runs nothing is left: no process, no descriptor, no file, no directory of a group") {
    const auto* wanted = std::getenv("BENTO_RUNS");
    const int runs = wanted != nullptr ? std::atoi(wanted) : 200;
    test::run(
        [&](asio::any_io_executor executor) -> asio::awaitable<void> {
            box::options o;
            o.warm = 0;
            auto b = (co_await test::make_box(o)).value();
            auto c = co_await test::connect(*b);
            const auto token = (co_await c.store("f", "def f():\n    open('/tmp/x', 'w')\n    return 'x'\n")).value();
            net::condition pause{executor};
            std::size_t fds = 0, processes = 0, files = 0;
            for (int i = 0; i < runs; ++i) {
                if (i == 10) {
                    co_await pause.wait(clock::now() + 1500ms);
                    fds = entries("/proc/self/fd");
                    processes = children();
                    files = entries(b->folder.path().string()) + entries((b->folder.path() / "functions").string());
                }
                const auto id = (co_await c.execute("f()", token)).value();
                (co_await c.open(id)).value();
                const auto told = co_await test::read_all(c);
                REQUIRE(told == "[x]dead");
            }
            co_await pause.wait(clock::now() + 1500ms);
            CHECK(entries("/proc/self/fd") == fds);
            CHECK(children() == processes);
            CHECK(processes == 0);
            CHECK(entries(b->folder.path().string()) + entries((b->folder.path() / "functions").string()) == files);
            CHECK(b->server.running() == 0);
            CHECK(b->server.runs().empty());
        },
        std::chrono::seconds{60 + runs / 5});
}
