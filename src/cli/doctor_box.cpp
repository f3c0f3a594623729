// The part of bentoctl doctor about the sandbox.
#include <stdlib.h>

#include <bento/base/file.hpp>
#include <bento/box/server.hpp>

#include "doctor.hpp"
#include "terminal.hpp"

namespace bento::cli {
namespace {

namespace fs = std::filesystem;
using state = finding::state;

constexpr auto check = "sandbox";
constexpr std::chrono::seconds server_limit{5};
/// /proc/cgroups is a table of a dozen lines.
constexpr std::size_t proc_limit = 1 << 16;

/// A place for a box that stores nothing, gone with it.
struct empty_store {
    empty_store() {
        auto pattern = (fs::temp_directory_path() / "bentoctl-doctor-XXXXXX").string();
        if (::mkdtemp(pattern.data()) != nullptr) path = pattern;
    }
    empty_store(const empty_store&) = delete;
    empty_store& operator=(const empty_store&) = delete;
    ~empty_store() {
        std::error_code ignored;  // it is empty but for the store's own files
        if (!path.empty()) fs::remove_all(path, ignored);
    }
    fs::path path;
};

/// Whether the kernel has this controller at all: `NAME HIERARCHY GROUPS ENABLED`.
bool kernel_has(std::string_view controller) {
    const auto table = read_file("/proc/cgroups", proc_limit);
    if (!table) return false;
    const auto at = table->find("\n" + std::string{controller} + "\t");
    return at != std::string::npos && table->substr(at + 1, table->find('\n', at + 1) - at - 1).ends_with('1');
}

asio::awaitable<void> examine_other(const endpoint& at, findings& to) {
    const auto there = co_await net::stream::connect(at, clock::now() + server_limit);
    if (there)
        to.push_back({"function server", state::fine, at.str()});
    else
        to.push_back({"function server", state::wrong, there.error().message(),
                      "start it, or leave [gateway] server out for the embedded one"});
}

}  // namespace

asio::awaitable<void> examine_box(const config::settings& s, findings& to) {
    if (s.gateway.server) {
        co_await examine_other(*s.gateway.server, to);
        co_return;
    }
    const empty_store store;
    auto options = box::options::from(s.box, store.path);
    options.warm = 0;
    const auto box = co_await box::server::start(std::move(options));
    if (!box) {
        to.push_back({check, state::wrong, box.error().message(), hint_for(box.error())});
        co_return;
    }
    to.push_back({check, state::fine, "a function can run in it"});
    const auto fix = kernel_has("memory")
                         ? "run as root, or as a systemd service with Delegate=yes"
                         : "this kernel has no memory control group: boot it with cgroup_enable=memory";
    for (const auto& missing : box->degraded())
        to.push_back({check, state::degraded, missing, fix});
}

}  // namespace bento::cli
