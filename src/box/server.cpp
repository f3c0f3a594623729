#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bento/box/runtime.hpp>
#include <bento/box/server.hpp>
#include <bento/wire/server_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <map>

namespace bento::box {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr std::size_t read_size = 64 * 1024;
/// Runs that have ended and are remembered, so that who opens one late learns that it is dead.
constexpr std::size_t remembered_limit = 4096;
/// The client's turn to read: a connection that takes nothing for this long is closed.
constexpr std::chrono::minutes write_limit{5};

}  // namespace

struct server::state : std::enable_shared_from_this<state> {
    state(asio::any_io_executor e, launcher l, function_store s)
        : executor{std::move(e)}, launch{std::move(l)}, store{std::move(s)} {}

    asio::any_io_executor executor;
    launcher launch;
    function_store store;
    struct record {
        std::shared_ptr<instance> function;
        uuid4 token;
        time_point started;
    };
    std::map<uuid4, record> instances;
    std::vector<net::listener> listeners;

    std::size_t running() const {
        std::size_t n = 0;
        for (const auto& [id, r] : instances)
            n += r.function->ended() ? 0U : 1U;
        return n;
    }

    void forget_old() {
        const auto now = clock::now();
        for (auto i = instances.begin(); i != instances.end();) {
            const auto& function = *i->second.function;
            const bool old = function.ended() &&
                             (now - function.ended_at() > launch.options.ttl || instances.size() > remembered_limit);
            i = old ? instances.erase(i) : std::next(i);
        }
    }

    result<std::shared_ptr<instance>> execute(const uuid4& token, std::string call) {
        auto function = store.find(token);
        if (!function) return function.error();
        forget_old();
        if (running() >= launch.options.instances) return errc::too_many;
        auto started = instance::start(executor, launch, uuid4::generate(), std::move(function->code), std::move(call));
        if (started) instances.emplace((*started)->id(), record{*started, token, clock::now()});
        return started;
    }
};

namespace {

/// One connection: a reader of requests and one writer, so that no reply lands inside an output.
template <class State>
class session {
  public:
    session(std::shared_ptr<State> box, net::stream peer)
        : box_{std::move(box)}, peer_{std::move(peer)}, wake_{peer_.executor()} {}
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() { leave(); }

    asio::awaitable<void> run() { co_await (read() || write()); }

  private:
    asio::awaitable<void> read() {
        std::vector<char> buffer(read_size);
        for (;;) {
            const auto n = co_await peer_.read_some(buffer);
            if (!n) co_return;
            machine_.feed({buffer.data(), *n});
            for (;;) {
                auto event = machine_.next();
                if (std::holds_alternative<wire::server::need_data>(event)) break;
                std::visit([this](auto& e) { on(e); }, event);
                wake_.notify_all();
                // A client that sends faster than it reads waits.
                while (replies_.size() > read_size)
                    co_await wake_.wait();
            }
        }
    }

    void on(wire::server::need_data&) {}
    void on(wire::server::store& e) {
        auto token = box_->store.add({std::move(e.name), std::move(e.code)});
        replies_ += token ? machine_.reply_stored(*token)
                          : machine_.reply_refused(to_text(static_cast<errc>(token.error().code.value())));
    }
    void on(wire::server::execute& e) {
        auto started = box_->execute(e.token, std::move(e.call));
        if (started)
            replies_ += machine_.reply_executed((*started)->id());
        else if (started.error().code == errc::unknown_token)
            replies_ += machine_.reply_invalid_token();
        else
            replies_ += machine_.reply_refused(started.error().code.message());
    }
    void on(wire::server::open& e) {
        const auto found = box_->instances.find(e.id);
        if (found == box_->instances.end()) {
            replies_ += machine_.open_failed();
            return;
        }
        leave();
        machine_.open_ok();
        open_ = found->second.function;
        open_->watch(&wake_);
    }
    void on(wire::server::close&) {
        if (!in_message_) leave();
    }
    void on(wire::server::input& e) {
        if (open_ && !open_->input(std::move(e.data)) && !open_->ended())
            replies_ += machine_.refuse_input("the function does not read its input");
    }
    void on(wire::server::violation& e) { replies_ += e.reply; }

    void leave() {
        if (!open_) return;
        open_->unwatch(&wake_);
        open_->release(this);
        open_.reset();
    }

    asio::awaitable<void> write() {
        for (;;) {
            if (!replies_.empty() && !in_message_) {
                const auto now = std::exchange(replies_, {});
                if (!co_await send(now)) co_return;
                wake_.notify_all();
                continue;
            }
            // A Close arrived in the middle of a message, which had to be finished.
            if (open_ && !in_message_ && !machine_.session()) leave();
            if (auto item = open_ ? open_->take(this) : std::nullopt) {
                if (!co_await send(*item)) co_return;
                continue;
            }
            if (open_ && open_->exhausted()) {
                if (in_message_) co_return;  // the announced size cannot be kept any more
                replies_ += machine_.function_dead();
                leave();
                continue;
            }
            co_await wake_.wait();
        }
    }

    asio::awaitable<bool> send(const std::string& bytes) {
        peer_.expires_after(write_limit);
        const auto written = co_await peer_.write(bytes);
        peer_.expires_never();
        co_return static_cast<bool>(written);
    }

    asio::awaitable<bool> send(instance::item& item) {
        if (auto* begin = std::get_if<instance::message_begin>(&item)) {
            in_message_ = true;
            co_return co_await send(machine_.output_begin(begin->size));
        }
        if (auto* data = std::get_if<instance::message_data>(&item)) co_return co_await send(data->bytes);
        if (std::holds_alternative<instance::message_end>(item)) {
            in_message_ = false;
            co_return true;
        }
        if (in_message_) co_return false;  // its announced size cannot be kept any more
        co_return co_await send(machine_.function_error(std::get<instance::failure>(item).text));
    }

    std::shared_ptr<State> box_;
    net::stream peer_;
    net::condition wake_;
    wire::server machine_;
    std::string replies_;
    std::shared_ptr<instance> open_;
    bool in_message_ = false;
};

asio::awaitable<void> serve_connection(auto box, net::stream peer) {
    session s{std::move(box), std::move(peer)};
    co_await s.run();
}

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
    auto run = instance::start(executor, with, uuid4::generate(), "", "'ready'");
    if (!run) co_return run.error();
    net::condition changed{executor};
    (*run)->watch(&changed);
    bool ready = false;
    std::string why;
    for (;;) {
        while (auto item = (*run)->take(&changed)) {
            ready |= std::holds_alternative<instance::message_data>(*item);
            if (auto* failed = std::get_if<instance::failure>(&*item)) why = failed->text;
        }
        if ((*run)->exhausted()) break;
        co_await changed.wait();
    }
    (*run)->unwatch(&changed);
    if (ready) co_return result<void>{};
    co_return error{sandbox::errc::start_failed, "a first run in it", why + (*run)->complaint()};
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
    o.functions = s.functions;
    o.store_bytes = s.store_bytes;
    o.ttl = s.ttl;
    o.directory = std::move(directory);
    return o;
}

task<server> server::start(options o) {
    auto runtime = co_await find_runtime();
    if (!runtime) co_return runtime.error();
    auto filter = filter_file();
    if (!filter) co_return filter.error();
    auto store = function_store::open(o);
    if (!store) co_return store.error();
    launcher l{std::move(o), std::move(*runtime), std::move(*filter)};
    if (auto proven = co_await prove(l); !proven) co_return proven.error();
    server out;
    const auto executor = co_await asio::this_coro::executor;
    out.state_ = std::make_shared<state>(executor, std::move(l), std::move(*store));
    co_return out;
}

server::server(server&&) noexcept = default;
server& server::operator=(server&&) noexcept = default;
server::~server() {
    if (!state_) return;
    state_->listeners.clear();
    for (const auto& [id, r] : state_->instances)
        r.function->kill();
    state_->instances.clear();
}

void server::serve(net::listener on) {
    state_->listeners.push_back(std::move(on));
    state_->listeners.back().start([s = state_](net::stream peer) { return serve_connection(s, std::move(peer)); });
}

std::size_t server::running() const { return state_->running(); }
std::size_t server::stored() const { return state_->store.size(); }

std::vector<run> server::runs() const {
    std::vector<run> out;
    const auto now = clock::now();
    for (const auto& [id, r] : state_->instances) {
        const auto& f = *r.function;
        if (!f.exhausted()) out.push_back({id, r.token, now - r.started, f.ended(), f.open(), f.unread()});
    }
    std::sort(out.begin(), out.end(), [](const run& a, const run& b) { return a.age > b.age; });
    return out;
}

result<void> server::kill(const uuid4& id) {
    const auto found = state_->instances.find(id);
    if (found == state_->instances.end()) return errc::unknown_run;
    found->second.function->kill();
    state_->instances.erase(found);
    return {};
}

function_store& server::functions() { return state_->store; }
const function_store& server::functions() const { return state_->store; }

result<void> server::remove(const uuid4& token) {
    if (auto removed = state_->store.remove(token); !removed) return removed;
    std::erase_if(state_->instances, [&](const auto& i) {
        if (i.second.token != token) return false;
        i.second.function->kill();
        return true;
    });
    return {};
}

}  // namespace bento::box
