// Control groups (cgroups(7), the kernel's cgroup-v1 and cgroup-v2 documents): where ours are, and what is written into
// the group of one function. Pure: from the texts of /proc and a policy to paths and values; the box carries it out.
#pragma once

#include <bento/sandbox/plan.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bento::sandbox {

/// One mounted hierarchy.
struct hierarchy {
    std::string top;    ///< where it is mounted
    std::string group;  ///< the directory of the group that this process is in
    bool unified = false;
    std::vector<std::string> controllers;  ///< of version 1, from the mount's options; version 2 tells them in a file

    bool operator==(const hierarchy&) const = default;
};

/// Those that limit what we limit (memory, pids, cpu, cpuacct), from /proc/self/mountinfo and /proc/self/cgroup. A
/// group that lies outside what is mounted is left out.
std::vector<hierarchy> hierarchies(std::string_view mountinfo, std::string_view own_groups);

struct group_file {
    std::string name, value;
    bool must = true;  ///< false: not every kernel has it, and the limit holds without

    bool operator==(const group_file&) const = default;
};

/// What limits a function in a group with this controller.
std::vector<group_file> group_files(std::string_view controller, bool unified, const policy& p);

/// The number after `key` in a file of "key number" lines (memory.events, cpu.stat, memory.oom_control); 0 without.
std::uint64_t counter(std::string_view text, std::string_view key);

}  // namespace bento::sandbox
