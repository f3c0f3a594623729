#include <sys/mman.h>
#include <unistd.h>

#include <bento/box/runtime.hpp>
#include <bento/box/server.hpp>

#include "house.hpp"
#include "session.hpp"

namespace bento::box {
namespace {

result<net::unique_fd> filter_file() {
    const auto program = sandbox::make_filter();
    net::unique_fd out{::memfd_create("filter", MFD_CLOEXEC)};
    if (!out || ::write(out.get(), program.data(), program.size()) != static_cast<ssize_t>(program.size()))
        return error{sandbox::errc::start_failed, "the system call filter"};
    return out;
}

/// Runs nothing once, and tells why that fails where it does.
task<void> prove(const launcher& with) {
    const auto executor = co_await asio::this_coro::executor;
    auto run = instance::prepare(executor, with);
    if (!run) co_return run.error();
    net::condition changed{executor};
    (*run)->join(&changed);
    (*run)->begin(uuid4::generate(), "", "'ready'");
    bool ready = false;
    std::string why;
    for (;;) {
        while (auto item = (*run)->take(&changed)) {
            ready |= std::holds_alternative<instance::output>(*item);
            if (auto* failed = std::get_if<instance::failure>(&*item)) why = failed->text;
        }
        if ((*run)->exhausted()) break;
        co_await changed.wait();
    }
    (*run)->leave(&changed);
    if (ready) co_return result<void>{};
    co_return error{sandbox::errc::start_failed, "a first run in it", why + " " + (*run)->complaint()};
}

/// Everything that a function needs, proven.
task<launcher> prepare(options o) {
    auto runtime = co_await find_runtime();
    if (!runtime) co_return runtime.error();
    auto filter = filter_file();
    if (!filter) co_return filter.error();
    auto groups = o.control_groups ? control_groups::open() : control_groups{};
    launcher out{std::move(o), std::move(*runtime), std::move(*filter), std::move(groups)};
    if (auto proven = co_await prove(out); !proven) co_return proven.error();
    co_return std::move(out);
}

std::vector<std::string> missing(const control_groups& groups) {
    std::vector<std::string> out;
    for (const auto& controller : groups.missing()) {
        if (controller == "memory")
            out.emplace_back("the memory of all processes of a function together is not limited");
        if (controller == "cpu")
            out.emplace_back("the processor time of all processes of a function together is not limited");
    }
    return out;
}

}  // namespace

options options::from(const config::settings::box_settings& s, std::filesystem::path directory) {
    options o;
    o.each.memory = s.memory;
    o.each.cpu = std::chrono::ceil<std::chrono::seconds>(s.cpu);
    o.each.wall = s.wall;
    o.each.processes = s.processes;
    o.each.disk = s.disk;
    o.output = s.output;
    o.instances = s.instances;
    o.warm = s.warm;
    o.functions = s.functions;
    o.store_bytes = s.store_bytes;
    o.ttl = s.ttl;
    o.directory = std::move(directory);
    return o;
}

task<server> server::start(options o) {
    net::allow_descriptors();
    auto store = function_store::open(o);
    if (!store) co_return store.error();
    auto l = co_await prepare(std::move(o));
    if (!l) co_return l.error();
    server out;
    const auto executor = co_await asio::this_coro::executor;
    out.house_ = std::make_shared<house>(executor, std::move(*l), std::move(*store));
    out.house_->start();
    co_return out;
}

task<std::vector<std::string>> server::examine(options o) {
    const auto l = co_await prepare(std::move(o));
    if (!l) co_return l.error();
    co_return missing(l->groups);
}

server::server(server&&) noexcept = default;
server& server::operator=(server&& other) noexcept {
    std::swap(house_, other.house_);
    std::swap(listeners_, other.listeners_);
    return *this;
}
server::~server() {
    listeners_.clear();
    if (house_) house_->stop();
}

void server::serve(net::listener on) {
    listeners_.push_back(std::move(on));
    listeners_.back().start([h = house_](net::stream peer) { return serve_connection(h, std::move(peer)); });
}

std::size_t server::running() const { return house_->running(); }
std::size_t server::stored() const { return house_->store.size(); }
std::vector<run> server::runs() const { return house_->runs(); }
result<void> server::kill(const uuid4& id) { return house_->kill(id); }
function_store& server::functions() { return house_->store; }
const function_store& server::functions() const { return house_->store; }

result<void> server::remove(const uuid4& token) {
    if (auto removed = house_->store.remove(token); !removed) return removed;
    house_->kill_all_of(token);
    return {};
}

std::vector<std::string> server::degraded() const { return missing(house_->launch.groups); }

}  // namespace bento::box
