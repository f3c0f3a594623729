// The system call filter: an allow-list of what CPython and its standard library need without network, mounts, tracing,
// keys, modules, or a look at the machine.
//
// Missing on purpose, though harmless at first sight: times (it returns the machine's uptime, which no namespace
// moves), memfd_create (memory that no limit of a process counts), mincore (what others have read), setsockopt (filters
// and buffers in the kernel).
#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <bento/sandbox/plan.hpp>
#include <memory>
#include <stdexcept>

namespace bento::sandbox {
namespace {

// clang-format off
constexpr std::array allowed{
    // files
    "access", "chdir", "chmod", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3",
    "faccessat", "faccessat2", "fallocate", "fchdir", "fchmod", "fchmodat", "fcntl", "fdatasync", "flock", "fstat",
    "fsync", "ftruncate", "getcwd", "getdents64", "lseek", "link", "linkat", "lstat", "mkdir", "mkdirat",
    "newfstatat", "open", "openat", "pipe", "pipe2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev",
    "pwritev2", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "sendfile",
    "stat", "statx", "symlink", "symlinkat", "truncate", "umask", "unlink", "unlinkat", "utimensat", "write",
    "writev", "fadvise64",
    // memory
    "brk", "madvise", "mmap", "mprotect", "mremap", "munmap", "msync", "membarrier",
    // waiting and time
    "clock_getres", "clock_gettime", "clock_nanosleep", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_wait", "eventfd2", "futex", "getitimer", "gettimeofday", "nanosleep", "pause", "poll", "ppoll", "pselect6",
    "select", "setitimer", "alarm", "time", "timer_create", "timer_delete", "timer_gettime", "timer_settime",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "restart_syscall",
    // itself
    "arch_prctl", "capget", "exit", "exit_group", "get_robust_list", "getegid", "geteuid", "getgid", "getgroups",
    "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresuid", "getrlimit",
    "getrusage", "getsid", "gettid", "getuid", "prlimit64", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sched_yield", "set_robust_list",
    "set_tid_address", "setpgid", "setrlimit", "setsid", "sigaltstack",
    // its own processes
    "execve", "fork", "kill", "tgkill", "vfork", "wait4", "waitid",
    // the socket it was given
    "getpeername", "getsockname", "recvfrom", "recvmsg", "sendmsg", "sendto", "shutdown",
};
// clang-format on

/// Namespaces a thread may not make for itself (the time namespace's bit lies among those of the exit signal).
constexpr unsigned long namespace_flags =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

void must(int code, const char* what) {
    if (code != 0) throw std::runtime_error{std::string{"system call filter: "} + what};
}

void allow(scmp_filter_ctx filter, const char* name) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) return;  // a newer or older kernel's, not of this library
    must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0), name);
}

}  // namespace

std::string make_filter() {
    const std::unique_ptr<void, void (*)(scmp_filter_ctx)> holder{seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release};
    auto* filter = holder.get();
    if (filter == nullptr) throw std::runtime_error{"system call filter: no memory"};
    must(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "architecture");
    for (const auto* name : allowed)
        allow(filter, name);
    // glibc falls back to clone, whose flags can be looked at.
    must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
    must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0), "openat2");
    must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, namespace_flags, 0)),
         "clone");
    // A pair of connected sockets leads nowhere else; every other socket does.
    must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX)),
         "socketpair");
    // What a socket is, but not who holds its other end (SO_PEERCRED, SO_PEERSEC, SO_PEERPIDFD).
    for (const auto option : {SO_TYPE, SO_ERROR, SO_DOMAIN, SO_PROTOCOL})
        must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(getsockopt), 2, SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET),
                              SCMP_A2(SCMP_CMP_EQ, static_cast<unsigned long>(option))),
             "getsockopt");
    for (const auto request : {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS})
        must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffUL, static_cast<unsigned long>(request))),
             "ioctl");
    // Not a core of the machine's layout, not the speculation controls: a name and the parent's death, no more.
    for (const auto option : {PR_SET_NAME, PR_GET_NAME, PR_SET_PDEATHSIG, PR_GET_DUMPABLE})
        must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                              SCMP_A0(SCMP_CMP_EQ, static_cast<unsigned long>(option))),
             "prctl");

    const int fd = ::memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0) throw std::runtime_error{"system call filter: memfd"};
    const int exported = seccomp_export_bpf(filter, fd);
    std::string out(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
    const auto got = ::pread(fd, out.data(), out.size(), 0);
    ::close(fd);
    must(exported, "export");
    if (got != static_cast<ssize_t>(out.size())) throw std::runtime_error{"system call filter: short read"};
    return out;
}

}  // namespace bento::sandbox
