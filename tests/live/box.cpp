// Functions in real sandboxes, over the Bento protocol. What attacks does so from inside and aims at loopback only.
#include <time.h>

#include <bento/box/server.hpp>
#include <bento/client/bento_connection.hpp>
#include <cmath>

#include "box.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

std::string run_one(std::string code, std::string call_text, std::string input = {}, box::options o = {}) {
    return test::run(
        [&](asio::any_io_executor) -> asio::awaitable<std::string> {
            auto b = (co_await test::make_box(o)).value();
            co_return co_await test::call(*b, code, call_text, input);
        },
        60s);
}

}  // namespace

TEST_CASE("P1, W21: outputs, return values, errors") {
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

TEST_CASE("P7: limits: wall time, processor time, memory, processes, disk, inodes, descriptors, output") {
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

TEST_CASE("W3: a function's end takes all its processes with it") {
    CHECK(run_one("import os, time\ndef f():\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(300)\n"
                  "    api.send('gone')\n",
                  "f()") == "[gone]dead");
}

TEST_CASE("T33: nothing tells where it runs") {
    const auto probe = [](std::string expression) {
        return run_one("import os, socket\ndef f():\n    try:\n        return repr(" + expression +
                           ")\n    except Exception as e:\n        return type(e).__name__\n",
                       "f()");
    };
    CHECK(probe("socket.gethostname()") == "[PermissionError]dead");
    CHECK(probe("socket.socket()") == "[PermissionError]dead");
    CHECK(probe("socket.socket(socket.AF_UNIX)") == "[PermissionError]dead");
    CHECK(probe("os.uname()[:4]") == "[('Linux', 'bento', '', '')]dead");
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

TEST_CASE("P13: an open function is left and opened again; another connection learns that it is dead") {
    test::run(
        [](asio::any_io_executor) -> asio::awaitable<void> {
            box::options o;
            auto b = (co_await test::make_box(o)).value();
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

TEST_CASE("W14: a slow reader loses nothing when the function has long ended") {
    const auto got = run_one("def f():\n    for i in range(200): api.send(('%03d' % i) * 2000)\n", "f()");
    std::string expected;
    for (int i = 0; i < 200; ++i) {
        const auto number = std::to_string(1000 + i).substr(1);
        expected += "[";
        for (int n = 0; n < 2000; ++n)
            expected += number;
        expected += "]";
    }
    CHECK(got == expected + "dead");
}

TEST_CASE("W18: of two readers the first gets everything, the second the rest when it leaves, both the end") {
    test::run(
        [](asio::any_io_executor) -> asio::awaitable<void> {
            auto b = (co_await test::make_box()).value();
            auto first = co_await test::connect(*b);
            const std::string code =
                "def f():\n    while True:\n        d = api.recv()\n        if d == b'stop': return\n"
                "        api.send(d)\n";
            const auto token = (co_await first.store("f", code)).value();
            const auto id = (co_await first.execute("f()", token)).value();
            (co_await first.open(id)).value();
            auto second = co_await test::connect(*b);
            (co_await second.open(id)).value();
            for (const std::string word : {"a", "b", "c"}) {
                (co_await second.input(id, word)).value();
                const auto got = co_await test::read_output(first);
                CHECK(got == word);
            }
            (co_await first.close(id)).value();
            (co_await first.execute("f()", token)).value();  // answered after the Close has been dealt with
            (co_await second.input(id, "d")).value();
            const auto rest = co_await test::read_output(second);
            CHECK(rest == "d");
            (co_await second.input(id, "stop")).value();
            const auto end = co_await test::read_all(second);
            CHECK(end == "dead");
        },
        60s);
}

TEST_CASE("W16: an input that nobody reads stops neither the outputs nor the server") {
    test::run(
        [](asio::any_io_executor) -> asio::awaitable<void> {
            auto b = (co_await test::make_box()).value();
            auto c = co_await test::connect(*b);
            const std::string code =
                "import time\ndef f():\n    for i in range(5):\n        time.sleep(0.1)\n        api.send(str(i))\n";
            const auto token = (co_await c.store("f", code)).value();
            const auto id = (co_await c.execute("f()", token)).value();
            (co_await c.open(id)).value();
            const std::string large(2'000'000, 'x');
            (co_await c.input(id, large)).value();
            const auto got = co_await test::read_all(c);
            CHECK(got == "[0][1][2][3][4]dead");
        },
        60s);
}

TEST_CASE("P9: an operator ends a run for good, or deletes a function with its runs") {
    test::run(
        [](asio::any_io_executor) -> asio::awaitable<void> {
            auto b = (co_await test::make_box()).value();
            auto c = co_await test::connect(*b);
            const auto token = (co_await c.store("f", "def f():\n    api.send('on')\n    api.recv()\n")).value();
            const auto id = (co_await c.execute("f()", token)).value();
            (co_await c.open(id)).value();
            co_await test::read_output(c);
            REQUIRE(b->server.runs().size() == 1);
            CHECK(b->server.runs()[0].token == token);
            CHECK(b->server.runs()[0].open);
            CHECK(b->server.kill(id));
            CHECK(b->server.kill(id).error().code == box::errc::unknown_run);
            const auto told = co_await test::read_all(c);
            CHECK(told == "{the function was ended}dead");

            const auto next = (co_await c.execute("f()", token)).value();
            (co_await c.open(next)).value();
            co_await test::read_output(c);
            CHECK(b->server.functions().about(token)->name == "f");
            CHECK(b->server.remove(token));
            const auto deleted = co_await test::read_all(c);
            CHECK(deleted == "{the function was deleted}dead");
            const auto gone = co_await c.execute("f()", token);
            CHECK(gone.error().code == client::errc::unknown_token);
            CHECK(b->server.stored() == 0);
        },
        60s);
}

TEST_CASE("W1, P14, W28: a run that nobody reads is ended after its time") {
    test::run(
        [](asio::any_io_executor executor) -> asio::awaitable<void> {
            box::options o;
            o.ttl = 500ms;
            auto b = (co_await test::make_box(o)).value();
            auto c = co_await test::connect(*b);
            const auto token = (co_await c.store("f", "import time\ndef f():\n    time.sleep(3600)\n")).value();
            (co_await c.execute("f()", token)).value();
            net::condition pause{executor};
            for (int i = 0; i < 100 && b->server.running() > 0; ++i)
                co_await pause.wait(clock::now() + 100ms);
            CHECK(b->server.running() == 0);
        },
        60s);
}

TEST_CASE("W21, W22: values of any type arrive as text, and poll sees each of several inputs") {
    CHECK(run_one("def f():\n    return [1, 'a', None]\n", "f()") == "[[1, 'a', None]]dead");
    CHECK(run_one("def f():\n    return 0\n", "f()") == "[0]dead");
    CHECK(run_one("def f():\n    return ''\n", "f()") == "dead");
    test::run(
        [](asio::any_io_executor) -> asio::awaitable<void> {
            auto b = (co_await test::make_box()).value();
            auto c = co_await test::connect(*b);
            const std::string code =
                "import time\ndef f():\n    time.sleep(0.3)\n    for i in range(3):\n"
                "        api.send(str(api.poll()))\n        if i < 2: api.recv()\n";
            const auto token = (co_await c.store("f", code)).value();
            const auto id = (co_await c.execute("f()", token)).value();
            (co_await c.open(id)).value();
            (co_await c.input(id, "one")).value();
            (co_await c.input(id, "two")).value();
            const auto got = co_await test::read_all(c);
            CHECK(got == "[True][True][False]dead");
        },
        60s);
}
