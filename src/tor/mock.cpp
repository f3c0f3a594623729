#include <fmt/format.h>

#include <algorithm>
#include <bento/base/encoding.hpp>
#include <bento/net/child.hpp>
#include <bento/net/condition.hpp>
#include <bento/tor/mock.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <deque>
#include <map>
#include <optional>
#include <set>

namespace bento::tor {
namespace {

constexpr std::size_t read_size = 16 * 1024;

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

/// `\n` as CRLF, and one at the end.
std::string on_the_wire(std::string_view reply) {
    std::string out;
    for (const char c : reply)
        out += c == '\n' ? std::string{"\r\n"} : std::string(1, c);
    return out + "\r\n";
}

/// The value of GETINFO onions/...: a line where there is one service, data where there are more.
std::string listing(std::string_view key, const std::set<std::string>& services) {
    std::string out;
    if (services.size() > 1) {
        out = "250+" + std::string{key} + "=\n";
        for (const auto& s : services)
            out += s + "\n";
        return out + ".\n";
    }
    return "250-" + std::string{key} + "=" + (services.empty() ? "" : *services.begin()) + "\n";
}

/// Those of tor 0.4.9.
constexpr std::string_view event_names[] = {
    "CIRC",
    "CIRC_MINOR",
    "STREAM",
    "ORCONN",
    "BW",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARN",
    "ERR",
    "NEWDESC",
    "ADDRMAP",
    "DESCCHANGED",
    "NS",
    "STATUS_GENERAL",
    "STATUS_CLIENT",
    "STATUS_SERVER",
    "GUARD",
    "STREAM_BW",
    "CLIENTS_SEEN",
    "NEWCONSENSUS",
    "BUILDTIMEOUT_SET",
    "SIGNAL",
    "CONF_CHANGED",
    "CONN_BW",
    "CELL_STATS",
    "CIRC_BW",
    "TRANSPORT_LAUNCHED",
    "HS_DESC",
    "HS_DESC_CONTENT",
    "NETWORK_LIVENESS",
};

}  // namespace

struct mock_tor::connection {
    explicit connection(net::stream s) : stream{std::move(s)}, writable{stream.executor()} {}

    net::stream stream;
    net::condition writable;
    std::string out;
    std::set<std::string> events;
    std::set<std::string> services;
    bool closing = false;

    void say(std::string_view bytes) {
        out += bytes;
        writable.notify_all();
    }
};

struct mock_tor::state {
    explicit state(asio::any_io_executor e) : executor{e}, news{e} {}
    ~state() {
        for (const auto& c : connections)
            c->stream.close();
    }

    struct rule {
        std::string command;
        responder answer;
    };

    asio::any_io_executor executor;
    net::condition news;
    std::deque<rule> next;     // once()
    std::vector<rule> always;  // on()
    std::vector<std::string> commands;
    std::size_t heard = 0;  // of commands, by hear()
    std::set<std::shared_ptr<connection>> connections;
    std::set<std::string> detached;
    net::listener listener;

    void take(net::stream s, const std::shared_ptr<state>& self) {
        const auto c = std::make_shared<connection>(std::move(s));
        connections.insert(c);
        asio::co_spawn(executor, read(self, c), asio::detached);
        asio::co_spawn(executor, write(c), asio::detached);
    }

    static asio::awaitable<void> read(std::weak_ptr<state> weak, std::shared_ptr<connection> c) {
        std::string pending;
        std::vector<char> buffer(read_size);
        for (;;) {
            const auto n = co_await c->stream.read_some(buffer);
            const auto s = weak.lock();
            if (s && !n) {
                s->connections.erase(c);
                s->news.notify_all();
            }
            if (!s || !n) {
                c->stream.close();
                c->writable.notify_all();
                co_return;
            }
            pending.append(buffer.data(), *n);
            while (auto command = cut(pending))
                s->hear(std::move(*command), *c);
        }
    }

    static asio::awaitable<void> write(std::shared_ptr<connection> c) {
        while (c->stream.is_open()) {
            const auto out = std::exchange(c->out, {});
            if (!out.empty() && !co_await c->stream.write(out)) co_return;
            if (!c->out.empty()) continue;
            if (c->closing) c->stream.close();
            if (!c->stream.is_open()) co_return;
            co_await c->writable.wait();
        }
    }

    /// The first whole command of what has come, without its last line end.
    static std::optional<std::string> cut(std::string& pending) {
        const std::string_view end = pending.starts_with('+') ? "\r\n.\r\n" : "\r\n";
        const auto at = pending.find(end);
        if (at == std::string::npos) return {};
        auto out = pending.substr(0, at);
        pending.erase(0, at + end.size());
        return out;
    }

    void hear(std::string command, connection& from) {
        commands.push_back(command);
        news.notify_all();
        const auto answer = answer_to(command, from);
        if (!answer.empty()) from.say(on_the_wire(answer));
    }

    std::string answer_to(const std::string& command, connection& from) {
        const auto matches = [&](const rule& r) { return command.starts_with(r.command); };
        if (const auto found = std::find_if(next.begin(), next.end(), matches); found != next.end()) {
            const auto answer = std::move(found->answer);
            next.erase(found);
            return answer(command);
        }
        if (const auto found = std::find_if(always.rbegin(), always.rend(), matches); found != always.rend())
            return found->answer(command);
        return by_itself(words_of(command), from);
    }

    std::string by_itself(const std::vector<std::string>& words, connection& from) {
        const std::string verb = words.empty() ? "" : words.front();
        if (verb == "PROTOCOLINFO")
            return "250-PROTOCOLINFO 1\n250-AUTH METHODS=NULL\n250-VERSION Tor=\"0.4.9.11\"\n250 OK";
        if (verb == "SETEVENTS") {
            std::set<std::string> names{words.begin() + 1, words.end()};
            for (const auto& name : names)
                if (std::find(std::begin(event_names), std::end(event_names), name) == std::end(event_names))
                    return "552 Unrecognized event \"" + name + "\"";
            from.events = std::move(names);
            return "250 OK";
        }
        if (verb == "ADD_ONION") return add_onion(words, from);
        if (verb == "DEL_ONION" && words.size() > 1)
            return from.services.erase(words[1]) + detached.erase(words[1]) > 0 ? "250 OK"
                                                                                : "552 Unknown Onion Service id";
        if (verb == "GETINFO") return get_info(words, from);
        if (verb == "QUIT") {
            from.closing = true;
            return "250 closing connection";
        }
        for (const auto* taken : {"AUTHENTICATE", "SIGNAL", "SETCONF", "RESETCONF", "TAKEOWNERSHIP", "DROPOWNERSHIP"})
            if (verb == taken) return "250 OK";
        return "510 Unrecognized command \"" + verb + "\"";
    }

    bool has(const std::string& service) const {
        return detached.contains(service) || std::any_of(connections.begin(), connections.end(),
                                                         [&](const auto& c) { return c->services.contains(service); });
    }

    std::string add_onion(const std::vector<std::string>& words, connection& to) {
        constexpr std::string_view type = "ED25519-V3:";
        if (words.size() < 2) return "512 Bad arguments to ADD_ONION: Need at least 1 argument(s)";
        auto key = onion::secret_key::generate();
        const bool made = words[1].starts_with("NEW:");
        if (!made) {
            if (!words[1].starts_with(type)) return "513 Invalid key type";
            const auto blob = base64_decode(std::string_view{words[1]}.substr(type.size()));
            auto given = onion::secret_key::from_expanded(blob.value_or(bytes{}));
            if (!given) return "512 Failed to decode ED25519-V3 key";
            key = std::move(*given);
        }
        const auto service = onion::address::of(key.public_key()).service_id();
        if (has(service)) return "550 Onion address collision";
        bool keep = false, tell = made, port = false;
        for (const auto& word : words) {
            keep |= word.starts_with("Flags=") && word.find("Detach") != std::string::npos;
            tell &= !(word.starts_with("Flags=") && word.find("DiscardPK") != std::string::npos);
            port |= word.starts_with("Port=");
        }
        if (!port) return "512 Missing 'Port' argument";
        (keep ? detached : to.services).insert(service);
        return "250-ServiceID=" + service +
               (tell ? "\n250-PrivateKey=" + std::string{key.add_onion_argument().text()} : "") + "\n250 OK";
    }

    std::string get_info(const std::vector<std::string>& words, const connection& from) const {
        std::string out, unknown;
        for (std::size_t i = 1; i < words.size(); ++i) {
            if (words[i] == "version")
                out += "250-version=0.4.9.11\n";
            else if (words[i] == "status/bootstrap-phase")
                out += "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"\n";
            else if (words[i] == "events/names")
                out += fmt::format("250-events/names={}\n", fmt::join(event_names, " "));
            else if (words[i] == "onions/current")
                out += listing(words[i], from.services);
            else if (words[i] == "onions/detached")
                out += listing(words[i], detached);
            else
                unknown = words[i];
        }
        return unknown.empty() ? out + "250 OK" : "552 Unrecognized key \"" + unknown + "\"";
    }
};

mock_tor::mock_tor(asio::any_io_executor executor) : state_{std::make_shared<state>(std::move(executor))} {}

net::stream mock_tor::connect() {
    auto [ours, theirs] = net::make_socket_pair();
    const auto stream = [&](net::unique_fd& fd) {
        return net::stream{net::stream::socket_type{state_->executor, asio::local::stream_protocol{}, fd.release()}};
    };
    state_->take(stream(theirs), state_);
    return stream(ours);
}

result<endpoint> mock_tor::listen(const endpoint& at) {
    auto on = net::listener::listen(state_->executor, at, {});
    if (!on) return on.error();
    state_->listener = std::move(*on);
    state_->listener.start([weak = std::weak_ptr{state_}](net::stream s) -> asio::awaitable<void> {
        if (const auto self = weak.lock()) self->take(std::move(s), self);
        co_return;
    });
    return state_->listener.where();
}

void mock_tor::on(std::string command, responder answer) {
    state_->always.push_back({std::move(command), std::move(answer)});
}
void mock_tor::on(std::string command, std::string answer) {
    on(std::move(command), [answer = std::move(answer)](std::string_view) { return answer; });
}
void mock_tor::once(std::string command, std::string answer) {
    state_->next.push_back({std::move(command), [answer = std::move(answer)](std::string_view) { return answer; }});
}

void mock_tor::event(std::string_view text) {
    const bool whole = text.starts_with("650");
    const auto named = whole ? text.substr(4) : text;
    const std::string name{named.substr(0, named.find_first_of(" \n"))};
    const auto bytes = on_the_wire((whole ? "" : "650 ") + std::string{text});
    for (const auto& c : state_->connections)
        if (c->events.contains(name)) c->say(bytes);
}

void mock_tor::say(std::string_view bytes) {
    for (const auto& c : state_->connections)
        c->say(bytes);
}

void mock_tor::publish(const onion::address& service, std::size_t hs_dirs) {
    const auto relay = [](std::size_t i) {
        auto number = std::to_string(i);
        return "$" + std::string(40 - number.size(), 'A') + number;
    };
    for (const auto* descriptor : {"current", "next"})
        for (std::size_t i = 0; i < hs_dirs; ++i)
            event("HS_DESC UPLOAD " + service.service_id() + " UNKNOWN " + relay(i) + " " + descriptor);
    for (std::size_t i = 0; i < 2 * hs_dirs; ++i)
        event("HS_DESC UPLOADED " + service.service_id() + " UNKNOWN " + relay(i % hs_dirs));
}

void mock_tor::drop() {
    for (const auto& c : std::exchange(state_->connections, {}))
        c->stream.close();
}

const std::vector<std::string>& mock_tor::heard() const { return state_->commands; }
std::size_t mock_tor::connections() const { return state_->connections.size(); }

task<std::string> mock_tor::hear(std::string command, time_point deadline) {
    const auto s = state_;
    for (;;) {
        for (; s->heard < s->commands.size(); ++s->heard)
            if (s->commands[s->heard].starts_with(command)) co_return s->commands[s->heard++];
        if (!co_await s->news.wait(deadline)) co_return error{net::errc::timed_out, "no command " + command};
    }
}

}  // namespace bento::tor
