// Control groups of version 2, as systemd delegates them, on a pretended hierarchy: few machines that build this have
// one.
#include <bento/box/control_groups.hpp>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// Does what the kernel's cgroup-v2 document says of a directory: its files come with it, its controllers are those
/// that its parent passes on, and a group that holds a process passes none on. This process is where `self` says.
class pretended : public box::group_kernel {
  public:
    pretended(fs::path root, std::string controllers) : root_{std::move(root)} {
        fs::create_directory(root_);
        put(root_ / "cgroup.controllers", controllers);
        fill(root_);
    }

    bool make(const fs::path& directory) override {
        if (directory.string().find(read_only) != std::string::npos) return fail(EACCES);
        if (!fs::create_directory(directory)) return fail(EEXIST);
        put(directory / "cgroup.controllers", text_of(directory.parent_path() / "cgroup.subtree_control"));
        fill(directory);
        return true;
    }

    bool remove(const fs::path& directory) override {
        if (!fs::exists(directory)) return fail(ENOENT);
        if (self == directory || busy.contains(directory)) return fail(EBUSY);
        for (const auto& e : fs::directory_iterator{directory})
            if (e.is_directory()) return fail(EBUSY);
        fs::remove_all(directory);
        return true;
    }

    bool write(const fs::path& file, std::string_view text) override {
        if (!fs::exists(file)) return fail(ENOENT);
        if (file.string().find(read_only) != std::string::npos) return fail(EACCES);
        const auto group = file.parent_path();
        if (file.filename() == "cgroup.procs") {
            if (!words(group / "cgroup.subtree_control").empty()) return fail(EBUSY);
            self = group;
        } else if (file.filename() == "cgroup.subtree_control") {
            auto passed = words(file);
            const std::string controller{text.substr(1)};
            if (!words(group / "cgroup.controllers").contains(controller)) return fail(ENOENT);
            if (text.front() == '+' && self == group) return fail(EBUSY);
            text.front() == '+' ? void(passed.insert(controller)) : void(passed.erase(controller));
            std::string line;
            for (const auto& p : passed)
                line += (line.empty() ? "" : " ") + p;
            put(file, line + "\n");
        } else {
            put(file, text);
        }
        return true;
    }

    fs::path self;
    std::string read_only = "?";  ///< what has this in its path is somebody else's
    std::set<fs::path> busy;

  private:
    static bool fail(int why) {
        errno = why;
        return false;
    }
    static std::set<std::string> words(const fs::path& file) {
        std::istringstream in{text_of(file)};
        return {std::istream_iterator<std::string>{in}, {}};
    }
    static void put(const fs::path& file, std::string_view text) { std::ofstream{file} << text; }
    static void fill(const fs::path& group) {
        for (const auto* name : {"cgroup.procs", "cgroup.subtree_control", "cgroup.kill", "cpu.stat"})
            put(group / name, "");
        const auto has = words(group / "cgroup.controllers");
        for (const auto* name :
             {"memory.max", "memory.swap.max", "memory.oom.group", "memory.events", "pids.max", "cpu.weight"})
            if (has.contains(std::string{name}.substr(0, std::string_view{name}.find('.')))) put(group / name, "");
    }

    fs::path root_;
};

struct machine {
    test::temporary_directory folder;
    fs::path group = folder.path() / "service";
    std::shared_ptr<pretended> kernel;

    explicit machine(const std::string& controllers = "cpuset cpu io memory hugetlb pids\n")
        : kernel{std::make_shared<pretended>(group, controllers)} {
        kernel->self = group;
    }
    box::control_groups open() const {
        return box::control_groups::open({{folder.path().string(), group.string(), true, {}}}, kernel);
    }
    std::vector<std::string> directories() const {
        std::vector<std::string> out;
        for (const auto& e : fs::directory_iterator{group})
            if (e.is_directory()) out.push_back(e.path().filename().string());
        std::sort(out.begin(), out.end());
        return out;
    }
};

sandbox::policy small() {
    sandbox::policy p;
    p.memory = 1 << 20;
    p.processes = 7;
    return p;
}

}  // namespace

TEST_CASE("a delegated group: the server steps aside, its functions get groups with limits, and all is put back") {
    const machine m;
    {
        const auto groups = m.open();
        CHECK(groups.missing().empty());
        REQUIRE(m.directories().size() == 2);
        const auto home = m.group / m.directories()[0];
        CHECK(m.kernel->self == m.group / (m.directories()[0] + ".server"));
        CHECK(text_of(m.group / "cgroup.subtree_control") == "cpu memory pids\n");
        CHECK(text_of(home / "cgroup.controllers") == "cpu memory pids\n");
        {
            const auto one = groups.make(small());
            auto two = groups.make(small());
            REQUIRE(one);
            REQUIRE(two);
            CHECK(one->doors().size() == 1);
            CHECK(text_of(home / "0" / "memory.max") == "1048576");
            CHECK(text_of(home / "0" / "memory.swap.max") == "0");
            CHECK(text_of(home / "0" / "memory.oom.group") == "1");
            CHECK(text_of(home / "0" / "pids.max") == "10");
            CHECK(text_of(home / "0" / "cpu.weight") == "12");
            CHECK(two->kill());
            CHECK(text_of(home / "1" / "cgroup.kill") == "1");
            CHECK(text_of(home / "0" / "cgroup.kill").empty());
        }
        CHECK_FALSE(fs::exists(home / "0"));
        CHECK_FALSE(fs::exists(home / "1"));
    }
    CHECK(m.directories().empty());
    CHECK(m.kernel->self == m.group);
    CHECK(text_of(m.group / "cgroup.subtree_control") == "\n");
}

TEST_CASE("a group that holds nobody else's process is used where it stands") {
    const machine m;
    m.kernel->self = m.folder.path();
    const auto groups = m.open();
    CHECK(groups.missing().empty());
    CHECK(m.directories().size() == 1);
    CHECK(m.kernel->self == m.folder.path());
}

TEST_CASE("what is not delegated is missing") {
    const machine without_memory{"cpu pids\n"};
    CHECK(without_memory.open().missing() == std::vector<std::string>{"memory"});
    const machine nothing{"hugetlb\n"};
    const auto none = nothing.open();
    CHECK(none.missing() == std::vector<std::string>{"memory", "pids", "cpu"});
    CHECK(nothing.directories().empty());
    CHECK(nothing.kernel->self == nothing.group);
    const auto unlimited = none.make(small());
    REQUIRE(unlimited);
    CHECK(unlimited->doors().empty());

    const machine of_others;
    of_others.kernel->read_only = "service";
    CHECK(of_others.open().missing().size() == 3);
    CHECK(of_others.directories().empty());
    CHECK(of_others.kernel->self == of_others.group);
}

TEST_CASE("what a group counts: processor time, and a process ended for want of memory") {
    const machine m;
    const auto groups = m.open();
    const auto one = groups.make(small());
    const auto at = m.group / m.directories()[0] / "0";
    CHECK_FALSE(one->ran_out_of_memory());
    std::ofstream{at / "memory.events"} << "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n";
    std::ofstream{at / "cpu.stat"} << "usage_usec 1234567\nuser_usec 1\nsystem_usec 2\n";
    CHECK(one->ran_out_of_memory());
    CHECK(one->cpu() == std::chrono::microseconds{1234567});
}

TEST_CASE("a group that still holds a process goes when the next one is made, or with the server") {
    const machine m;
    auto groups = m.open();
    const auto home = m.group / m.directories()[0];
    m.kernel->busy = {home / "0", home / "1"};
    (void)groups.make(small());
    CHECK(fs::exists(home / "0"));
    m.kernel->busy.erase(home / "0");
    (void)groups.make(small());
    CHECK_FALSE(fs::exists(home / "0"));
    CHECK(fs::exists(home / "1"));
    m.kernel->busy.clear();
    groups = {};
    CHECK(m.directories().empty());
}

TEST_CASE("what a server that was killed has left is removed, what a living one uses is not") {
    const machine m;
    const auto dead = m.group / "bentoctl.4194304.0";  // no process has this number: it is the kernel's limit
    const auto alive = m.group / "bentoctl.1.0";
    for (const auto& g : {dead, dead / "7", alive})
        REQUIRE(m.kernel->make(g));
    const auto groups = m.open();
    CHECK_FALSE(fs::exists(dead));
    CHECK(fs::exists(alive));
}
