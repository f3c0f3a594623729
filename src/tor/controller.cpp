#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/base/random.hpp>
#include <bento/control/authentication.hpp>
#include <bento/control/quote.hpp>
#include <bento/net/condition.hpp>
#include <bento/tor/controller.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <deque>
#include <map>
#include <set>
#include <thread>

namespace bento::tor {
namespace {

constexpr std::size_t read_size = 64 * 1024;

/// tor answers most commands sooner than a thread falls asleep in the kernel and is woken again.
constexpr std::chrono::microseconds awake_time{50};

/// tor writes a longer reply in several segments, each of which waits for the acknowledgement of the one before;
/// without this the kernel delays that by 40 ms.
void acknowledge_now(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);  // a unix socket has no such option and no such delay
}

}  // namespace

struct subscription::queue {
    queue(const asio::any_io_executor& executor, const control::limits& l) : limits{l}, arrived{executor} {}

    void push(const control::event& e, std::size_t size) {
        const bool is_full = waiting.size() >= limits.events || (!waiting.empty() && bytes + size > limits.event_bytes);
        if (is_full || dropped > 0) {  // after a gap nothing, until it was told
            ++dropped;
        } else {
            waiting.push_back({e, size});
            bytes += size;
        }
        arrived.notify_all();
    }
    control::event pop() {
        auto first = std::move(waiting.front());
        waiting.pop_front();
        bytes -= first.size;
        return std::move(first.event);
    }
    void end(const error& why) {
        ended = why;
        arrived.notify_all();
    }

    struct one {
        control::event event;
        std::size_t size;
    };
    control::limits limits;
    std::set<std::string> names;
    std::deque<one> waiting;
    std::size_t bytes = 0;    // of those that wait
    std::size_t dropped = 0;  // since the last event that waits
    std::optional<error> ended;
    net::condition arrived;
};

task<notice> subscription::next() { return next(time_point::max()); }

task<notice> subscription::next(time_point deadline) {
    const auto q = queue_;
    for (;;) {
        if (!q->waiting.empty()) co_return notice{q->pop()};
        if (q->dropped > 0) co_return notice{gap{std::exchange(q->dropped, 0)}};
        if (q->ended) co_return *q->ended;
        if (!co_await q->arrived.wait(deadline)) co_return net::errc::timed_out;
    }
}

struct controller::state : std::enable_shared_from_this<state> {
    state(net::stream s, const control::limits& l)
        : stream{std::move(s)},
          executor{stream.executor()},
          limits{l},
          session{l},
          writable{executor},
          sooner{executor},
          gone{executor} {}

    /// Somebody waits for replies: of one command, or of many that were sent together.
    struct waiter {
        net::condition answered;
        std::vector<std::optional<result<control::reply>>> answers;
        std::size_t unanswered = 0;  // of those sent
        std::size_t wake_at = 0;     // when no more than these are unanswered
    };
    struct place {
        waiter* who;
        std::size_t index;
    };

    net::stream stream;
    asio::any_io_executor executor;
    control::limits limits;
    control::session session;
    net::condition writable;  // the session has output
    bool writing = false;     // some of it is on its way
    bool wrote = false;       // since tor was last heard
    net::condition sooner;    // a deadline is earlier than wakes_at
    time_point wakes_at = time_point::max();
    net::condition gone;  // the connection has ended
    std::optional<error> ended;
    std::map<control::session::ticket, place> waiters;
    std::vector<std::weak_ptr<subscription::queue>> subscriptions;

    void start() {
        asio::co_spawn(executor, read(shared_from_this()), asio::detached);
        asio::co_spawn(executor, write(shared_from_this()), asio::detached);
        asio::co_spawn(executor, watch_deadlines(shared_from_this()), asio::detached);
    }

    static asio::awaitable<void> read(std::shared_ptr<state> s) {
        std::vector<char> buffer(read_size);
        const int fd = s->stream.native_handle();
        while (!s->ended) {
            co_await s->stay_awake(fd);
            const auto n = co_await s->stream.read_some(buffer);
            if (s->ended) co_return;
            if (!n) {
                s->end(control::errc::disconnected);
                co_return;
            }
            const auto fed = s->session.feed({buffer.data(), *n});
            s->wrote = false;
            s->deliver();
            if (!fed) s->end(fed.error());
            // Who was answered goes first: mostly to ask again, and while tor works on that there is time to read on.
            co_await asio::post(s->executor, asio::use_awaitable);
            if (!s->ended && !s->wrote) acknowledge_now(fd);  // a command carries the acknowledgement with it
        }
    }

    /// Who asks one command after another is answered twice as fast by a thread that has not gone to sleep. Only while
    /// a command waits, and all others that have work on this thread go on meanwhile.
    asio::awaitable<void> stay_awake(int fd) {
        if (session.pending() == 0) co_return;
        const auto until = clock::now() + awake_time;
        char byte = 0;
        while (!ended && ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN && clock::now() < until) {
            std::this_thread::yield();  // to tor, where there is one core for both
            co_await asio::post(executor, asio::use_awaitable);
        }
    }

    static asio::awaitable<void> write(std::shared_ptr<state> s) {
        while (!s->ended) {
            const secret out{s->session.output()};
            if (out.empty()) {
                co_await s->writable.wait();
                continue;
            }
            s->session.consume_output(out.size());
            s->writing = true;
            const auto written = co_await s->stream.write(out.text());
            s->writing = false;
            if (!written) {
                s->end(control::errc::disconnected);
                co_return;
            }
        }
    }

    /// One timer for all commands. It is not set back when a command is answered: most have the same time to live, so
    /// that it is set once in a while, and not for each.
    static asio::awaitable<void> watch_deadlines(std::shared_ptr<state> s) {
        while (!s->ended) {
            s->wakes_at = s->session.next_deadline().value_or(time_point::max());
            const bool is_sooner = co_await s->sooner.wait(s->wakes_at);
            if (is_sooner) continue;
            s->session.expire(clock::now());
            s->deliver();
        }
    }

    control::session::ticket submit(secret command, time_point deadline) {
        if (deadline < wakes_at) sooner.notify_all();
        return session.submit(std::move(command), deadline);
    }

    /// What the kernel takes goes at once; the rest is write()'s.
    void flush() {
        const auto out = session.output();
        if (!writing && !out.empty()) {
            const auto n = ::send(stream.native_handle(), out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n > 0) session.consume_output(static_cast<std::size_t>(n));
            wrote |= n > 0;
        }
        if (!session.output().empty()) writable.notify_all();
    }

    void deliver() {
        while (auto out = session.next()) {
            if (auto* ready = std::get_if<control::session::reply_ready>(&*out))
                answer(ready->ticket, std::move(ready->reply));
            else if (auto* failed = std::get_if<control::session::failed>(&*out))
                answer(failed->ticket, std::move(failed->error));
            else
                publish(std::get<control::session::event_ready>(*out).reply);
        }
    }

    void answer(control::session::ticket ticket, result<control::reply> with) {
        const auto found = waiters.find(ticket);
        if (found == waiters.end()) return;  // the one who asked has gone
        const auto [who, index] = found->second;
        waiters.erase(found);
        who->answers[index].emplace(std::move(with));
        if (--who->unanswered <= who->wake_at) who->answered.notify_all();
    }

    void publish(const control::reply& reply) {
        const auto event = control::parse_event(reply);
        if (!event) return end(event.error());
        const std::string name{control::event_name(*event)};
        const auto size = reply.size();
        std::erase_if(subscriptions, [](const auto& weak) { return weak.expired(); });
        for (const auto& weak : subscriptions)
            if (const auto q = weak.lock(); q && q->names.contains(name)) q->push(*event, size);
    }

    void end(const error& why) {
        if (ended) return;
        ended = why;
        stream.close();
        session.disconnect(why);
        deliver();
        for (const auto& weak : subscriptions)
            if (const auto q = weak.lock()) q->end(why);
        writable.notify_all();
        sooner.notify_all();
        gone.notify_all();
    }

    std::vector<std::string> subscribed() {
        std::set<std::string> names;
        for (const auto& weak : subscriptions)
            if (const auto q = weak.lock()) names.insert(q->names.begin(), q->names.end());
        return {names.begin(), names.end()};
    }
};

controller controller::attach(net::stream connection, control::limits limits) {
    // The coroutines of the connection hold its state; what the handles share is the right to end it.
    struct holder {
        explicit holder(std::shared_ptr<state> s) : held{std::move(s)} {}
        holder(const holder&) = delete;
        holder& operator=(const holder&) = delete;
        std::shared_ptr<state> held;
        ~holder() { held->end(control::errc::disconnected); }
    };
    auto h = std::make_shared<holder>(std::make_shared<state>(std::move(connection), limits));
    h->held->start();
    return controller{std::shared_ptr<state>{h, h->held.get()}};
}

bool controller::connected() const { return state_ && !state_->ended; }
void controller::close() {
    if (state_) state_->end(control::errc::disconnected);
}

asio::awaitable<error> controller::closed() const {
    const auto s = state_;
    while (!s->ended)
        co_await s->gone.wait();
    co_return *s->ended;
}

task<control::reply> controller::ask(secret bytes, time_point deadline) const {
    std::vector<result<secret>> one;
    one.emplace_back(std::move(bytes));
    auto answers = co_await ask_all(std::move(one), deadline);
    co_return std::move(answers.front());
}

asio::awaitable<std::vector<result<control::reply>>> controller::ask_all(std::vector<result<secret>> commands,
                                                                         time_point deadline) const {
    const auto s = state_;
    std::vector<result<control::reply>> out;
    out.reserve(commands.size());
    if (!s || s->ended) {
        for (const auto& command : commands)
            out.emplace_back(command ? error{control::errc::disconnected} : command.error());
        co_return out;
    }
    // Enough to keep tor busy, and half of what the session admits.
    const auto in_flight = std::max<std::size_t>(s->limits.pending / 2, 1);
    state::waiter w{net::condition{s->executor}, {}};
    w.answers.resize(commands.size());
    /// Whatever ends this coroutine, nobody may answer into its frame afterwards.
    struct leave {
        state& in;
        const state::waiter& who;
        ~leave() {
            for (auto at = in.waiters.begin(); who.unanswered > 0 && at != in.waiters.end();) {
                if (at->second.who == &who) {
                    in.session.abandon(at->first);
                    at = in.waiters.erase(at);
                } else {
                    ++at;
                }
            }
        }
    } leave{*s, w};
    for (std::size_t next = 0;;) {
        for (; next < commands.size() && w.unanswered < in_flight; ++next) {
            if (!commands[next]) {
                w.answers[next].emplace(commands[next].error());
                continue;
            }
            const auto ticket = s->submit(std::move(*commands[next]), deadline);
            s->waiters.emplace_hint(s->waiters.end(), ticket, state::place{&w, next});
            ++w.unanswered;
        }
        s->flush();
        w.wake_at = next < commands.size() ? in_flight / 2 : 0;
        s->deliver();  // a full queue refuses at once
        if (w.unanswered == 0 && next == commands.size()) break;
        if (w.unanswered <= w.wake_at) continue;
        co_await w.answered.wait();
    }
    for (auto& answer : w.answers)
        out.push_back(std::move(*answer));
    co_return out;
}

asio::awaitable<std::map<std::string, result<std::string>, std::less<>>> controller::info(std::vector<std::string> keys,
                                                                                          time_point deadline) const {
    std::vector<control::get_info> commands;
    for (const auto& key : keys)
        commands.push_back({{key}});
    auto answers = co_await execute_all(std::move(commands), deadline);
    std::map<std::string, result<std::string>, std::less<>> out;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (answers[i])
            out.insert_or_assign(keys[i], std::move(answers[i]->find(keys[i])->second));
        else
            out.insert_or_assign(keys[i], answers[i].error());
    }
    co_return out;
}

task<subscription> controller::subscribe(std::vector<std::string> names, time_point deadline) {
    auto q = std::make_shared<subscription::queue>(state_->executor, state_->limits);
    q->names = {names.begin(), names.end()};
    state_->subscriptions.push_back(q);
    control::set_events all;
    all.names = state_->subscribed();
    auto confirmed = co_await execute(std::move(all), deadline);
    if (!confirmed) co_return confirmed.error();
    co_return subscription{std::move(q)};
}

namespace {

/// "/run/tor/control.authcookie may be read by group debian-tor": what to do about a cookie that is not ours to read.
std::string who_may_read(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return path;
    const auto* group = ::getgrgid(info.st_gid);
    if ((info.st_mode & S_IRGRP) == 0 || group == nullptr) return path + " (readable by its owner alone)";
    return path + " (readable by group " + group->gr_name + ")";
}

}  // namespace

task<controller> controller::connect(endpoint at, const credentials& with, time_point deadline,
                                     control::limits limits) {
    std::optional<secret> password;
    if (with.password_file) {
        auto read = read_secret_file(*with.password_file, 4096);
        if (!read) co_return read.error();
        auto text = read->text();
        if (text.ends_with('\n')) text.remove_suffix(1);
        password = secret{text};
    }
    std::optional<std::string> cookie_path;
    if (with.cookie_file) cookie_path = with.cookie_file->string();

    auto stream = co_await net::stream::connect(at, deadline);
    if (!stream) co_return stream.error();
    auto link = attach(std::move(*stream), limits);
    control::authentication machine{std::move(password), std::move(cookie_path)};
    auto todo = machine.begin();
    for (;;) {
        using step = control::authentication;
        if (std::holds_alternative<step::ask_protocol_info>(todo)) {
            todo = machine.on_protocol_info(co_await link.execute(control::protocol_info{}, deadline));
        } else if (auto* cookie = std::get_if<step::read_cookie>(&todo)) {
            const auto path = cookie->path;
            auto content = read_secret_file(path, step::cookie_size);
            if (!content && content.error().code == bento::base::errc::not_permitted)
                co_return error{errc::cookie_unreadable, who_may_read(path)};
            todo = machine.on_cookie(std::move(content));
        } else if (auto* challenge = std::get_if<step::ask_challenge>(&todo)) {
            todo = machine.on_challenge(co_await link.execute(std::move(challenge->command), deadline));
        } else if (auto* proof = std::get_if<step::send_proof>(&todo)) {
            todo = machine.on_authenticated(co_await link.execute(std::move(proof->command), deadline));
        } else if (auto* failed = std::get_if<step::failed>(&todo)) {
            co_return failed->error;
        } else {
            co_return link;
        }
    }
}

}  // namespace bento::tor
