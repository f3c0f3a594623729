#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bento/box/jail.hpp>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace bento::box {
namespace {

constexpr int failed_status = 125;
constexpr int lower_priority = 5;
/// Of a server that runs as root, functions are a user who is nobody else: of this many from this one on, which no
/// distribution gives away, one a function.
constexpr std::uint32_t first_user = 0x70000000, users = 1 << 24;

struct failed {
    std::string what;
};

[[noreturn]] void fail(const std::string& what) { throw failed{what + ": " + std::strerror(errno)}; }

void write_to(const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) fail(path);
    const auto written = ::write(fd, text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) fail(path);
    ::close(fd);
}

void limit(int resource, rlim_t value, const char* name) {
    const rlimit both{value, value};
    if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &both) != 0) fail(name);
}

/// Into the control groups, whose files we were given open: before leaving root, and before anything has a cost.
void enter_groups(const std::string& doors) {
    for (std::size_t at = 0; at < doors.size();) {
        const int door = std::atoi(doors.c_str() + at);
        if (::write(door, "0", 1) != 1) fail("entering a control group");
        ::close(door);
        at = std::min(doors.find(',', at), doors.size() - 1) + 1;
    }
}

/// Everybody else comes first: for the processor, and where the machine has no memory left.
void step_back() {
    if (::setpriority(PRIO_PROCESS, 0, lower_priority) != 0) fail("setpriority");
    write_to("/proc/self/oom_score_adj", "500");
}

/// Whether the user namespace that we are in knows this user; a container's may know a few thousand only, or one.
bool is_mapped(std::uint32_t user) {
    std::ifstream map{"/proc/self/uid_map"};
    for (std::uint64_t inside = 0, outside = 0, count = 0; map >> inside >> outside >> count;)
        if (inside <= user && user - inside < count) return true;
    return false;
}

void leave_root() {
    if (::geteuid() != 0) return;
    std::uint32_t user = 0;
    if (::getrandom(&user, sizeof user, 0) != sizeof user) fail("getrandom");
    user = first_user + user % users;
    // Such a container's root is an unprivileged user of the machine already, and has nobody else to become.
    if (!is_mapped(user)) return;
    if (::setgroups(0, nullptr) != 0) fail("setgroups");
    if (::setresgid(user, user, user) != 0) fail("setresgid");
    if (::setresuid(user, user, user) != 0) fail("setresuid");
    // Changing the user made our /proc files root's; the maps below are written there.
    if (::prctl(PR_SET_DUMPABLE, 1) != 0) fail("PR_SET_DUMPABLE");
    // ... and cleared the signal that ties us to the box.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("PR_SET_PDEATHSIG");
}

void enter_namespaces(const std::string& monotonic, const std::string& boot) {
    const auto uid = ::geteuid();
    const auto gid = ::getegid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWTIME) != 0) fail("unshare");
    write_to("/proc/self/setgroups", "deny");
    write_to("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
    write_to("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
    // For our children: bubblewrap's.
    write_to("/proc/self/timens_offsets", "monotonic " + monotonic + " 0\nboottime " + boot + " 0\n");
}

int become_bubblewrap(int argc, char** argv) {
    std::map<std::string, std::string> options;
    int at = 2;
    for (; at < argc && std::strcmp(argv[at], "--") != 0; ++at) {
        const std::string word = argv[at];
        const auto equals = word.find('=');
        options[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
    }
    const auto number = [&](const char* name) {
        return static_cast<rlim_t>(std::strtoull(options[name].c_str(), nullptr, 10));
    };

    enter_groups(options["--doors"]);
    step_back();
    leave_root();
    enter_namespaces(options["--monotonic"], options["--boot"]);
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("making / private");
    const auto size = "size=" + options["--disk"] + ",nr_inodes=" + options["--inodes"] + ",mode=0777";
    if (::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, size.c_str()) != 0) fail("mounting /tmp");

    std::string name = "bwrap";
    std::vector<char*> arguments{name.data()};
    for (++at; at < argc; ++at)
        arguments.push_back(argv[at]);
    arguments.push_back(nullptr);

    // Set inside the namespace: processes are then counted for this instance alone.
    limit(RLIMIT_NPROC, number("--processes"), "RLIMIT_NPROC");
    limit(RLIMIT_CPU, number("--cpu"), "RLIMIT_CPU");
    limit(RLIMIT_FSIZE, number("--disk"), "RLIMIT_FSIZE");
    limit(RLIMIT_NOFILE, number("--open-files"), "RLIMIT_NOFILE");
    limit(RLIMIT_CORE, 0, "RLIMIT_CORE");
    limit(RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK");
    limit(RLIMIT_MSGQUEUE, 0, "RLIMIT_MSGQUEUE");
    const auto memory = number("--memory");
    limit(RLIMIT_AS, memory, "RLIMIT_AS");  // the last: from here on even we may not get any

    ::execvp("bwrap", arguments.data());
    fail("bwrap");
}

}  // namespace

int jail_main(int argc, char** argv) {
    try {
        return become_bubblewrap(argc, argv);
    } catch (const failed& f) {
        ::fprintf(stderr, "jail: %s\n", f.what.c_str());
        return failed_status;
    }
}

}  // namespace bento::box
