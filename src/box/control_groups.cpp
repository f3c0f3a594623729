#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <sys/stat.h>
#include <algorithm>
#include <bento/base/file.hpp>
#include <bento/box/control_groups.hpp>
#include <charconv>

namespace bento::box {
namespace {

namespace fs = std::filesystem;

/// A file of a control group or of /proc is smaller.
constexpr std::size_t file_limit = 1 << 20;
constexpr std::string_view prefix = "bentoctl.";

bool write_into(const fs::path& file, std::string_view text) {
    const net::unique_fd fd{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
    return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string content(const fs::path& file) {
    auto text = read_file(file, file_limit);
    return text ? std::move(*text) : std::string{};
}

bool tells(const fs::path& file, std::string_view word) {
    const auto text = " " + content(file);
    const auto at = text.find(" " + std::string{word});
    return at != std::string::npos &&
           std::string_view{" \n"}.find(text.c_str()[at + 1 + word.size()]) != std::string_view::npos;
}

/// A server that was killed leaves its groups; those that hold a process cannot be removed, and stay.
void remove_left_behind(const fs::path& in) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{in, ignored}) {
        const auto name = entry.path().filename().string();
        int pid = 0;
        if (!name.starts_with(prefix)) continue;
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid);
        if (pid <= 0 || ::kill(pid, 0) == 0 || errno != ESRCH) continue;
        for (const auto& group : fs::directory_iterator{entry.path(), ignored})
            if (group.is_directory(ignored)) ::rmdir(group.path().c_str());
        ::rmdir(entry.path().c_str());
    }
}

}  // namespace

struct control_group::home {
    struct branch {
        fs::path directory;
        bool unified = false;
        std::vector<std::string> controllers;
    };
    std::vector<branch> branches;
    // Version 2: where we were, and where we went, since a group with processes cannot pass its controllers on.
    fs::path left, entered;
    std::uint64_t next = 0;
    std::vector<fs::path> leaving;  ///< of functions that have ended, while one of their processes has not gone

    home() = default;
    home(const home&) = delete;
    home& operator=(const home&) = delete;
    ~home() {
        remove_leaving();
        for (const auto& b : branches)
            ::rmdir(b.directory.c_str());
        go_back();
    }

    void remove_leaving() {
        std::erase_if(leaving, [](const fs::path& p) { return ::rmdir(p.c_str()) == 0 || errno != EBUSY; });
    }

    void go_back() {
        if (entered.empty()) return;
        for (const auto* controller : {"-memory", "-pids", "-cpu"})
            write_into(left / "cgroup.subtree_control", controller);
        write_into(left / "cgroup.procs", "0");
        ::rmdir(entered.c_str());
        entered.clear();
    }

    void open_first(const sandbox::hierarchy& h, const std::string& name) {
        remove_left_behind(h.group);
        branch b{fs::path{h.group} / name, false, h.controllers};
        if (::mkdir(b.directory.c_str(), 0755) == 0) branches.push_back(std::move(b));
    }

    /// Lets the children of `group` have the controllers; tells which they have now.
    static std::vector<std::string> pass_on(const fs::path& group) {
        std::vector<std::string> out;
        for (const std::string controller : {"memory", "pids", "cpu"}) {
            if (!tells(group / "cgroup.controllers", controller)) continue;
            write_into(group / "cgroup.subtree_control", "+" + controller);
            if (tells(group / "cgroup.subtree_control", controller)) out.push_back(controller);
        }
        return out;
    }

    void open_second(const sandbox::hierarchy& h, const std::string& name) {
        const fs::path group = h.group;
        const auto settle = [&](const fs::path& in) {
            remove_left_behind(in);
            branch b{in / name, true, {}};
            if (pass_on(in).empty() || ::mkdir(b.directory.c_str(), 0755) != 0) return false;
            b.controllers = pass_on(b.directory);
            branches.push_back(std::move(b));
            return true;
        };
        if (settle(group)) return;
        const auto aside = group / (name + ".server");
        if (::mkdir(aside.c_str(), 0755) == 0) {
            if (write_into(aside / "cgroup.procs", "0")) {
                left = group;
                entered = aside;
                if (settle(group)) return;
                go_back();
            } else {
                ::rmdir(aside.c_str());
            }
        }
        // The top group may hold processes and pass its controllers on, and is root's.
        if (h.top != h.group) settle(h.top);
    }
};

control_groups control_groups::open() {
    control_groups out;
    out.home_ = std::make_shared<control_group::home>();
    static unsigned opened = 0;
    const auto name = std::string{prefix} + std::to_string(::getpid()) + "." + std::to_string(opened++);
    for (const auto& h : sandbox::hierarchies(content("/proc/self/mountinfo"), content("/proc/self/cgroup")))
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
        if (::mkdir(directory.c_str(), 0755) != 0) return {};
        out.places_.push_back({directory, b.unified});
        for (const auto& controller : b.controllers)
            for (const auto& f : sandbox::group_files(controller, b.unified, p))
                if (!write_into(directory / f.name, f.value) && f.must) return {};
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
        if (::rmdir(p.directory.c_str()) != 0 && errno == EBUSY) home_->leaving.push_back(p.directory);
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
    return std::any_of(places_.begin(), places_.end(),
                       [](const place& p) { return p.unified && write_into(p.directory / "cgroup.kill", "1"); });
}

}  // namespace bento::box
