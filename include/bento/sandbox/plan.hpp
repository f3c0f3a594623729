// What a function's process is: which files it sees, which limits hold, how bubblewrap is called. Pure: from a policy
// and a runtime to a plan; the box carries it out.
#pragma once

#include <bento/base/error.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bento::sandbox {

enum class errc {
    no_bubblewrap = 1,  ///< the program is not there
    no_python,          ///< no Python interpreter, or one that cannot be described
    no_namespaces,      ///< the kernel or the administrator does not allow user namespaces
    start_failed,       ///< the sandbox could not be made for another reason
};
std::string_view to_text(errc e);

/// What one call of a function may use.
struct policy {
    std::uint64_t memory = 256ULL << 20;  ///< address space of each process, bytes
    std::chrono::seconds cpu{60};         ///< of each process
    std::chrono::milliseconds wall = std::chrono::minutes{10};
    std::uint64_t processes = 32;      ///< processes and threads
    std::uint64_t disk = 64ULL << 20;  ///< of its /tmp, and the largest file, bytes
    std::uint64_t inodes = 4096;       ///< of its /tmp
    std::uint64_t open_files = 256;
};

/// A Python interpreter and what it needs, by absolute paths on this machine.
struct runtime {
    std::string interpreter;             ///< the program itself, no symbolic link
    std::string loader;                  ///< the path that the program names as its ELF interpreter
    std::string standard_library;        ///< a directory
    std::vector<std::string> libraries;  ///< shared objects; each is seen under its own path and its soname's
    std::vector<std::pair<std::string, std::string>> links;  ///< {link, target}: sonames beside the libraries
};

/// How far the clocks that tell the uptime are moved, seconds; random for each instance.
struct clock_offsets {
    std::uint32_t monotonic = 0;
    std::uint32_t boot = 0;
};

struct plan {
    /// What our helper does before bubblewrap: see box::jail_main.
    std::vector<std::string> jail_arguments;
    /// bubblewrap's own arguments, without the program's name.
    std::vector<std::string> bubblewrap_arguments;
};

/// Numbers of the descriptors in the sandboxed process.
inline constexpr int messages_descriptor = 3;  ///< the function's messages, a socket
inline constexpr int filter_descriptor = 4;    ///< bubblewrap reads the system call filter from it

plan make_plan(const policy& p, const runtime& r, const clock_offsets& offsets, std::string_view driver);

/// The system call filter, as a BPF program for the kernel. Everything that is not allowed fails with EPERM; clone3 and
/// what a C library tries first and can do without fails with ENOSYS; foreign architectures and the x32 ABI are killed.
std::string make_filter();

}  // namespace bento::sandbox
BENTO_ERRC(sandbox);
