// Many runs, and what is left of them: BENTO_RUNS of them, 200 without it. The workflow `soak` makes it 10,000.
#include <fmt/format.h>
#include <unistd.h>

#include <bento/base/file.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fstream>
#include <set>

#include "box.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

/// What this process, which is the server and its caller in one, holds of the machine.
struct holdings {
    std::size_t memory_kib = 0;
    std::size_t descriptors = 0;
    std::size_t files = 0;  ///< in the folder of the server
    std::size_t children = 0, zombies = 0;
    std::size_t group_directories = 0;
};

std::size_t entries(const std::filesystem::path& directory) {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& e : std::filesystem::recursive_directory_iterator{directory})
        ++n;
    return n;
}

std::size_t in_status(const std::string& process, std::string_view key) {
    std::ifstream file{"/proc/" + process + "/status"};
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key)) return std::stoul(line.substr(key.size()));
    return 0;
}

bool is_zombie(int pid) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto name_ends = text.rfind(") ");
    return name_ends != std::string::npos && text[name_ends + 2] == 'Z';
}

/// Of the control groups that this process has made, one a run.
std::size_t group_directories() {
    const auto text = [](const char* path) { return read_file(path, 1 << 20).value(); };
    std::size_t n = 0;
    const auto mine = "bentoctl." + std::to_string(::getpid()) + ".";
    for (const auto& h : sandbox::hierarchies(text("/proc/self/mountinfo"), text("/proc/self/cgroup"))) {
        std::error_code hidden;  // what we may not read holds no group of ours
        for (const auto& place : std::set<std::string>{h.group, h.top})
            for (const auto& server : std::filesystem::directory_iterator{place, hidden})
                if (server.path().filename().string().starts_with(mine))
                    for (const auto& run : std::filesystem::directory_iterator{server.path(), hidden})
                        n += run.is_directory(hidden);
    }
    return n;
}

holdings look(const std::filesystem::path& folder) {
    holdings out;
    out.memory_kib = in_status("self", "VmRSS:");
    out.descriptors = entries("/proc/self/fd");
    out.files = entries(folder);
    std::ifstream file{"/proc/self/task/" + std::to_string(::getpid()) + "/children"};
    for (int pid = 0; file >> pid;) {
        ++out.children;
        out.zombies += is_zombie(pid);
    }
    out.group_directories = group_directories();
    return out;
}

void print(int runs, const holdings& h, clock::duration since) {
    fmt::print("{:>6} {:>8} {:>12} {:>6} {:>9} {:>8} {:>7} {:>9.1f}\n", runs, h.memory_kib, h.descriptors, h.files,
               h.children, h.zombies, h.group_directories,
               std::chrono::duration<double, std::milli>(since).count() / std::max(runs, 1));
    std::fflush(stdout);
}

}  // namespace

TEST_CASE("W2, W3, W28: of many runs nothing is left: no memory, descriptor, file, process, zombie, control group") {
    constexpr int warming_up = 20;
    const auto* wanted = std::getenv("BENTO_RUNS");
    const int runs = wanted != nullptr ? std::atoi(wanted) : 200;
    const int tell_every = std::max(runs / 10, 100);
    test::run(
        [&](asio::any_io_executor executor) -> asio::awaitable<void> {
            box::options o;
            o.warm = 0;
            auto b = (co_await test::make_box(o)).value();
            auto c = co_await test::connect(*b);
            const auto token = (co_await c.store("f", "def f():\n    open('/tmp/x', 'w')\n    return 'x'\n")).value();
            net::condition pause{executor};
            int left = 0;
            const auto keep_calling = [&]() -> asio::awaitable<void> {
                auto mine = co_await test::connect(*b);
                while (left > 0) {
                    --left;
                    const auto id = (co_await mine.execute("f()", token)).value();
                    (co_await mine.open(id)).value();
                    const auto told = co_await test::read_all(mine);
                    REQUIRE(told == "[x]dead");
                }
            };
            const auto run_some = [&](int count) -> asio::awaitable<void> {
                left = count;
                co_await (keep_calling() && keep_calling());
                // What has ended is swept away once a second, and a namespace takes a moment to go.
                co_await pause.wait(clock::now() + 1500ms);
            };
            co_await run_some(warming_up);
            const auto before = look(b->folder.path());
            fmt::print("  runs  RSS KiB  descriptors  files  children  zombies  groups  ms a run\n");
            clock::duration took{};
            print(0, before, took);
            holdings now;
            for (int done = 0; done < runs;) {
                const int next = std::min(tell_every, runs - done);
                const auto begin = clock::now();
                co_await run_some(next);
                took += clock::now() - begin - 1500ms;
                done += next;
                now = look(b->folder.path());
                print(done, now, took);
            }
            CHECK(now.descriptors == before.descriptors);
            CHECK(now.files == before.files);
            CHECK(now.children == 0);
            CHECK(now.zombies == 0);
            CHECK(now.group_directories == 0);
            // Ids of what has ended are remembered, 65,536 of them at most; anything else would be a leak.
            CHECK((test::sanitized || now.memory_kib < before.memory_kib + 4096 + static_cast<std::size_t>(runs) / 4));
            CHECK(b->server.running() == 0);
            CHECK(b->server.runs().empty());
        },
        std::chrono::seconds{60 + runs / 3});
}
