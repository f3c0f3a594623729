// bentoctl doctor and bentoctl config: what is wrong on this machine, and the line to change.
#include "doctor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bento/base/errc.hpp>
#include <bento/box/server.hpp>
#include <bento/onion/address.hpp>
#include <boost/json.hpp>

#include "options.hpp"
#include "run.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

namespace bento::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using state = finding::state;

std::string user_name() {
    const auto* user = ::getpwuid(::geteuid());
    return user != nullptr ? user->pw_name : std::to_string(::geteuid());
}
std::string group_name(gid_t id) {
    const auto* group = ::getgrgid(id);
    return group != nullptr ? group->gr_name : std::to_string(id);
}
std::string owner_name(uid_t id) {
    const auto* user = ::getpwuid(id);
    return user != nullptr ? user->pw_name : std::to_string(id);
}

std::string mode_of(const struct stat& info) {
    return fmt::format("mode {:04o}, {}:{}", info.st_mode & 07777U, owner_name(info.st_uid), group_name(info.st_gid));
}

std::string join_the_group(gid_t id) {
    return fmt::format("usermod -aG {} {}, then log in again", group_name(id), user_name());
}

const char* word(state s) {
    switch (s) {
        case state::fine:
            return "ok";
        case state::degraded:
            return "degraded";
        case state::warning:
            return "warning";
        case state::wrong:
            return "error";
    }
    return "";
}

const char* colour(state s) { return s == state::fine ? "32" : s == state::wrong ? "31" : "33"; }

bool any(const findings& all, state s) {
    return std::any_of(all.begin(), all.end(), [s](const finding& f) { return f.is == s; });
}

void print(const globals& g, const findings& all) {
    const terminal out{g};
    if (g.json) {
        json::array checks;
        for (const auto& f : all) {
            json::object o{{"check", f.check}, {"state", word(f.is)}, {"text", f.text}};
            if (!f.fix.empty()) o["fix"] = f.fix;
            checks.push_back(std::move(o));
        }
        return out.line(json::serialize(json::object{
            {"ok", !any(all, state::wrong)}, {"degraded", any(all, state::degraded)}, {"checks", std::move(checks)}}));
    }
    for (const auto& f : all) {
        const auto label = fmt::format("{:<10}", word(f.is));
        out.line(fmt::format("{}{:<15}{}", out.colour() ? fmt::format("\033[{}m{}\033[0m", colour(f.is), label) : label,
                             f.check, f.text));
        if (!f.fix.empty()) out.line(fmt::format("{:<10}{:<15}-> {}", "", "", f.fix));
    }
}

/// The settings, or the defaults where they are wrong, which is told.
config::settings examine_configuration(const globals& g, findings& to) {
    constexpr auto check = "configuration";
    const auto file = configuration_file(g);
    if (!file) {
        to.push_back({check, state::fine, "none, and none is needed: the defaults hold"});
        return {};
    }
    auto read = config::load(*file);
    if (!read) {
        to.push_back({check, state::wrong, read.error().detail, "bentoctl.toml(5) lists the keys"});
        return {};
    }
    to.push_back({check, state::fine, file->string()});
    if (const auto& password = read->tor.password_file) {
        struct stat info {};
        auto secret = explain_access("password file", password->string(), access::read);
        if (secret.is == state::fine && ::stat(password->c_str(), &info) == 0 && (info.st_mode & 077U) != 0)
            secret = {secret.check, state::warning, password->string() + " can be read by others: " + mode_of(info),
                      "chmod 600 " + password->string()};
        to.push_back(std::move(secret));
    }
    return std::move(*read);
}

task<int> examine(const globals& g) {
    findings all;
    const auto settings = examine_configuration(g, all);
    co_await examine_tor(g, settings, all);
    examine_state(g, all);
    co_await examine_box(settings, all);
    print(g, all);
    co_return any(all, state::wrong) ? 1 : 0;
}

result<int> check_configuration(const globals& g) {
    terminal out{g};
    const auto file = configuration_file(g);
    if (file) {
        const auto read = config::load(*file);
        if (!read) return read.error();
    }
    if (g.json) {
        json::object o{{"file", nullptr}, {"ok", true}};
        if (file) o["file"] = file->string();
        out.line(json::serialize(o));
    } else {
        out.line(file ? file->string() + ": valid" : "no configuration file: the defaults hold");
    }
    return 0;
}

}  // namespace

finding explain_access(std::string check, const std::string& path, access wanted) {
    struct stat info {};
    const auto refused = [&](const std::string& what, const std::string& of, mode_t group_may) {
        if (::stat(of.c_str(), &info) != 0) return finding{check, state::wrong, of + " is not there"};
        return finding{check, state::wrong, fmt::format("{} may not {} {} ({})", user_name(), what, of, mode_of(info)),
                       (info.st_mode & group_may) != 0 ? join_the_group(info.st_gid) : ""};
    };
    for (auto at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
        if (const auto folder = path.substr(0, at); ::access(folder.c_str(), X_OK) != 0)
            return refused("enter", folder, S_IXGRP);
    if (wanted == access::read && ::access(path.c_str(), R_OK) != 0) return refused("read", path, S_IRGRP);
    if (wanted == access::connect && ::access(path.c_str(), W_OK) != 0) return refused("write to", path, S_IWGRP);
    return {check, state::fine, path};
}

void examine_state(const globals& g, findings& to) {
    constexpr auto check = "state";
    const auto& folder = g.state_directory;
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) {
        to.push_back({check, state::fine, folder.string() + " is made when it is needed"});
        return;
    }
    if (!S_ISDIR(info.st_mode) || ::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
        to.push_back({check, state::wrong,
                      fmt::format("{} may not use {} ({})", user_name(), folder.string(), mode_of(info)),
                      "chown -R " + user_name() + " " + folder.string() + ", or another --state-dir"});
        return;
    }
    if ((info.st_mode & 077U) != 0)
        to.push_back({check, state::warning,
                      fmt::format("others can look into {} ({})", folder.string(), mode_of(info)),
                      "chmod 700 " + folder.string()});
    std::size_t keys = 0;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator{folder / "onions", absent}) {
        const auto address = onion::address::parse(entry.path().filename().string());
        if (!address) continue;
        ++keys;
        const auto file = entry.path().string();
        const auto key = onion::secret_key::load(file);
        if (!key)
            to.push_back({check, state::wrong, key.error().message(), "restore " + file + " from a backup"});
        else if (onion::address::of(key->public_key()) != *address)
            to.push_back({check, state::wrong, file + " holds the key of another address"});
        else if (::stat(file.c_str(), &info) == 0 && (info.st_mode & 077U) != 0)
            to.push_back({check, state::wrong, fmt::format("others can read the key {} ({})", file, mode_of(info)),
                          "chmod 600 " + file + ", and bentoctl rotate: who has read it is the service"});
    }
    const net::unique_fd lock{::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC)};
    const bool serves = lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
    to.push_back({check, state::fine,
                  fmt::format("{}, {} onion key{}{}", folder.string(), keys, keys == 1 ? "" : "s",
                              serves ? ", a server runs on it" : "")});
}

runner declare_doctor(CLI::App&) {
    return [](const globals& g) { return run([&] { return examine(g); }); };
}

runner declare_config(CLI::App& options) {
    const auto chosen = std::make_shared<runner>();
    add_verb(options, chosen, "check", "whether the configuration is valid, and where it is not",
             [](CLI::App&) -> runner { return check_configuration; });
    return run_chosen(options, chosen);
}

}  // namespace bento::cli
