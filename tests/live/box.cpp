// Functions in real sandboxes, over the Bento protocol. What attacks does so from inside and aims at loopback only.
#include <time.h>

#include <bento/box/server.hpp>
#include <bento/client/bento_connection.hpp>
#include <cmath>

#include "run.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

struct box_under_test {
    test::temporary_directory folder;
    box::server server;
    endpoint at;
};

task<std::unique_ptr<box_under_test>> make_box(box::options o) {
    auto out = std::make_unique<box_under_test>();
    o.directory = out->folder.path() / "functions";
    auto started = co_await box::server::start(std::move(o));
    if (!started) co_return started.error();
    out->server = std::move(*started);
    auto on = net::listener::listen(co_await asio::this_coro::executor,
                                    endpoint::unix_socket((out->folder.path() / "s").string()), {});
    if (!on) co_return on.error();
    out->at = on->where();
    out->server.serve(std::move(*on));
    co_return out;
}

/// Everything that one run gives: outputs in brackets, errors in braces, then `dead`.
asio::awaitable<std::string> call(endpoint at, std::string code, std::string call_text, std::string input = {}) {
    auto c = (co_await client::bento_connection::connect(at, clock::now() + 60s)).value();
    const auto token = (co_await c.store("f", code)).value();
    const auto id = (co_await c.execute(call_text, token)).value();
    (co_await c.open(id)).value();
    if (!input.empty()) (co_await c.input(id, input)).value();
    std::string out;
    for (;;) {
        auto event = co_await c.next();
        if (!event) co_return out + "error " + event.error().message();
        using w = wire::client;
        if (std::holds_alternative<w::output_begin>(*event)) out += "[";
        if (const auto* data = std::get_if<w::output_data>(&*event)) out += data->data;
        if (std::holds_alternative<w::output_end>(*event)) out += "]";
        if (const auto* e = std::get_if<w::function_error>(&*event)) out += "{" + e->text + "}";
        if (std::holds_alternative<w::function_dead>(*event)) co_return out + "dead";
    }
}

std::string run_one(std::string code, std::string call_text, std::string input = {}, box::options o = {}) {
    return test::run(
        [&](asio::any_io_executor) -> asio::awaitable<std::string> {
            auto b = (co_await make_box(o)).value();
            co_return co_await call(b->at, code, call_text, input);
        },
        60s);
}

}  // namespace

TEST_CASE("outputs, return values, errors") {
    CHECK(run_one("def hello():\n    api.send('hello world')\n", "hello()") == "[hello world]dead");
    CHECK(run_one("def add(x, y):\n    return x + y\n", "add(9,10)") == "[19]dead");
    CHECK(run_one("def f():\n    api.send('a')\n    api.send(b'\\xff')\n    return {'k': 1}\n", "f()") ==
          "[a][\xff][{'k': 1}]dead");
    CHECK(run_one("def f():\n    raise ValueError('no luck')\n", "f()") == "{no luck}dead");
    CHECK(run_one("def f():\n    printf('x')\n", "f()") == "{name 'printf' is not defined}dead");
    CHECK(run_one("x = 1\ndef f(:\n", "f()") == "{invalid syntax (<inline>, line 2)}dead");
    CHECK(run_one("def f(): pass", "f() +") == "{invalid syntax (<string>, line 1)}dead");
    CHECK(run_one("import sys\ndef f():\n    sys.exit(3)\n", "f()") == "dead");
    CHECK(run_one("def f():\n    print('hello world')\n    api.send('x')\n", "f()") == "[hello world\n][x]dead");
}

TEST_CASE("input reaches api.recv, and api.poll sees what waits") {
    CHECK(run_one("def f():\n    d = api.recv()\n    api.send(d + b'!')\n", "f()", "ping") == "[ping!]dead");
    CHECK(run_one("def f():\n    import time\n    while not api.poll(): time.sleep(0.01)\n    api.send(api.recv())\n",
                  "f()", "late") == "[late]dead");
}

TEST_CASE("a large message goes through whole") {
    const auto got = run_one("def f():\n    api.send(b'x' * 20_000_000)\n    api.send('done')\n", "f()");
    CHECK(got.size() == 20'000'000 + 2 + 6 + 4);
    CHECK(got.ends_with("x][done]dead"));
}

TEST_CASE("limits: wall time, processor time, memory, processes, disk, inodes, descriptors, output") {
    box::options o;
    o.each.wall = 700ms;
    CHECK(run_one("import time\ndef f():\n    time.sleep(100)\n", "f()", {}, o) ==
          "{the function ran longer than it may}dead");
    o = {};
    o.each.cpu = 1s;
    CHECK(run_one("def f():\n    while True: pass\n", "f()", {}, o) ==
          "{the function used more processor time than it may}dead");
    CHECK(
        run_one(
            "def f():\n    try:\n        x = b'x' * (1 << 30)\n    except MemoryError:\n        api.send('refused')\n",
            "f()") == "[refused]dead");
    CHECK(run_one("import os\ndef f():\n    n = 0\n    try:\n        while True:\n            if os.fork() == 0:\n"
                  "                import time; time.sleep(60); os._exit(0)\n            n += 1\n"
                  "    except OSError:\n        api.send('stopped' if n < 40 else str(n))\n",
                  "f()") == "[stopped]dead");
    CHECK(run_one("def f():\n    try:\n        with open('/tmp/x', 'wb') as g:\n            while True: g.write(b'x' * "
                  "1_000_000)\n"
                  "    except OSError as e:\n        api.send(str(e.errno in (27, 28)))\n",
                  "f()") == "[True]dead");
    CHECK(run_one("import os\ndef f():\n    try:\n        for i in range(100_000): os.mkdir('/tmp/%d' % i)\n"
                  "    except OSError as e:\n        api.send('%d %s' % (e.errno, i < 5000))\n",
                  "f()") == "[28 True]dead");
    CHECK(run_one("import os\ndef f():\n    try:\n        while True: os.dup(0)\n    except OSError as e:\n"
                  "        api.send(str(e.errno))\n",
                  "f()") == "[24]dead");
    o = {};
    o.output = 1000;
    CHECK(run_one("def f():\n    while True: api.send('x' * 100)\n", "f()", {}, o)
              .ends_with("{the function sent more than it may}dead"));
}

TEST_CASE("a function's end takes all its processes with it") {
    CHECK(run_one("import os, time\ndef f():\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(300)\n"
                  "    api.send('gone')\n",
                  "f()") == "[gone]dead");
}

TEST_CASE("nothing tells where it runs") {
    const auto probe = [](std::string expression) {
        return run_one("import os, socket\ndef f():\n    try:\n        return repr(" + expression +
                           ")\n    except Exception as e:\n        return type(e).__name__\n",
                       "f()");
    };
    CHECK(probe("socket.gethostname()") == "[PermissionError]dead");
    CHECK(probe("socket.socket()") == "[PermissionError]dead");
    CHECK(probe("socket.socket(socket.AF_UNIX)") == "[PermissionError]dead");
    CHECK(probe("os.uname()") == "[PermissionError]dead");
    CHECK(probe("(os.getuid(), os.getgid(), os.getgroups())") == "[(1000, 1000, [])]dead");
    CHECK(probe("sorted(os.environ)") == "[['HOME', 'LANG', 'PATH', 'PWD', 'TZ']]dead");
    CHECK(probe("sorted(os.listdir('/'))") == "[['dev', 'lib', 'lib64', 'tmp', 'usr']]dead");
    CHECK(probe("os.listdir('/tmp')") == "[[]]dead");
    CHECK(probe("open('/proc/self/maps').read()") == "[FileNotFoundError]dead");
    CHECK(probe("open('/etc/passwd').read()") == "[FileNotFoundError]dead");
    CHECK(probe("open('/usr/lib/x', 'w')") == "[OSError]dead");
    CHECK(probe("os.statvfs('/')") == "[PermissionError]dead");
    CHECK(probe("sorted(int(f) for f in os.listdir('/dev/fd'))") == "[FileNotFoundError]dead");
}

TEST_CASE("the clocks of the uptime are not the machine's") {
    const auto told = run_one(
        "import time\ndef f():\n    return time.clock_gettime(time.CLOCK_BOOTTIME) - "
        "time.clock_gettime(time.CLOCK_MONOTONIC)\n",
        "f()");
    timespec boot{}, monotonic{};
    ::clock_gettime(CLOCK_BOOTTIME, &boot);
    ::clock_gettime(CLOCK_MONOTONIC, &monotonic);
    // Two random offsets of up to 30 days: once in a million runs they differ by less.
    const auto machine = static_cast<double>(boot.tv_sec - monotonic.tv_sec);
    CHECK(std::abs(std::stod(told.substr(1)) - machine) > 1);
}

TEST_CASE("an open function is left and opened again; another connection learns that it is dead") {
    test::run(
        [](asio::any_io_executor) -> asio::awaitable<void> {
            box::options o;
            auto b = (co_await make_box(o)).value();
            auto c = (co_await client::bento_connection::connect(b->at, clock::now() + 30s)).value();
            const auto token =
                (co_await c.store("f", "def f():\n    api.send(api.recv())\n    api.send(api.recv())\n")).value();
            const auto id = (co_await c.execute("f()", token)).value();
            (co_await c.open(id)).value();
            (co_await c.input(id, "one")).value();
            const auto first = (co_await c.next()).value();
            CHECK(std::holds_alternative<wire::client::output_begin>(first));
            (co_await c.next()).value();
            (co_await c.next()).value();
            (co_await c.close(id)).value();
            auto d = (co_await client::bento_connection::connect(b->at, clock::now() + 30s)).value();
            (co_await d.open(id)).value();
            (co_await d.input(id, "two")).value();
            std::string got;
            for (;;) {
                auto e = (co_await d.next()).value();
                if (const auto* data = std::get_if<wire::client::output_data>(&e)) got += data->data;
                if (std::holds_alternative<wire::client::function_dead>(e)) break;
            }
            CHECK(got == "two");
            (co_await c.open(id)).value();
            const auto last = (co_await c.next()).value();
            CHECK(std::holds_alternative<wire::client::function_dead>(last));
            const auto unknown = co_await c.execute("f()", uuid4::generate());
            CHECK(unknown.error().code == client::errc::unknown_token);
        },
        60s);
}
