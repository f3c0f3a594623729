#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <sys/stat.h>
#include <algorithm>
#include <bento/base/file.hpp>
#include <bento/box/control_groups.hpp>
#include <charconv>
#include <iterator>
#include <sstream>

namespace bento::box {
namespace {

namespace fs = std::filesystem;

/// A file of a control group or of /proc is smaller.
constexpr std::size_t file_limit = 1 << 20;
constexpr std::string_view prefix = "bentoctl.";

std::string content(const fs::path& file) {
    auto text = read_file(file, file_limit);
    return text ? std::move(*text) : std::string{};
}

bool tells(const fs::path& file, const std::string& word) {
    std::istringstream words{content(file)};
    return std::find(std::istream_iterator<std::string>{words}, {}, word) != std::istream_iterator<std::string>{};
}

/// A server that was killed leaves its groups; those that hold a process cannot be removed, and stay.
void remove_left_behind(group_kernel& kernel, const fs::path& in) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{in, ignored}) {
        const auto name = entry.path().filename().string();
        int pid = 0;
        if (!name.starts_with(prefix)) continue;
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid);
        if (pid <= 0 || ::kill(pid, 0) == 0 || errno != ESRCH) continue;
        for (const auto& group : fs::directory_iterator{entry.path(), ignored})
            if (group.is_directory(ignored)) kernel.remove(group.path());
        kernel.remove(entry.path());
    }
}

}  // namespace

bool group_kernel::make(const fs::path& directory) { return ::mkdir(directory.c_str(), 0755) == 0; }
bool group_kernel::remove(const fs::path& directory) { return ::rmdir(directory.c_str()) == 0; }
bool group_kernel::write(const fs::path& file, std::string_view text) {
    const net::unique_fd fd{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
    return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

struct control_group::home {
    struct branch {
        fs::path directory;
        bool unified = false;
        std::vector<std::string> controllers;
    };
    const std::shared_ptr<group_kernel> kernel;
    std::vector<branch> branches;
    // Version 2: where we were, and where we went, since a group with processes cannot pass its controllers on.
    fs::path left, entered;
    std::uint64_t next = 0;
    std::vector<fs::path> leaving;  ///< of functions that have ended, while one of their processes has not gone

    explicit home(std::shared_ptr<group_kernel> k) : kernel{std::move(k)} {}
    home(const home&) = delete;
    home& operator=(const home&) = delete;
    ~home() {
        remove_leaving();
        for (const auto& b : branches)
            kernel->remove(b.directory);
        go_back();
    }

    void remove_leaving() {
        std::erase_if(leaving, [&](const fs::path& p) { return kernel->remove(p) || errno != EBUSY; });
    }

    void go_back() {
        if (entered.empty()) return;
        for (const auto* controller : {"-memory", "-pids", "-cpu"})
            kernel->write(left / "cgroup.subtree_control", controller);
        kernel->write(left / "cgroup.procs", "0");
        kernel->remove(entered);
        entered.clear();
    }

    void open_first(const sandbox::hierarchy& h, const std::string& name) {
        remove_left_behind(*kernel, h.group);
        branch b{fs::path{h.group} / name, false, h.controllers};
        if (kernel->make(b.directory)) branches.push_back(std::move(b));
    }

    /// Lets the children of `group` have the controllers; tells which they have now.
    std::vector<std::string> pass_on(const fs::path& group) const {
        std::vector<std::string> out;
        for (const std::string controller : {"memory", "pids", "cpu"}) {
            if (!tells(group / "cgroup.controllers", controller)) continue;
            kernel->write(group / "cgroup.subtree_control", "+" + controller);
            if (tells(group / "cgroup.subtree_control", controller)) out.push_back(controller);
        }
        return out;
    }

    void open_second(const sandbox::hierarchy& h, const std::string& name) {
        const fs::path group = h.group;
        const auto settle = [&](const fs::path& in) {
            remove_left_behind(*kernel, in);
            branch b{in / name, true, {}};
            if (pass_on(in).empty() || !kernel->make(b.directory)) return false;
            b.controllers = pass_on(b.directory);
            branches.push_back(std::move(b));
            return true;
        };
        if (settle(group)) return;
        const auto aside = group / (name + ".server");
        if (kernel->make(aside)) {
            if (kernel->write(aside / "cgroup.procs", "0")) {
                left = group;
                entered = aside;
                if (settle(group)) return;
                go_back();
            } else {
                kernel->remove(aside);
            }
        }
        // The top group may hold processes and pass its controllers on, and is root's.
        if (h.top != h.group) settle(h.top);
    }
};

control_groups control_groups::open() {
    return open(sandbox::hierarchies(content("/proc/self/mountinfo"), content("/proc/self/cgroup")),
                std::make_shared<group_kernel>());
}

control_groups control_groups::open(const std::vector<sandbox::hierarchy>& in, std::shared_ptr<group_kernel> kernel) {
    control_groups out;
    out.home_ = std::make_shared<control_group::home>(std::move(kernel));
    static unsigned opened = 0;
    const auto name = std::string{prefix} + std::to_string(::getpid()) + "." + std::to_string(opened++);
    for (const auto& h : in)
        h.unified ? out.home_->open_second(h, name) : out.home_->open_first(h, name);
    return out;
}

std::vector<std::string> control_groups::missing() const {
    std::vector<std::string> out;
    for (const std::string controller : {"memory", "pids", "cpu"}) {
        const auto limits = [&](const control_group::home::branch& b) {
            return std::find(b.controllers.begin(), b.controllers.end(), controller) != b.controllers.end();
        };
        if (!home_ || std::none_of(home_->branches.begin(), home_->branches.end(), limits)) out.push_back(controller);
    }
    return out;
}

std::optional<control_group> control_groups::make(const sandbox::policy& p) const {
    control_group out;
    if (!home_) return out;
    home_->remove_leaving();
    out.home_ = home_;
    const auto name = std::to_string(home_->next++);
    for (const auto& b : home_->branches) {
        const auto directory = b.directory / name;
        if (!home_->kernel->make(directory)) return {};
        out.places_.push_back({directory, b.unified});
        for (const auto& controller : b.controllers)
            for (const auto& f : sandbox::group_files(controller, b.unified, p))
                if (!home_->kernel->write(directory / f.name, f.value) && f.must) return {};
        net::unique_fd door{::open((directory / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC)};
        if (!door) return {};
        out.doors_.push_back(std::move(door));
    }
    return out;
}

control_group& control_group::operator=(control_group&& other) noexcept {
    std::swap(home_, other.home_);
    std::swap(places_, other.places_);
    std::swap(doors_, other.doors_);
    return *this;
}

control_group::~control_group() {
    for (const auto& p : places_)
        if (!home_->kernel->remove(p.directory) && errno == EBUSY) home_->leaving.push_back(p.directory);
}

std::optional<std::chrono::microseconds> control_group::cpu() const {
    for (const auto& p : places_) {
        if (const auto usage = content(p.directory / "cpuacct.usage"); !usage.empty()) {
            std::uint64_t nanoseconds = 0;
            std::from_chars(usage.data(), usage.data() + usage.size(), nanoseconds);
            return std::chrono::microseconds{nanoseconds / 1000};
        }
        if (const auto stat = content(p.directory / "cpu.stat"); p.unified && !stat.empty())
            return std::chrono::microseconds{sandbox::counter(stat, "usage_usec")};
    }
    return {};
}

bool control_group::ran_out_of_memory() const {
    return std::any_of(places_.begin(), places_.end(), [](const place& p) {
        const auto* file = p.unified ? "memory.events" : "memory.oom_control";
        return sandbox::counter(content(p.directory / file), "oom_kill") > 0;
    });
}

bool control_group::kill() {
    return std::any_of(places_.begin(), places_.end(), [&](const place& p) {
        return p.unified && home_->kernel->write(p.directory / "cgroup.kill", "1");
    });
}

}  // namespace bento::box
