#include <bento/sandbox/control_groups.hpp>

#include "test.hpp"

using namespace bento;

namespace {

/// A machine with version 1, one with both, one with version 2 alone (systemd), and a container that sees a part.
constexpr auto first =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:4 - cgroup cgroup rw,memory\n"
    "38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n";
constexpr auto first_groups = "9:name=systemd:/\n4:memory:/jobs/7\n2:cpu,cpuacct:/\n";
constexpr auto second = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

}  // namespace

TEST_CASE("hierarchies of version 1 are those with a controller that limits functions") {
    const auto h = sandbox::hierarchies(first, first_groups);
    REQUIRE(h.size() == 2);
    CHECK(h[0] ==
          sandbox::hierarchy{"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", false, {"cpu", "cpuacct"}});
    CHECK(h[1] == sandbox::hierarchy{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/jobs/7", false, {"memory"}});
}

TEST_CASE("the hierarchy of version 2 is one, also beside those of version 1") {
    const auto h = sandbox::hierarchies(second, "0::/system.slice/bentoctl.service\n");
    REQUIRE(h.size() == 1);
    CHECK(h[0] == sandbox::hierarchy{"/sys/fs/cgroup", "/sys/fs/cgroup/system.slice/bentoctl.service", true, {}});
    CHECK(sandbox::hierarchies(std::string{first} + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
                               std::string{first_groups} + "0::/\n")
              .size() == 3);
}

TEST_CASE("a mount that shows a part of the hierarchy is followed only where our group is in it") {
    const auto part = "30 23 0:26 /docker/ab /mnt/c\\040g rw - cgroup2 cgroup2 rw\n";
    const auto h = sandbox::hierarchies(part, "0::/docker/ab/inner\n");
    REQUIRE(h.size() == 1);
    CHECK(h[0].group == "/mnt/c g/inner");
    CHECK(sandbox::hierarchies(part, "0::/docker/abc\n").empty());
    CHECK(sandbox::hierarchies(part, "0::/\n").empty());
    CHECK(sandbox::hierarchies(second, "0::/../other\n").empty());
    CHECK(sandbox::hierarchies("", "").empty());
    CHECK(sandbox::hierarchies("30 23 0:26 / /x rw - cgroup2\n", "0::/\n").empty());
}

TEST_CASE("what limits a function, by version") {
    sandbox::policy p;
    p.memory = 1000;
    p.processes = 5;
    using files = std::vector<sandbox::group_file>;
    CHECK(sandbox::group_files("memory", true, p) ==
          files{{"memory.max", "1000"}, {"memory.swap.max", "0", false}, {"memory.oom.group", "1", false}});
    CHECK(sandbox::group_files("memory", false, p) ==
          files{{"memory.limit_in_bytes", "1000"}, {"memory.memsw.limit_in_bytes", "1000", false}});
    CHECK(sandbox::group_files("pids", true, p) == files{{"pids.max", "8"}});
    CHECK(sandbox::group_files("cpuacct", false, p).empty());
}

TEST_CASE("a counter of a group's file") {
    const auto events = "low 0\nmax 12\noom 2\noom_kill 3\n";
    CHECK(sandbox::counter(events, "oom_kill") == 3);
    CHECK(sandbox::counter(events, "oom") == 2);
    CHECK(sandbox::counter(events, "low") == 0);
    CHECK(sandbox::counter("", "oom") == 0);
}
