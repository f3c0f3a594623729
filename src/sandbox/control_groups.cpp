#include <algorithm>
#include <bento/sandbox/control_groups.hpp>
#include <charconv>

namespace bento::sandbox {
namespace {

/// A function's weight against the server's and other programs' (1024 and 100 are the defaults of the versions).
constexpr auto shares = "128";
constexpr auto weight = "12";
/// bubblewrap's own processes beside the function's.
constexpr std::uint64_t own_processes = 3;

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> out;
    for (;;) {
        const auto end = text.find(at);
        out.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

bool has(const std::vector<std::string_view>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescaped(std::string_view path) {
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i) {
        int value = 0;
        if (path[i] == '\\' && i + 3 < path.size() &&
            std::from_chars(path.data() + i + 1, path.data() + i + 4, value, 8).ptr == path.data() + i + 4) {
            out += static_cast<char>(value);
            i += 3;
        } else {
            out += path[i];
        }
    }
    return out;
}

/// The path of our group in a hierarchy whose controllers are `wanted` (none: the unified one).
std::string_view group_path(std::string_view own_groups, const std::vector<std::string>& wanted) {
    for (const auto line : split(own_groups, '\n')) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos) continue;
        const auto controllers = line.substr(first + 1, second - first - 1);
        if (wanted.empty() ? controllers.empty() : has(split(controllers, ','), wanted.front()))
            return line.substr(second + 1);
    }
    return {};
}

}  // namespace

std::vector<hierarchy> hierarchies(std::string_view mountinfo, std::string_view own_groups) {
    std::vector<hierarchy> out;
    for (const auto line : split(mountinfo, '\n')) {
        const auto words = split(line, ' ');
        const auto dash = std::find(words.begin(), words.end(), "-");
        if (words.size() < 10 || words.end() - dash < 4) continue;
        hierarchy h;
        h.unified = dash[1] == "cgroup2";
        if (!h.unified && dash[1] != "cgroup") continue;
        if (!h.unified) {
            const auto options = split(dash[3], ',');
            for (const auto* controller : {"memory", "pids", "cpu", "cpuacct"})
                if (has(options, controller)) h.controllers.emplace_back(controller);
            if (h.controllers.empty()) continue;
        }
        // The mount may show a part of the hierarchy only.
        const auto root = words[3] == "/" ? std::string_view{} : words[3];
        auto path = group_path(own_groups, h.controllers);
        if (path.empty() || path.starts_with("/..") || !path.starts_with(root)) continue;
        path.remove_prefix(root.size());
        if (!path.empty() && path.front() != '/') continue;
        h.top = unescaped(words[4]);
        h.group = h.top + std::string{path == "/" ? std::string_view{} : path};
        out.push_back(std::move(h));
    }
    return out;
}

std::vector<group_file> group_files(std::string_view controller, bool unified, const policy& p) {
    const auto memory = std::to_string(p.memory);
    if (controller == "memory" && unified)
        return {{"memory.max", memory}, {"memory.swap.max", "0", false}, {"memory.oom.group", "1", false}};
    // The order matters: memory and swap together can never be less than memory alone.
    if (controller == "memory")
        return {{"memory.limit_in_bytes", memory}, {"memory.memsw.limit_in_bytes", memory, false}};
    if (controller == "pids") return {{"pids.max", std::to_string(p.processes + own_processes)}};
    if (controller == "cpu" && unified) return {{"cpu.weight", weight, false}};
    if (controller == "cpu") return {{"cpu.shares", shares, false}};
    return {};
}

std::uint64_t counter(std::string_view text, std::string_view key) {
    for (const auto line : split(text, '\n')) {
        std::uint64_t value = 0;
        const auto words = split(line, ' ');
        if (words.size() == 2 && words[0] == key)
            std::from_chars(words[1].data(), words[1].data() + words[1].size(), value);
        if (value != 0) return value;
    }
    return 0;
}

}  // namespace bento::sandbox
