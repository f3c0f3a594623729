// Functions that attack, for the live test that contains them and the benchmark that looks at those beside them. They
// run in a sandbox only.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace bento::test {

struct attack {
    const char* name;
    const char* body;  ///< of f()
    const char* told;  ///< all that it gives
};

// clang-format off
inline constexpr attack attacks[] = {
    {"fork-bomb", "n = 0\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(60); os._exit(0)\n        n += 1\nexcept OSError as e: api.send('%d %s' % (e.errno, n < 40))", "[11 True]dead"},
    {"fork-bomb-deep", "def more():\n    while True:\n        try: os.fork()\n        except OSError: pass\nmore()", "{the function used more processor time than it may}dead"},
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
    {"bigint-bomb", "x = 3 ** 1000000\nwhile True: x * x % 7", "{the function used more processor time than it may}dead"},
    {"output-flood-stdout", "for i in range(1000): os.write(1, b'x' * 65536)\nos.write(2, b'y' * 1000000)\napi.send('written')", "[written]dead"},
    {"giant-frame", "os.write(3, b'O' + struct.pack('>I', 0xffffffff))\ntime.sleep(60)", "{the function sent more than it may}dead"},
    {"api-frame-forgery", "os.write(3, b'Z' + struct.pack('>I', 5) + b'hello')\ntime.sleep(60)", "{the function broke the protocol of its messages}dead"},
    {"second-ready", "os.write(3, b'R' + struct.pack('>I', 0))\ntime.sleep(60)", "{the function broke the protocol of its messages}dead"},
    {"api-partial-frame", "os.write(3, b'O' + struct.pack('>I', 100) + b'half')\nos._exit(0)", "{the function ended within a message}dead"},
    {"api-partial-head", "os.write(3, b'O\\0')\nos._exit(0)", "{the function ended within a message}dead"},
    {"close-stdio", "for n in range(4): os.close(n)\ntime.sleep(60)", "{the function closed its messages and went on}dead"},
    {"kill-all", "c = os.fork()\nif c == 0: time.sleep(60)\nos.kill(-1, 9)\napi.send(str(os.waitpid(c, 0)[1]))", "[9]dead"},
    {"signal-parent-stop", "out = []\nfor p in (0, os.getppid(), 1): os.kill(p, 19); out.append(p)\napi.send(repr(out))", "[[0, 0, 1]]dead"},
    {"ptrace", "api.send(repr([call(101, n, 1, 0, 0) for n in (0, 16, 0x4206)] + [call(310, 1, 0, 0, 0, 0, 0), call(311, 1, 0, 0, 0, 0, 0)]))", "[[1, 1, 1, 1, 1]]dead"},
    {"mount", "api.send(repr(sorted({call(n, b'/tmp', b'/tmp', 0, 0, 0) for n in (165, 166, 155, 161, 428, 429, 430, 431, 432, 442)})))", "[[1]]dead"},
    {"userns-nesting", "api.send(repr([call(272, f) for f in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x80)] + [call(56, f | 17, 0, 0, 0, 0) for f in (0x10000000, 0x20000, 0x40000000, 0x20000000)] + [call(435, 0, 0), call(308, 3, 0)]))", "[[1, 1, 1, 1, 1, 1, 1, 1, 1, 38, 1]]dead"},
    {"keyctl", "api.send(repr([call(n, 0, 0, 0, 0, 0) for n in (248, 249, 250)]))", "[[1, 1, 1]]dead"},
    {"write-driver", "bad = []\nfor p in (os.__file__, sys.executable):\n    try: open(p, 'r+b'); bad.append(p)\n    except OSError: pass\napi.send(repr(bad))", "[[]]dead"},
    {"tty-tiocsti", "api.send(repr([call(16, 0, n, b'x') for n in (0x5412, 0x541c, 0x540e)]))", "[[1, 1, 1]]dead"},
    {"symlink-escape", "os.symlink('/etc/passwd', '/tmp/a'); os.symlink('../../../../root', '/tmp/b')\napi.send(repr([os.path.exists('/tmp/a'), os.path.exists('/tmp/b')]))", "[[False, False]]dead"},
    {"deep-recursion", "sys.setrecursionlimit(10 ** 9)\ndef g():\n    x = bytearray(1 << 16)\n    g()\ntry: g()\nexcept MemoryError: api.send('refused')", "[refused]dead"},
    {"segfault", "ctypes.string_at(0)", "{the function was ended by Segmentation fault}dead"},
    {"os-exit-silent", "os._exit(7)", "dead"},
    {"daemonize", "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)\napi.send('gone')", "[gone]dead"},
    {"cpu-starve", "for i in range(8):\n    if os.fork() == 0:\n        while True: pass\nwhile True: pass", "{the function used more processor time than it may}dead"},
    {"dangerous-syscalls", "api.send(repr(sorted({call(n, 0, 0, 0, 0, 0, 0) for n in (100, 101, 103, 105, 106, 113, 114, 116, 117, 119, 122, 123, 126, 133, 134, 135, 136, 139, 149, 153, 154, 155, 156, 159, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 188, 189, 190, 203, 205, 206, 207, 208, 209, 210, 211, 212, 216, 227, 236, 237, 238, 239, 240, 242, 246, 248, 249, 250, 251, 253, 254, 256, 259, 272, 275, 276, 278, 279, 294, 298, 300, 301, 303, 304, 305, 308, 310, 311, 312, 313, 317, 319, 320, 321, 323, 424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 440, 442, 443, 444, 445, 446, 447, 448, 449, 451, 452)})))", "[[1]]dead"},
    {"x32-abi", "call(0x40000000 + 39)\napi.send('reached')", "{the function was ended by Bad system call}dead"},
};
// clang-format on

inline constexpr auto attack_head = R"py(import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.syscall(number, *arguments) == -1 else 'reached %d' % number
def f():
)py";

inline std::string function_of(const attack& a) {
    std::string out = attack_head;
    for (std::string_view rest = a.body; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        out += "    " + std::string{rest.substr(0, end)} + "\n";
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
}

}  // namespace bento::test
