// What a function could learn about the machine it runs on, a probe a vector, each asked from inside a sandbox. The
// names are those of the threat table in bentoctl-functions(7). Nothing here runs outside a sandbox or aims at more
// than loopback.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "box.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

/// What every probe may use. `tell` gives the value of a probe, or the name of what stopped it.
constexpr auto prelude = R"py(
import ctypes, errno, os, socket, struct, sys, time

def tell(probe):
    try:
        value = probe()
    except OSError as e:
        return errno.errorcode.get(e.errno, type(e).__name__)
    except Exception as e:
        return type(e).__name__
    return value if isinstance(value, str) else repr(value)

libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    ctypes.set_errno(0)
    got = libc.syscall(number, *arguments)
    return errno.errorcode[ctypes.get_errno()] if got == -1 else got

def calls(*numbers):
    return sorted({str(call(n, 0, 0, 0, 0, 0, 0)) for n in numbers})

def exist(*paths):
    return [p for p in paths if os.path.lexists(p)]

def families():
    out = set()
    for family in range(64):
        for kind in (1, 2, 3, 5):
            try:
                socket.socket(family, kind).close()
                out.add("open %d %d" % (family, kind))
            except OSError as e:
                out.add(errno.errorcode[e.errno])
    return sorted(out)

def walk():
    for folder, folders, files in os.walk("/"):
        for name in folders + files:
            yield os.path.join(folder, name)

def strings():
    import gc
    seen = []
    for o in gc.get_objects():
        for r in gc.get_referents(o):
            if isinstance(r, str):
                seen.append(r)
            elif isinstance(r, bytes):
                seen.append(r.decode("latin-1"))
    return seen
)py";

struct probe {
    const char* vector;
    const char* asks;  ///< a Python expression
    const char* told;
};

// clang-format off
const probe probes[] = {
    // the network
    {"udp-connect-src-ip", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "EPERM"},
    {"tcp-connect-out", "socket.create_connection(('127.0.0.1', PORT))", "EPERM"},
    {"tcp-connect-host-loopback", "[call(41, 2, 1, 0), call(41, 10, 1, 0), call(42, 3, 0, 0)]", "['EPERM', 'EPERM', 'EPERM']"},
    {"udp-dns-direct", "socket.socket(2, 2).sendto(b'x', ('127.0.0.1', PORT))", "EPERM"},
    {"getaddrinfo", "[tell(lambda: socket.getaddrinfo(h, 80)) for h in ('localhost', 'example.com', 'x.onion')]", "['gaierror', 'gaierror', 'gaierror']"},
    {"gethostname", "socket.gethostname()", "EPERM"},
    {"gethostbyname-self", "[tell(lambda: socket.gethostbyname(n)) for n in ('bento', 'localhost')]", "['gaierror', 'gaierror']"},
    {"if-nameindex", "socket.if_nameindex()", "EPERM"},
    {"netlink-getaddr", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)", "EPERM"},
    {"siocgifconf", "[tell(lambda: __import__('fcntl').ioctl(3, n, bytearray(4096))) for n in (0x8912, 0x8915, 0x8927, 0x8946)]", "['EPERM', 'EPERM', 'EPERM', 'EPERM']"},
    {"uuid-getnode", "(__import__('uuid').getnode() >> 40) & 1", "1"},
    {"proc-net", "exist('/proc/net/dev', '/proc/net/tcp', '/proc/net/route', '/proc/self/net')", "[]"},
    {"af-packet-sniff", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "EPERM"},
    {"raw-icmp", "[tell(lambda: socket.socket(f, socket.SOCK_RAW, p)) for f, p in ((2, 1), (10, 58))]", "['EPERM', 'EPERM']"},
    {"af-vsock", "[tell(lambda: socket.socket(40, k)) for k in (1, 2)]", "['EPERM', 'EPERM']"},
    {"exotic-families", "families()", "['EPERM']"},
    {"unix-sockets-host", "(exist('/run', '/var/run', '/tmp/.X11-unix'), tell(lambda: socket.socket(socket.AF_UNIX)))", "([], 'EPERM')"},
    {"abstract-sockets", "[tell(lambda: socket.socket(1, k).connect('\\0ABSTRACT')) for k in (1, 2, 5)]", "['EPERM', 'EPERM', 'EPERM']"},
    {"tor-control", "(exist('/run/tor', '/var/lib/tor', '/etc/tor', '/var/run/tor/control'), tell(lambda: socket.create_connection(('127.0.0.1', 9051))))", "([], 'EPERM')"},
    {"socks-internal", "(exist('/tor'), tell(lambda: socket.create_connection(('127.0.0.1', 9050))))", "([], 'EPERM')"},
    {"socket-peer", "[call(55, 3, 1, o, ctypes.create_string_buffer(64), ctypes.byref(ctypes.c_uint(64))) for o in (17, 31, 59, 77)]", "['EPERM', 'EPERM', 'EPERM', 'EPERM']"},
    // names, places, languages
    {"etc-files", "(exist('/etc'), tell(lambda: open('/etc/passwd').read()))", "([], 'ENOENT')"},
    {"etc-localtime", "(exist('/etc/localtime', '/etc/timezone', '/usr/share/zoneinfo'), time.localtime(0).tm_hour, time.localtime().tm_zone)", "([], 0, 'UTC')"},
    {"time-zone", "(time.tzname, time.timezone, time.daylight, str(__import__('datetime').datetime.now().astimezone().tzinfo))", "(('UTC', 'UTC'), 0, 0, 'UTC')"},
    {"locale", "(__import__('locale').setlocale(6, ''), [tell(lambda: __import__('locale').setlocale(6, n)) for n in ('de_DE.UTF-8', 'en_US.UTF-8')], exist('/usr/lib/locale', '/usr/share/locale'))", "('C', ['Error', 'Error'], [])"},
    {"environ", "sorted(os.environ.items())", "[('HOME', '/tmp'), ('LANG', 'C'), ('PATH', '/usr/bin'), ('PWD', '/tmp'), ('TZ', 'UTC')]"},
    {"user-names", "(tell(lambda: __import__('pwd').getpwuid(os.getuid())), tell(lambda: __import__('pwd').getpwall()), os.path.expanduser('~'), tell(os.getlogin))", "('KeyError', '[]', '/tmp', 'ENOTTY')"},
    {"uid-gid-groups", "(os.getresuid(), os.getresgid(), os.getgroups())", "((1000, 1000, 1000), (1000, 1000, 1000), [])"},
    {"uid-map", "exist('/proc/self/uid_map', '/proc/self/gid_map', '/proc/self/loginuid')", "[]"},
    // /proc, /sys, /dev
    {"proc-identity", "exist('/proc/version', '/proc/cpuinfo', '/proc/meminfo', '/proc/cmdline', '/proc/sys/kernel/random/boot_id')", "[]"},
    {"proc-mounts", "exist('/proc/mounts', '/proc/self/mountinfo', '/proc/self/cgroup', '/etc/mtab')", "[]"},
    {"proc-fd", "[n for n in range(1024) if tell(lambda: os.fstat(n).st_mode) != 'EBADF']", "[0, 1, 2, 3]"},
    {"proc-others", "(exist('/proc'), os.getpid(), os.getppid(), [n for n in range(2, 5000) if tell(lambda: os.kill(n, 0)) != 'ESRCH'])", "([], 1, 0, [])"},
    {"sys-files", "exist('/sys/class/net', '/sys/class/dmi/id', '/sys/devices/virtual/dmi/id/product_uuid', '/sys/block')", "[]"},
    {"sys-listing", "(exist('/sys'), sorted(os.listdir('/')))", "([], ['dev', 'lib', 'lib64', 'tmp', 'usr'])"},
    {"dev-nodes", "sorted(os.listdir('/dev'))", "['full', 'null', 'random', 'urandom', 'zero']"},
    {"machine-id", "exist('/etc/machine-id', '/var/lib/dbus/machine-id', '/etc/hostid', '/etc/hostname', '/etc/os-release', '/usr/lib/os-release')", "[]"},
    {"dmesg", "(call(103, 3, 0, 0), exist('/dev/kmsg', '/var/log'))", "('EPERM', [])"},
    {"uname-kernel", "(call(63, ctypes.create_string_buffer(512)), tuple(os.uname())[:4], __import__('platform').release())", "('EPERM', ('Linux', 'bento', '', ''), '')"},
    {"sysinfo-uptime", "(call(99, ctypes.create_string_buffer(128)), call(100, ctypes.create_string_buffer(64)), abs(os.times().elapsed - time.monotonic()) < 9, tell(os.getloadavg))", "('EPERM', 'EPERM', True, 'OSError')"},
    {"adjtimex", "(call(159, ctypes.create_string_buffer(256)), call(305, 0, ctypes.create_string_buffer(256)))", "('EPERM', 'EPERM')"},
    // 2 is what a C library assumes where it may not ask.
    {"loadavg-cpucount", "(exist('/proc/loadavg', '/proc/stat'), os.cpu_count())", "([], 2)"},
    {"cpu-model-cpuid", "(exist('/proc/cpuinfo'), __import__('platform').processor())", "([], '')"},
    {"statvfs-disk", "[tell(lambda: os.statvfs(p)) for p in ('/', '/tmp', '/usr/lib')]", "['EPERM', 'EPERM', 'EPERM']"},
    {"fs-walk", "sorted({p.split('/')[1] for p in walk()} | {p for p in walk() if p.startswith('/usr') and p.count('/') == 2})", "['/usr/bin', '/usr/lib', 'dev', 'lib', 'lib64', 'tmp', 'usr']"},
    {"usr-local", "exist('/usr/local', '/usr/share', '/home', '/root', '/var', '/opt', '/srv', '/mnt', '/media', '/boot')", "[]"},
    {"programs", "[n for n in os.listdir('/usr/bin') if not n.startswith('python3')]", "[]"},
    // itself
    {"python-paths", "[p for p in sys.path + [sys.executable, sys.prefix, os.getcwd()] if not p.startswith(('/usr/lib/python3', '/usr/bin/python3', '/tmp')) and p != '/usr']", "[]"},
    {"traceback-paths", "(lambda t: sorted({l.split('\"')[1] for l in t.splitlines() if 'File \"' in l}))(__import__('traceback').format_exc() if tell(lambda: 1 / 0) is None else ''.join(__import__('traceback').format_stack()))", "['<inline>', '<string>']"},
    {"heap-scan-secrets", "[s for s in strings() if 'CANARY-OF-ANOTHER' in s or FOLDER in s or TOKEN in s]", "[]"},
    {"arguments", "[a for a in sys.orig_argv if a.startswith('/') and a != sys.executable] + sys.argv", "['-c']"},
    {"other-instances-files", "os.listdir('/tmp')", "[]"},
    {"sysv-ipc-keys", "calls(29, 68, 64, 248, 249, 250, 240)", "['EPERM']"},
    {"tty-name", "([tell(lambda: os.ttyname(n)) for n in range(4)], exist('/dev/tty', '/dev/pts', '/dev/console'), tell(lambda: os.tcgetpgrp(0)))", "(['ENOTTY', 'ENOTTY', 'ENOTTY', 'ENOTTY'], [], 'EPERM')"},
    {"rusage-limits", "[__import__('resource').getrlimit(n)[1] for n in (0, 1, 4, 6, 7, 8, 9, 12)]", "[60, 67108864, 0, 32, 256, 0, 268435456, 0]"},
    {"sched-affinity", "(tell(lambda: os.sched_getaffinity(0)), call(309, 0, 0, 0), calls(203, 144, 156))", "('EPERM', 'EPERM', ['EPERM'])"},
    {"capabilities", "(lambda h, d: (call(125, h, d), list(d)))(struct.pack('Ii', 0x20080522, 0), (ctypes.c_uint * 6)())", "(0, [0, 0, 0, 0, 0, 0])"},
    {"suid-binaries", "[p for p in walk() if os.lstat(p).st_mode & 0o6000]", "[]"},
    {"page-cache", "calls(27, 452, 451)", "['EPERM']"},
    {"memory-of-others", "(exist('/proc/self/mem', '/dev/mem', '/dev/kmem', '/dev/shm'), calls(310, 311, 319))", "([], ['EPERM'])"},
};
// clang-format on

/// Whoever reached one of these has left the sandbox.
struct loopback {
    int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int abstract = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    std::uint16_t port = 0;
    std::string name = "bento-" + uuid4::generate().str();

    loopback() {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        REQUIRE(::bind(tcp, reinterpret_cast<sockaddr*>(&at), size) == 0);
        REQUIRE(::listen(tcp, 8) == 0);
        REQUIRE(::getsockname(tcp, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        REQUIRE(::bind(udp, reinterpret_cast<sockaddr*>(&at), size) == 0);
        port = ntohs(at.sin_port);
        sockaddr_un hidden{};
        hidden.sun_family = AF_UNIX;
        name.copy(hidden.sun_path + 1, sizeof hidden.sun_path - 1);
        REQUIRE(::bind(abstract, reinterpret_cast<sockaddr*>(&hidden),
                       static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())) == 0);
        REQUIRE(::listen(abstract, 8) == 0);
    }
    loopback(const loopback&) = delete;
    loopback& operator=(const loopback&) = delete;
    ~loopback() {
        for (const int fd : {tcp, udp, abstract})
            ::close(fd);
    }
    bool untouched() const {
        char byte = 0;
        return ::accept(tcp, nullptr, nullptr) < 0 && ::accept(abstract, nullptr, nullptr) < 0 &&
               ::recv(udp, &byte, 1, 0) < 0;
    }
};

std::string replaced(std::string text, std::string_view what, const std::string& with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

}  // namespace

TEST_CASE("T33, T35: the threat table: nothing tells a function where it runs") {
    const loopback host;
    test::run(
        [&](asio::any_io_executor) -> asio::awaitable<void> {
            auto b = (co_await test::make_box()).value();
            // Another function's code and life, which none of the probes may find.
            auto other = co_await test::connect(*b);
            const std::string secret =
                "secret = 'CANARY-OF-ANOTHER'\ndef f():\n    open('/tmp/canary', 'w').write(secret)\n"
                "    api.send('written')\n    api.recv()\n";
            const auto its_token = (co_await other.store("other", secret)).value();
            const auto its_id = (co_await other.execute("f()", its_token)).value();
            (co_await other.open(its_id)).value();
            co_await test::read_output(other);

            auto c = co_await test::connect(*b);
            const auto token = (co_await c.store("probe", prelude)).value();
            for (const auto& p : probes) {
                auto text = "tell(lambda: " + std::string{p.asks} + ")";
                text = replaced(text, "PORT", std::to_string(host.port));
                text = replaced(text, "ABSTRACT", host.name);
                // As bytes, so that the call itself does not hold what is looked for.
                const auto hidden = [](std::string_view s) {
                    std::string out = "bytes((";
                    for (const char ch : s)
                        out += std::to_string(static_cast<unsigned char>(ch)) + ",";
                    return out + ")).decode()";
                };
                text = replaced(text, "'CANARY-OF-ANOTHER'", hidden("CANARY-OF-ANOTHER"));
                text = replaced(text, "FOLDER", hidden(b->folder.path().string()));
                text = replaced(text, "TOKEN", hidden(token.text()));
                const auto told = co_await test::run_stored(*b, token, text);
                INFO(p.vector);
                CHECK(told == "[" + std::string{p.told} + "]dead");
            }
        },
        120s);
    CHECK(host.untouched());
}

TEST_CASE("clock-boottime: the clocks of the uptime differ from the machine's and from each other's") {
    const std::string code = "import time\ndef f(c):\n    return time.clock_gettime(c)\n";
    const auto clocks = test::run(
        [&](asio::any_io_executor) -> asio::awaitable<std::vector<double>> {
            auto b = (co_await test::make_box()).value();
            std::vector<double> out;
            // CLOCK_MONOTONIC, _RAW, _COARSE and BOOTTIME
            for (const auto* text : {"f(1)", "f(4)", "f(6)", "f(7)", "f(1)", "f(7)"})
                out.push_back(std::stod((co_await test::call(*b, code, text)).substr(1)));
            co_return out;
        },
        60s);
    const clockid_t ids[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME};
    for (std::size_t i = 0; i < 4; ++i) {
        timespec now{};
        ::clock_gettime(ids[i], &now);
        // Random offsets of up to 30 days: once in a hundred thousand runs one is smaller than this.
        CHECK(std::abs(clocks[i] - static_cast<double>(now.tv_sec)) > 25);
    }
    CHECK(std::abs(clocks[0] - clocks[4]) > 25);
    CHECK(std::abs(clocks[3] - clocks[5]) > 25);
}

TEST_CASE("clock-skew: the wall clock is the machine's, which the manual says") {
    const auto told = test::run(
        [&](asio::any_io_executor) -> asio::awaitable<std::string> {
            auto b = (co_await test::make_box()).value();
            co_return co_await test::call(*b, "import time\ndef f():\n    return int(time.time())\n", "f()");
        },
        60s);
    CHECK(std::abs(std::stod(told.substr(1)) - static_cast<double>(::time(nullptr))) < 30);
}
